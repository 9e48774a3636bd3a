"""Errors that a user can act on: what was found, where, what was expected, what to do.

KgrankError
├── InputError      a file, a row or an option is not what it should be
├── StoreError      a graph store cannot be opened, reached or written
│   ├── AccessError    its address, user, password or database is wrong
│   └── BusyError      another process has it open
├── WeightsError    learned weights do not fit the graph or the ontology, or the file is damaged
└── RunError        a training run cannot start or continue
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class KgrankError(Exception):
    """A mistake that the user can mend; the command line prints it in one line and exits with 2.

    Args:
        problem: What was found, in the user's own words and ids.
        where: File, line, row, id or address.
        expected: What was expected instead.
        todo: The next step.
    """

    def __init__(
        self, problem: str, *, where: object = None, expected: str | None = None, todo: str | None = None
    ) -> None:
        self.problem = problem
        self.where = None if where is None else str(where)
        self.expected = expected
        self.todo = todo
        super().__init__(self.sentence())

    def sentence(self) -> str:
        """The whole error in one line."""
        head = f"{self.where}: {self.problem}" if self.where else self.problem
        parts = [head]
        if self.expected:
            parts.append(f"expected {self.expected}")
        text = "; ".join(parts)
        return f"{text}. {self.todo}" if self.todo else text


class InputError(KgrankError):
    """A file, a row or an option is not what it should be."""


class StoreError(KgrankError):
    """A graph store cannot be opened, reached or written."""


class AccessError(StoreError):
    """A store's address, user, password or database is wrong: trying again does not help."""


class BusyError(StoreError):
    """Another process has a store open that one at a time can have."""


class WeightsError(KgrankError):
    """Learned weights do not fit the graph or the ontology, or their file is damaged."""


class RunError(KgrankError):
    """A training run cannot start or continue."""


MANY, LONGEST = 500, 100
"""Names that are compared with a misspelt one at most, and how many characters of it are."""


def did_you_mean(name: str, known: Iterable[str], *, ascending: bool = False) -> str:
    """A "did you mean" phrase for a misspelt name; lists a few known names where none is near.

    Args:
        name: The misspelt one.
        known: All that there are.
        ascending: Whether ``known`` is a sequence in ascending order without repetition, as the ids of a shop
            are: millions of them are then not sorted for each misspelt one.
    """
    name = name[:LONGEST]
    names = known if ascending and isinstance(known, Sequence) else sorted(set(known))
    alike = names
    if len(names) > MANY:
        # Comparing takes long: of very many, those that begin most alike.
        at = bisect_left(names, name)
        alike = names[max(at - MANY // 2, 0) : at + MANY // 2]
    close = get_close_matches(name, alike, n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"Known: {shown}." if names else "There are none yet."


def near_miss(name: str, known: Iterable[str]) -> str | None:
    """The phrase "did you mean", for a message that lists the known names already; None where none is near."""
    phrase = did_you_mean(name, known)
    return phrase if phrase.startswith("Did") else None
