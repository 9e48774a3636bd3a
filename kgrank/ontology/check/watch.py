"""A folder under watch: what changed on disk since the last look."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kgrank.ontology.check.messages import Message
from kgrank.ontology.check.parse import turtle_files
from kgrank.ontology.check.session import Session

PAUSE = 0.2
"""Seconds between two looks; a change is read when the next look finds nothing newer."""

Seen = Mapping[str, tuple[int, int, int]]


@dataclass(frozen=True)
class Saved:
    """What happened to the files of a folder, and what is wrong with what that reaches."""

    changed: tuple[str, ...]
    added: tuple[str, ...]
    deleted: tuple[str, ...]
    messages: list[Message]
    seconds: float


def look(folder: Path) -> Seen:
    """The Turtle files of a folder, each with its number, size and time of writing."""
    states = {}
    for path in turtle_files(folder):
        try:
            state = path.stat()
        except OSError:
            continue  # Taken away between the listing and the look.
        states[path.name] = (state.st_ino, state.st_size, state.st_mtime_ns)
    return states


def saved(session: Session, before: Seen, after: Seen) -> Saved | None:
    """Checks what differs between two looks; None where nothing does."""
    start = time.perf_counter()
    changed = tuple(n for n in after if n in before and after[n] != before[n])
    added = tuple(n for n in after if n not in before)
    deleted = tuple(n for n in before if n not in after)
    if not (changed or added or deleted):
        return None
    messages = session.recheck_files((*changed, *added, *deleted))
    return Saved(changed, added, deleted, messages, time.perf_counter() - start)


def watch(session: Session, before: Seen, pause: float = PAUSE) -> Iterator[Saved]:
    """Yields the messages of a check after each change of the session's folder, without end.

    Args:
        session: The check that is kept.
        before: The look that was taken before the session was opened.
        pause: Seconds between two looks.
    """
    while True:
        time.sleep(pause)
        after = look(session.folder)
        if after == before:
            continue
        # An editor may write in two steps, and git one file after the other.
        time.sleep(pause)
        while (newer := look(session.folder)) != after:
            after = newer
            time.sleep(pause)
        change = saved(session, before, after)
        before = after
        if change is not None:
            yield change
