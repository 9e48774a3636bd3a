"""Reading makes many small objects that all stay: looking for garbage meanwhile costs a third of the time."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Holds the garbage collector back; also a decorator."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if not gc.get_freeze_count():
                # Moves all that was made into the oldest generation, without a look at each object.
                gc.freeze()
                gc.unfreeze()
            gc.enable()
