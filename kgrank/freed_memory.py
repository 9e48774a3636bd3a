"""Memory that this process has freed, given back to the system."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def give_back_freed_memory() -> None:
    """Asks the C library to give free pages back; does nothing where it cannot.

    glibc keeps what is freed between what is in use, after large tables more than half a gigabyte, while other
    processes and the later stages of this one need it.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
