from __future__ import annotations

import importlib.util
import tempfile
import unittest
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[3] / "local" / "aws" / "instance" / "cloud_init.py"
specification = importlib.util.spec_from_file_location("cloud_init", SOURCE)
assert specification and specification.loader
cloud_init: Any = importlib.util.module_from_spec(specification)
specification.loader.exec_module(cloud_init)


class CloudInit(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="skyfleet-aws-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_files_are_written_with_their_folders_and_permissions(self) -> None:
        path = self.folder / "etc" / "some" / "file"
        cloud_init.apply({"write_files": [{"path": str(path), "content": "a\n", "permissions": "0600"}]})
        self.assertEqual(path.read_text(), "a\n")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def test_commands_run_in_order_before_and_after_the_files(self) -> None:
        path = self.folder / "order"
        cloud_init.apply(
            {
                "runcmd": [["cp", str(path), str(self.folder / "copy")], f"echo 3 >> {path}"],
                "write_files": [{"path": str(path), "content": "2\n"}],
                "bootcmd": [f"echo 1 > {self.folder}/first"],
            }
        )
        self.assertEqual((self.folder / "first").read_text(), "1\n")
        self.assertEqual((self.folder / "copy").read_text(), "2\n")
        self.assertEqual(path.read_text(), "2\n3\n")

    def test_a_failing_command_does_not_keep_the_rest_from_running(self) -> None:
        path = self.folder / "after"
        cloud_init.apply({"bootcmd": ["exit 3"], "runcmd": [["touch", str(path)]]})
        self.assertTrue(path.exists())

    def test_the_images_own_user_is_left_as_it_is(self) -> None:
        cloud_init.apply({"users": ["default"]})


if __name__ == "__main__":
    unittest.main()
