"""What can go wrong between a record and its file."""

from __future__ import annotations

from influencer.errors import Unavailable


class StoreDamaged(Unavailable):
    """The file can't be read as it is; nothing is written over it until it is mended or restored.

    `details` names `file`, `line`, `column` and `reason`.
    """

    code = "store_damaged"


class StoreBusy(Unavailable):
    """Another writer held the file for too long. The same call may succeed later."""

    code = "store_busy"


class StoreUnwritable(Unavailable):
    """Disk full, read-only or broken: the file on disk is still the old one."""

    code = "store_unwritable"


class NotSupported(NotImplementedError):
    """A query that only SQL could answer. A mistake in the code, never in the data."""
