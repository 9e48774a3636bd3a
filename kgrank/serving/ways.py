"""The answer of ``/v1/ways``, as it was before ``/v1/counterfactuals``; goes with the next version."""

from __future__ import annotations

from dataclasses import dataclass

from kgrank.ranking.answers import Change, Counterfactuals

NOTE = "Deprecated: /v1/counterfactuals answers this question; /v1/ways ends with the next version."


@dataclass(frozen=True)
class Way:
    """Changes that together bring the item to a position; ``Counterfactual`` with its former names."""

    changes: tuple[Change, ...]
    position: int
    ruled: bool
    sentence: str


@dataclass(frozen=True)
class Ways:
    """What would bring an item among the first; ``Counterfactuals`` with its former names."""

    item: str
    position: int
    first: int
    gap: float
    ways: tuple[Way, ...]
    sentence: str
    notes: tuple[str, ...]


def former_names(answer: Counterfactuals) -> Ways:
    """The answer under the names that it had."""
    return Ways(
        item=answer.item,
        position=answer.position,
        first=answer.top,
        gap=answer.gap,
        ways=tuple(
            Way(c.changes, c.position, c.limited_by_rules, c.sentence) for c in answer.counterfactuals
        ),
        sentence=answer.sentence,
        notes=(*answer.notes, NOTE),
    )
