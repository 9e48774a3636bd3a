"""The file of the embedded store: its lock, opening and closing the engine, and the engine's errors.

The engine (ladybug) loses data silently when two handles of one process open the same file, so a handle
takes a lock on a file beside the store. A second handle waits for another process, and is refused in the same one.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import ladybug

from kgrank.errors import BusyError, StoreError
from kgrank.locks import HeldError, lock, unlock

_log = logging.getLogger(__name__)

NO_ROOM = "IO exception: Cannot write to file"

_CUT_SHORT = ("the WAL file is corrupted", ".wal with size")
"""Messages of a log whose last record is not whole: it fails its checksum, or ends within its head."""

ABANDONED: list[tuple[Any, ...]] = []
"""Databases, with their locks, whose last write failed."""


def open_database(path: str) -> ladybug.Database:
    """The engine, after a write that was cut short too: what was acknowledged before it is kept."""
    try:
        return ladybug.Database(path)
    except RuntimeError as error:
        if not any(message in str(error) for message in _CUT_SHORT):
            raise
        _log.warning("%s: the last write was cut short; it is undone, and what came before is kept", path)
        return ladybug.Database(path, throw_on_wal_replay_failure=False)


def lock_file(path: Path, wait: float) -> IO[str]:
    """The lock of a store, the file beside it; another process that holds it is waited for.

    Raises:
        BusyError: It is held after ``wait`` seconds.
        StoreError: This process holds it, or it cannot be made.
    """

    def report(holder: str) -> None:
        _log.warning("%s is held by %s; waiting up to %g s for it", path, holder, wait)

    try:
        return lock(Path(f"{os.path.realpath(path)}.lock"), wait=wait, on_wait=report)
    except OSError as error:
        raise StoreError(
            f"cannot write {path.name}.lock beside the store ({error.strerror})",
            where=path,
            expected="an existing folder that may be written to",
        ) from error
    except HeldError as error:
        if error.is_own:
            raise StoreError(
                "the store is open already in this process",
                where=path,
                expected="one handle at a time",
                todo="Close the other handle, or share it.",
            ) from error
        after = f" after {wait:g} s of waiting" if wait else ""
        raise BusyError(
            f"the store is held by {error.holder}{after}",
            where=path,
            todo=f"Wait for it to end, then run this again, or end {error.short}.",
        ) from error


def copy_mode_to_log(path: Path) -> None:
    """Lets those alone read the log beside a store who can read the store."""
    log = Path(f"{os.path.realpath(path)}.wal")
    # The engine takes it away at a checkpoint.
    with suppress(FileNotFoundError):
        mode = path.stat().st_mode
        if log.stat().st_mode != mode:
            log.chmod(mode)


def remove_files(path: Path) -> None:
    """Removes a store that nobody has open, with what is beside it."""
    for ending in ("", ".wal", ".lock"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def give_back(database: ladybug.Database, held: IO[str]) -> None:
    """Closes the engine and unlocks its file."""
    database.close()
    unlock(held)


def store_error(message: str, address: str, timeout: float) -> StoreError:
    """The engine's message as a store error."""
    line = message.splitlines()[0] if message else "the engine failed without a message"
    if line.startswith("Interrupted"):
        return StoreError(
            f"the query took more than {timeout:g} s",
            where=address,
            todo="Narrow the query, or raise timeout=.",
        )
    if line.startswith(NO_ROOM):
        return StoreError(
            "the store cannot grow: the disk is full, or files may not be larger",
            where=address,
            todo="Make room and load again, in a new process; what was written before is kept.",
        )
    if "does not exist" in line and line.startswith("Binder exception: Table"):
        return StoreError(
            line,
            where=address,
            todo="Load a shop into the store first: kgrank load; or bring one of an earlier kgrank to this "
            "version: kgrank doctor --repair.",
        )
    if line.startswith("Binder exception: Cannot find property"):
        return StoreError(
            f"the store was made by another version of kgrank ({line})",
            where=address,
            todo="Bring it to this version: kgrank doctor --repair.",
        )
    return StoreError(line, where=address)
