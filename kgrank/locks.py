"""Locks between processes: a file that says which process holds it."""

from __future__ import annotations

import fcntl
import os
import shlex
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

ASK_AGAIN = 0.1
"""Seconds after which a lock that another process holds is tried again."""

SILENT = 1.0
"""Seconds of waiting before anybody is told of it."""


class HeldError(Exception):
    """Another process holds a lock.

    Attributes:
        short: "process" and its number.
        holder: The same, its command, and since when.
        is_own: Whether it is this process itself.
    """

    def __init__(self, short: str, holder: str, *, is_own: bool) -> None:
        super().__init__(holder)
        self.short = short
        self.holder = holder
        self.is_own = is_own


def lock(path: Path, *, wait: float = 0.0, on_wait: Callable[[str], object] | None = None) -> IO[str]:
    """Locks a file and signs it with this process's number, command and time; closing it gives the lock back.

    Args:
        path: The file; made where there is none, and left where it is.
        wait: Seconds to wait for another process; one's own process is never waited for.
        on_wait: Is called once, with the holder in words, when ``SILENT`` seconds have passed.

    Raises:
        HeldError: It is held.
        OSError: The file cannot be made.
    """
    began = time.monotonic()
    while (file := _signed(path)) is None:
        short, holder = _holder(path)
        is_own = short == f"process {os.getpid()}"
        waited = time.monotonic() - began
        if is_own or waited >= wait:
            raise HeldError(short, holder, is_own=is_own)
        if on_wait is not None and waited > SILENT:
            on_wait(holder)
            on_wait = None
        time.sleep(min(ASK_AGAIN, wait - waited))
    return file


def _signed(path: Path) -> IO[str] | None:
    """The file, locked and signed; None where another process holds it, or has just taken it away."""
    file = path.open("a+", encoding="utf-8", errors="replace")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    if not path.exists() or not os.path.samestat(os.fstat(file.fileno()), path.stat()):
        file.close()
        return None
    file.truncate(0)
    file.write(f"{os.getpid()}\n{_command()}\n{datetime.now(UTC).isoformat(timespec='seconds')}\n")
    file.flush()
    return file


def unlock(file: IO[str]) -> None:
    """Gives a lock back."""
    # Unlocked by name: a forked child that inherited the file would hold it on.
    fcntl.flock(file, fcntl.LOCK_UN)
    file.close()


def _holder(path: Path) -> tuple[str, str]:
    """The process that has signed a file, by its number, and in full."""
    text = ""
    with suppress(FileNotFoundError):
        text = path.read_text(encoding="utf-8", errors="replace")
    number, command, since = (text.splitlines() + [""] * 3)[:3]
    if not number:
        return "it", "a process that has just begun"
    about = (f" ({command})" if command else "") + (f", since {since}" if since else "")
    return f"process {number}", f"process {number}{about}"


def _command() -> str:
    """What this process runs, in a line of its own and without what is very long."""
    script = Path(sys.argv[0] if sys.argv and sys.argv[0] else "python")
    program = script.parent.name if script.name == "__main__.py" else script.name
    words = " ".join([program, *map(shlex.quote, sys.argv[1:])])
    line = "".join(sign if sign.isprintable() else "?" for sign in words)
    return line if len(line) <= 200 else f"{line[:199]}…"
