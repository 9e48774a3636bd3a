"""Reading makes many small objects that all stay: looking for garbage meanwhile costs a third of the time."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_kept: list[bool] = []
"""Not empty once ``keep`` was called: to count what is frozen takes as long as a check."""


def keep() -> None:
    """All that was made so far stays as long as the program: the collector need not look at it again."""
    gc.freeze()
    _kept.append(True)


@contextmanager
def uncollected() -> Iterator[None]:
    """Holds the garbage collector back; also a decorator."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if not _kept and not gc.get_freeze_count():
                # Moves all that was made into the oldest generation, without a look at each object.
                gc.freeze()
                gc.unfreeze()
            gc.enable()
