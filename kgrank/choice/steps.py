"""How far long work is, told step by step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

T = TypeVar("T")

Steps = Callable[[int, int], None]
"""Takes how many steps are done, and how many there are."""


def untold(done: int, total: int) -> None:
    """Drops it."""


def told(things: Collection[T], steps: Steps) -> Iterator[T]:
    """The things, one after another; each is a step, and done when the next is asked for."""
    for done, thing in enumerate(things):
        steps(done, len(things))
        yield thing
    steps(len(things), len(things))
