"""What a new version of the ontology does to learned weights.

A weight belongs to a cell: a category and an attribute that applies there, by their ids. Names are never keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from kgrank.errors import InputError
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import Attribute, AttributeType, Category, Ontology, Rule
from kgrank.ontology.units import convert

Cell = tuple[str, str]


@dataclass(frozen=True)
class Effect:
    """Every cell of the old version is in exactly one of the first seven; ``new`` are those of the new version.

    A cell that is ``joined`` maps to one that exists already, which is kept.
    """

    kept: tuple[Cell, ...] = ()
    renamed: Mapping[Cell, Cell] = field(default_factory=dict)
    joined: Mapping[Cell, Cell] = field(default_factory=dict)
    rescaled: Mapping[Cell, float] = field(default_factory=dict)
    prior: tuple[Cell, ...] = ()
    stale: tuple[Cell, ...] = ()
    gone: tuple[Cell, ...] = ()
    new: tuple[Cell, ...] = ()


def effect(old: Ontology, new: Ontology) -> Effect:
    """What becomes of each weight."""
    moved, ruled = _moved(old, new), _ruled(old, new)
    meaning = cache(lambda a, b: _meaning(old.attributes[a], new.attributes.get(b)))
    kept: list[Cell] = []
    prior: list[Cell] = []
    stale: list[Cell] = []
    gone: list[Cell] = []
    renamed: dict[Cell, Cell] = {}
    joined: dict[Cell, Cell] = {}
    rescaled: dict[Cell, float] = {}
    before, after = set(cells(old)), set(cells(new))
    reached: set[Cell] = set()
    heirs = {c: c for c in old.categories}
    for cell in cells(old):
        target = _target(cell, old, new, after)
        if target is None:
            gone.append(cell)
            continue
        taken = target in before or target in reached or heirs.setdefault(target[0], cell[0]) != cell[0]
        reached.add(target)
        means = meaning(cell[1], target[1])
        if means is None or (target[0] == cell[0] and cell[0] in moved):
            stale.append(cell)
        elif target != cell:
            (joined if taken else renamed)[cell] = target
        elif means != 1.0:
            rescaled[cell] = means
        else:
            (prior if cell in ruled else kept).append(cell)
    fresh = tuple(c for c in cells(new) if c not in reached and c not in before)
    return Effect(
        kept=tuple(kept),
        renamed=renamed,
        joined=joined,
        rescaled=rescaled,
        prior=tuple(prior),
        stale=tuple(stale),
        gone=tuple(gone),
        new=fresh,
    )


def why_not(cell: Cell, reach: Effect, old: Ontology, new: Ontology) -> str:
    """Why the weight of a cell is not carried over, in words."""
    category, attribute = cell
    if cell in reach.joined:
        return f"{'/'.join(reach.joined[cell])} has weights of its own"
    heir = _replacement(category, old.categories, new.categories)
    here = new.attributes.get(_replacement(attribute, old.attributes, new.attributes))
    if heir not in new.categories:
        return "the category is gone"
    if here is None:
        return "the attribute is gone"
    if not {here.id, attribute} & set(new.applicable(heir)):
        return f"{heir} does not have {here.id}"
    reason = _unlike(old.attributes[attribute], here) if attribute in old.attributes else None
    return reason or f"the category has moved below {new.categories[heir].parent or 'nothing'}"


def cells(ontology: Ontology) -> Iterator[Cell]:
    """All categories with all attributes that apply there."""
    return ((c, a) for c in ontology.categories for a in ontology.applicable(c))


def _target(cell: Cell, old: Ontology, new: Ontology, after: set[Cell]) -> Cell | None:
    """Where a weight goes: to what replaces its category or attribute, else it stays; None where it ends."""
    category = _replacement(cell[0], old.categories, new.categories)
    attribute = _replacement(cell[1], old.attributes, new.attributes)
    for target in ((category, attribute), (category, cell[1])):
        if target in after:
            return target
    return None


def _replacement(
    id_: str,
    old: Mapping[str, Category] | Mapping[str, Attribute],
    new: Mapping[str, Category] | Mapping[str, Attribute],
) -> str:
    """The replacement of a term that the new version deprecates; otherwise the term itself."""
    seen = [id_]
    while (here := new.get(seen[-1])) is not None and here.deprecated and here.replaced_by:
        before = old.get(seen[-1])
        if (before is not None and before.deprecated) or here.replaced_by in seen:
            break
        seen.append(here.replaced_by)
    return seen[-1]


def _moved(old: Ontology, new: Ontology) -> set[str]:
    """Categories with another way to the top."""
    known: dict[str, bool] = {}

    def is_moved(category: str) -> bool:
        if category not in known:
            before, after = old.categories[category].parent, new.categories[category].parent
            known[category] = before != after or (
                before is not None and before in new.categories and is_moved(before)
            )
        return known[category]

    return {c for c in old.categories if c in new.categories and is_moved(c)}


def _meaning(old: Attribute, new: Attribute | None) -> float | None:
    """The factor from the old to the new meaning of an attribute; None where the two cannot be compared."""
    if new is None:
        return 1.0
    return None if _unlike(old, new) else _factor(old.unit, new.unit)


def _unlike(old: Attribute, new: Attribute) -> str | None:
    """Why the weights of one attribute mean nothing of another; None where they can be compared."""
    common = [v for v in old.values if v in new.values]
    if old.type is not new.type:
        return f"{new.id} is of type {new.type}, not {old.type}"
    if _factor(old.unit, new.unit) is None:
        return f"{new.id} is in {new.unit}, not {old.unit}"
    if old.values and not common and not old.open:
        return f"{new.id} has none of its values"
    if old.type is AttributeType.ORDERED and common != [v for v in new.values if v in old.values]:
        return f"the values of {new.id} are in another order"
    return None


def _factor(old: str | None, new: str | None) -> float | None:
    if old == new:
        return 1.0
    if old is None or new is None:
        return None
    try:
        # Of temperatures only the slope counts: where zero lies is part of the constant.
        return convert(1.0, old, new) - convert(0.0, old, new)
    except InputError:
        return None


def _ruled(old: Ontology, new: Ontology) -> set[Cell]:
    """The cells of rules that are new, changed or removed."""
    affected: set[Cell] = set()
    for rule_id in old.rules.keys() | new.rules.keys():
        before, after = old.rules.get(rule_id), new.rules.get(rule_id)
        if before is None or after is None or says(before) != says(after):
            for ontology, rule in ((old, before), (new, after)):
                if rule is not None and rule_kind(rule.kind).acts_on_weights:
                    affected.update((c, a) for c in ontology.scope(rule) for a in speaks_of(rule, ontology))
    return affected


def says(rule: Rule) -> dict[str, object]:
    """What a rule means: all but who wrote it, when and why."""
    return {k: v for k, v in vars(rule).items() if k not in ("because", "creator", "created", "iri")}


def speaks_of(rule: Rule, ontology: Ontology) -> tuple[str, ...]:
    """The attributes that a rule is about; of values that are the same, those that list them."""
    if not rule.members:
        return rule.attributes
    named = tuple(m for m in rule.members if m in ontology.attributes)
    return named or tuple(a.id for a in ontology.attributes.values() if set(rule.members) & set(a.values))
