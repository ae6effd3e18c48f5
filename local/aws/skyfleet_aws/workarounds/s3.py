"""S3."""

from __future__ import annotations

from typing import Any

from moto.s3 import models

# It gets a method, which its type does not foresee.
FakeDeleteMarker: Any = models.FakeDeleteMarker


def apply() -> None:
    delete_markers_are_deleted_among_versions()


def delete_markers_are_deleted_among_versions() -> None:
    """Where versioning is suspended, moto closes the file of each version of an object that is deleted, and takes a
    delete marker for one that has a file.
    No longer needed when DeleteObjects in such a bucket takes away an object that was deleted before."""
    FakeDeleteMarker.dispose = lambda self: None
