"""Problems in the data by their kind: hundreds of one kind are one row of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kgrank.weights.model import Cause, Concern

PROBLEM: Mapping[Cause, str] = {
    Cause.SEPARATION: "a value, or an end of the range, always or never chosen",
    Cause.CONSTANT: "never differs between the items of a choice",
    Cause.COLLINEAR: "goes together with another attribute",
    Cause.FEW_CHOICES: "fewer choices than part-worths",
    Cause.ONE_PERSON: "many of the choices are one person's",
    Cause.MANY_VALUES: "most values on very few items",
    Cause.MIXED_UNITS: "another unit for some of the items",
    Cause.OUTLIER: "a number far from all others",
    Cause.FIXED_POSITION: "goes with the place on the screen",
}
"""What is wrong, in a few words."""

FEW = 5
"""Concerns of a cause up to which each is said in full, however many others there are."""

NAMED, ROWS = 3, 20
"""Categories that a row names, and rows of a table."""

HEADS = ("problem", "attribute", "count", "categories")


@dataclass(frozen=True)
class ConcernKind:
    """The concerns with one cause and about one attribute.

    Attributes:
        cause: What is wrong.
        attribute: The attribute that they are about; None where they are about all.
        count: Their number.
        categories: Where, each once, in the order of the concerns.
    """

    cause: Cause
    attribute: str | None
    count: int
    categories: tuple[str, ...]

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """A row of the table, under ``HEADS``."""
        more = len(self.categories) - NAMED
        first = ", ".join(self.categories[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
        return PROBLEM[self.cause], self.attribute or "", f"{self.count:,}", first


def by_kind(concerns: Iterable[Concern]) -> tuple[ConcernKind, ...]:
    """The kinds of concerns, the most frequent first."""
    kinds: dict[tuple[Cause, str | None], list[str]] = {}
    for concern in concerns:
        kinds.setdefault((concern.cause, concern.attribute), []).append(concern.category)
    counted = [
        ConcernKind(cause, attribute, len(categories), tuple(dict.fromkeys(categories)))
        for (cause, attribute), categories in kinds.items()
    ]
    return tuple(sorted(counted, key=lambda kind: -kind.count))


def in_full_and_counted(
    concerns: Sequence[Concern], most: int
) -> tuple[tuple[Concern, ...], tuple[Concern, ...]]:
    """The concerns to be said in full, and those to be counted by kind.

    All are said in full where there are ``most`` at most; else those of a cause with few.
    """
    if len(concerns) <= most:
        return tuple(concerns), ()
    count = Counter(c.cause for c in concerns)
    rare = [count[c.cause] <= FEW for c in concerns]
    return (
        tuple(c for c, full in zip(concerns, rare, strict=True) if full),
        tuple(c for c, full in zip(concerns, rare, strict=True) if not full),
    )


def concern_table(concerns: Sequence[Concern]) -> str:
    """A line that counts the concerns, and a table of their kinds."""
    kinds = by_kind(concerns)
    categories = len({c.category for c in concerns})
    rows = [HEADS, *(kind.cells for kind in kinds[:ROWS])]
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    lines = [
        f"  {problem:{widths[0]}}  {attribute:{widths[1]}}  {count:>{widths[2]}}  {first}"
        for problem, attribute, count, first in rows
    ]
    if more := sum(kind.count for kind in kinds[ROWS:]):
        lines.append(f"  {more:,} of other kinds")
    title = (
        f"{len(concerns):,} problems in the data of {categories:,} categories; "
        "`kgrank importance CATEGORY --json` has each in full"
    )
    return "\n".join([title, *lines])
