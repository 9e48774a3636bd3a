"""The file of the embedded store: its lock, opening and closing the engine, and the engine's errors.

The engine (ladybug) loses data silently when two handles of one process open the same file, so a handle
takes a lock on a file beside the store, and a second handle, in this process or another, is refused.
"""

from __future__ import annotations

import fcntl
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import ladybug

from kgrank.errors import StoreError

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


def lock_file(path: Path) -> IO[str]:
    """The file beside the store, locked and signed with this process's id."""
    beside = Path(f"{os.path.realpath(path)}.lock")
    try:
        file = beside.open("a+", encoding="ascii")
    except OSError as error:
        raise StoreError(
            f"cannot write {beside.name} beside the store ({error.strerror})",
            where=path,
            expected="an existing folder that may be written to",
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        is_own = holder == str(os.getpid())
        raise StoreError(
            "the store is open already in this process"
            if is_own
            else f"the store is held by process {holder}",
            where=path,
            expected="one handle at a time",
            todo="Close the other handle, or share it."
            if is_own
            else f"Wait for it, or end process {holder}.",
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


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


def sync_file(path: Path) -> None:
    """Has a file, or the names in a folder, written to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def give_back(database: ladybug.Database, lock: IO[str]) -> None:
    """Closes the engine and unlocks its file."""
    database.close()
    # Unlocked by name: a forked child that inherited the file would hold it on.
    fcntl.flock(lock, fcntl.LOCK_UN)
    lock.close()


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
        return StoreError(line, where=address, todo="Load a shop into the store first: kgrank load.")
    if line.startswith("Binder exception: Cannot find property"):
        return StoreError(
            f"the store was made by another version of kgrank ({line})",
            where=address,
            todo="Bring it to this version: kgrank doctor --repair.",
        )
    return StoreError(line, where=address)
