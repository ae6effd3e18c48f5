"""What SkyPilot finds otherwise on a rig than on a machine of its own, in its server and in all that the server starts.

Python imports this by itself at its start, from a folder on PYTHONPATH.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
from types import ModuleType
from typing import Any, Dict, Optional, Sequence

# By module, for SkyPilot 0.14.1.
PATCHES: Dict[str, Dict[str, Any]] = {
    # Before it believes that a machine was taken back, it looks whether it has a network at all, by public addresses.
    "sky.backends.backend_utils": {"_TEST_IP_LIST": [os.environ["AWS_ENDPOINT_URL"]]},
    # It starts as many controllers of managed jobs as memory allows, for a machine that does nothing else.
    "sky.utils.controller_utils": {"MAX_CONTROLLERS": 1},
}


class Patcher(importlib.abc.MetaPathFinder):
    """Changes modules right after they were loaded."""

    def find_spec(
        self, name: str, path: Optional[Sequence[str]], target: Optional[ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        if name not in PATCHES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def load_and_patch(module: ModuleType) -> None:
            load(module)
            for attribute, value in PATCHES[name].items():
                if not hasattr(module, attribute):
                    raise AttributeError(f"{name} has no {attribute} in this version of SkyPilot")
                setattr(module, attribute, value)

        setattr(spec.loader, "exec_module", load_and_patch)
        return spec


sys.meta_path.insert(0, Patcher())
