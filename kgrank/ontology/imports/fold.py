"""Repeated attributes of parents, folded into inheritance: what a category adds and what it drops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kgrank.errors import InputError
from kgrank.ontology.imports.plan import Plan, PlannedCategory
from kgrank.ontology.model import Need


@dataclass(frozen=True)
class Folded:
    """What a category says itself: the rest it inherits."""

    uses: Mapping[str, Need]
    drops: tuple[str, ...]


def fold(plan: Plan) -> dict[str, Folded]:
    """What each category adds and drops, so that unfolding gives exactly the links of the plan.

    Raises:
        InputError: A parent is missing, or parents go in a circle.
    """
    by_id = {c.id: c for c in plan.categories}
    check_tree(by_id)
    return {c.id: _folded(c, by_id.get(c.parent or "")) for c in plan.categories}


def _folded(category: PlannedCategory, parent: PlannedCategory | None) -> Folded:
    above = {} if parent is None else parent.uses
    uses = {a: need for a, need in category.uses.items() if above.get(a) != need}
    return Folded(uses, tuple(a for a in above if a not in category.uses))


def check_tree(by_id: Mapping[str, PlannedCategory]) -> None:
    """Refuses a parent that does not exist and parents in a circle, by name.

    Raises:
        InputError: There is one.
    """
    safe: set[str] = set()
    for category in by_id.values():
        path: list[str] = []
        here: str | None = category.id
        while here is not None and here not in safe:
            if here not in by_id:
                raise InputError(
                    f"the category {path[-1]} has the parent {here}, which does not exist",
                    todo="Add the parent, or correct its id.",
                )
            if here in path:
                circle = " > ".join([*path[path.index(here) :], here])
                raise InputError(f"the parents go in a circle: {circle}", todo="Take one of them out.")
            path.append(here)
            here = by_id[here].parent
        safe.update(path)


def summary(plan: Plan, folded: Mapping[str, Folded]) -> Iterator[str]:
    """What was folded, and what is doubtful."""
    links = sum(len(c.uses) for c in plan.categories)
    added, dropped = (sum(len(getattr(f, w)) for f in folded.values()) for w in ("uses", "drops"))
    yield f"categories {len(plan.categories)}, attributes {len(plan.attributes)}, links {links}"
    if added + dropped < links:
        yield f"folded into inheritance: {added} added, {dropped} dropped"
    twins = sum(
        a.values_of in c.uses and a.id in c.uses
        for a in plan.attributes
        if a.values_of is not None
        for c in plan.categories
    )
    if twins:
        yield f"in {twins} places an attribute stands beside the one whose values it takes"
    unused = len({a.id for a in plan.attributes} - {a for c in plan.categories for a in c.uses})
    if unused:
        yield f"{unused} attributes are used by no category"
    everywhere = _on_every_child(plan)
    if everywhere:
        yield f"{everywhere} times all children have an attribute that the parent lacks"
    yield from plan.remarks


def _on_every_child(plan: Plan) -> int:
    by_id = {c.id: c for c in plan.categories}
    children: dict[str, list[PlannedCategory]] = {}
    for category in plan.categories:
        if category.parent is not None:
            children.setdefault(category.parent, []).append(category)
    count = 0
    for parent, below in children.items():
        shared = Counter(a for c in below for a in c.uses)
        count += sum(n == len(below) > 1 and a not in by_id[parent].uses for a, n in shared.items())
    return count
