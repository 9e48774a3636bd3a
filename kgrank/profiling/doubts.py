"""What was assumed of a shop's files, and what is doubtful about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum


class Weight(IntEnum):
    """How much depends on a doubt; the page shows the highest first."""

    DETAIL = 1
    VALUE = 2
    ATTRIBUTE = 3
    MEANING = 4
    ROLE = 5


@dataclass(frozen=True)
class Doubt:
    """One assumption that a person should look at.

    Attributes:
        weight: How much depends on it.
        file: The file.
        column: The column; empty where it is about the file.
        text: What was assumed, and on what grounds.
        count: Rows, cells or values that it is about.
        examples: A few of them.
        remedy: What to change, and where, if the assumption is wrong.
    """

    weight: Weight
    file: str
    column: str
    text: str
    count: int = 0
    examples: tuple[str, ...] = ()
    remedy: str = ""


@dataclass(frozen=True)
class ColumnRole:
    """What one column of a file was taken as.

    Attributes:
        file: The file.
        column: Its head.
        role: ``id``, ``brand``, ``attribute``, ``left out`` and so on.
        detail: The type and unit of an attribute, the reason for leaving it out.
        share: Share of rows that have a cell.
        examples: A few cells.
    """

    file: str
    column: str
    role: str
    detail: str = ""
    share: float = 1.0
    examples: tuple[str, ...] = ()


@dataclass
class Findings:
    """Collects roles and doubts while files are profiled."""

    roles: list[ColumnRole] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)

    def ranked(self) -> tuple[Doubt, ...]:
        """The doubts, those on which most depends first; of equals, those about the most."""
        return tuple(sorted(dict.fromkeys(self.doubts), key=lambda d: (-d.weight, -d.count)))


SHOWN = 5
"""Examples that are kept of each doubt."""


def first_few(texts: Iterable[str]) -> tuple[str, ...]:
    """The first different texts, as examples."""
    return tuple(list(dict.fromkeys(texts))[:SHOWN])
