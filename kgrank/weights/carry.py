"""Learned weights under a new version of the ontology: what still means the same is kept, the rest left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kgrank.errors import WeightsError
from kgrank.graph.schema import UNBOUNDED, split_value_id, value_id
from kgrank.ontology.effect import Cell, effect, says, why_not
from kgrank.ontology.model import AttributeType, Ontology, current
from kgrank.ontology.sentences import sentence
from kgrank.ontology.units import convert
from kgrank.weights.model import (
    AttributeWeight,
    CategoryWeights,
    LearnedWeights,
    Population,
    RuleFinding,
    Segment,
    SegmentTastes,
    Utility,
)

_RANGE = re.compile(r"(\S+) to ([^\s,]+)")


@dataclass(frozen=True)
class Carried:
    """Weights of the new version, and what became of the cells of the old.

    Attributes:
        weights: They belong to the new ontology.
        kept: Cells whose weights are unchanged.
        renamed: Cells that have another name now.
        rescaled: Cells that have another unit now.
        left_out: Cells whose weights are left out, each with the reason.
        values: Utilities that are left out because their value is no longer there.
        findings: Rules whose findings are left out because they say something else now.
    """

    weights: LearnedWeights
    kept: tuple[Cell, ...] = ()
    renamed: Mapping[Cell, Cell] = field(default_factory=dict)
    rescaled: tuple[Cell, ...] = ()
    left_out: Mapping[Cell, str] = field(default_factory=dict)
    values: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


def carry(weights: LearnedWeights, old: Ontology, new: Ontology) -> Carried:
    """The weights that ``new`` can be served with.

    Shares are renormalised where an attribute of a category is left out. A category of which nothing is left has
    no weights, and a ranking of it says so.

    Args:
        weights: Learned under ``old``.
        old: Their ontology.
        new: What it has become.

    Raises:
        WeightsError: The weights do not belong to ``old``, or nothing of them is left.
    """
    if weights.ontology != old.fingerprint:
        raise WeightsError(
            f"weights {weights.version} belong to the ontology with fingerprint {weights.ontology}",
            expected=f"those of the old version, fingerprint {old.fingerprint} (version {old.version})",
            todo="Name the version that they were learned with, a folder or REVISION:FOLDER.",
        )
    reach = effect(old, new)
    targets: dict[Cell, Cell] = {c: c for c in (*reach.kept, *reach.prior, *reach.rescaled)} | dict(
        reach.renamed
    )
    has = {(c.category, a.attribute) for c in weights.categories.values() for a in c.attributes}
    move = _Move(old, new, {c: t for c, t in targets.items() if c in has})
    categories = dict(_categories(weights, move))
    if not categories:
        raise WeightsError(
            f"nothing of weights {weights.version} means the same in version {new.version}",
            todo="Train on the graph with the new ontology: `kgrank train`.",
        )
    named = {f.rule for f in weights.findings}
    findings = tuple(_findings(weights.findings, old, new))
    same = {f.rule for f in findings}
    changed = replace(
        weights,
        version=f"{weights.version.removesuffix('-' + old.fingerprint[:6])}-{new.fingerprint[:6]}",
        ontology=new.fingerprint,
        categories=categories,
        findings=findings,
        conflicts=tuple(
            c
            for c in weights.conflicts
            if same.issuperset(c.rules) and set(c.categories) <= set(new.categories)
        ),
        population=_population(weights.population, move),
        notes=(*weights.notes, f"Carried over from {weights.version}, ontology version {old.version}."),
    )
    plain = {*reach.kept, *reach.prior} & has
    return Carried(
        weights=changed,
        kept=tuple(c for c in targets if c in plain),
        renamed={c: t for c, t in reach.renamed.items() if c in has},
        rescaled=tuple(c for c in reach.rescaled if c in has),
        left_out={c: why_not(c, reach, old, new) for c in sorted(has - set(targets))},
        values=tuple(sorted(move.lost)),
        findings=tuple(sorted(named - same)),
    )


class _Move:
    """Where cells, values and numbers go; remembers the values that are lost."""

    def __init__(self, old: Ontology, new: Ontology, targets: Mapping[Cell, Cell]) -> None:
        self.old, self.new, self.targets = old, new, targets
        self.lost: set[str] = set()

    def node(self, node: str, attribute: str) -> str | None:
        """An AttributeValue id under the attribute's new name; None where the value is no longer there."""
        _, value = split_value_id(node)
        there = self.new.attributes[attribute]
        if there.type in (AttributeType.NUMBER, AttributeType.BOOLEAN) or there.open or value in there.values:
            return value_id(attribute, value)
        instead = current(value, self.new.values)
        if instead in there.values:
            return value_id(attribute, instead)
        self.lost.add(node)
        return None

    def line(self, before: str, after: str) -> tuple[float, float]:
        """Slope and intercept from an attribute's old unit to its new one."""
        a, b = self.old.attributes[before], self.new.attributes[after]
        if a.unit is None or b.unit is None or a.unit == b.unit:
            return 1.0, 0.0
        zero = convert(0.0, a.unit, b.unit)
        return convert(1.0, a.unit, b.unit) - zero, zero


def _categories(weights: LearnedWeights, move: _Move) -> Iterator[tuple[str, CategoryWeights]]:
    for category in weights.categories.values():
        goes = {
            a.attribute: move.targets[category.category, a.attribute]
            for a in category.attributes
            if (category.category, a.attribute) in move.targets
        }
        if goes:
            target = next(iter(goes.values()))[0]
            yield target, _category(category, target, {a: t for a, (_, t) in goes.items()}, move)


def _category(
    category: CategoryWeights, target: str, goes: Mapping[str, str], move: _Move
) -> CategoryWeights:
    kept_weights = [a for a in category.attributes if a.attribute in goes]
    attributes = tuple(
        _shares(kept_weights, [_weight(a, goes[a.attribute], move) for a in kept_weights], category)
    )
    return replace(
        category,
        category=target,
        attributes=attributes,
        utilities=tuple(_utilities(category.utilities, goes, move)),
        strength=sum(a.spread for a in attributes),
    )


def _weight(weight: AttributeWeight, attribute: str, move: _Move) -> AttributeWeight:
    slope, intercept = move.line(weight.attribute, attribute)
    reference = weight.reference
    if (slope, intercept) != (1.0, 0.0):
        # The range is a text: its two ends are the only numbers that have a unit.
        def ends(match: re.Match[str]) -> str:
            return " to ".join(f"{slope * float(end) + intercept:g}" for end in match.groups())

        reference = _RANGE.sub(ends, reference, count=1)
    return replace(weight, attribute=attribute, reference=reference)


def _shares(
    old_weights: list[AttributeWeight], carried: list[AttributeWeight], category: CategoryWeights
) -> Iterator[AttributeWeight]:
    """The kept weights, their shares brought back to a sum of 1 where others are left out."""
    if len(old_weights) == len(category.attributes):
        yield from carried
        return

    def total(name: str) -> float:
        return sum(getattr(a, name) or 0.0 for a in carried)

    sums = {name: total(name) or 1.0 for name in ("share", "full", "shoppers", "without_rules")}
    for a in carried:
        yield replace(
            a,
            share=a.share / sums["share"],
            lower=a.lower / sums["share"],
            upper=min(1.0, a.upper / sums["share"]),
            full=a.full / sums["full"],
            shoppers=None if a.shoppers is None else a.shoppers / sums["shoppers"],
            without_rules=None if a.without_rules is None else a.without_rules / sums["without_rules"],
        )


def _utilities(utilities: Iterable[Utility], goes: Mapping[str, str], move: _Move) -> Iterator[Utility]:
    seen = set()
    for utility in utilities:
        attribute, _ = split_value_id(utility.node)
        node = move.node(utility.node, goes[attribute]) if attribute in goes else None
        # Of two values that have become one, the one that was called so already stays.
        if node is None or node in seen:
            continue
        seen.add(node)
        segments = tuple(_segment(s, *move.line(attribute, goes[attribute])) for s in utility.segments)
        yield replace(utility, node=node, segments=segments)


def _segment(segment: Segment, slope: float, offset: float) -> Segment:
    """The same contribution as a function of slope · number + offset."""
    if (slope, offset) == (1.0, 0.0):
        return segment

    def end(number: float) -> float:
        return number if abs(number) >= UNBOUNDED else slope * number + offset

    per = segment.slope / slope
    return Segment(end(segment.start), end(segment.stop), segment.intercept - per * offset, per)


def _findings(findings: Iterable[RuleFinding], old: Ontology, new: Ontology) -> Iterator[RuleFinding]:
    for finding in findings:
        rule = new.rules.get(finding.rule)
        if rule is not None and finding.rule in old.rules and says(old.rules[finding.rule]) == says(rule):
            yield replace(finding, sentence=sentence(rule, new))


def _population(population: Population, move: _Move) -> Population:
    """The columns of attributes that are still there; one that some categories keep stays under its name."""
    new_names: dict[str, set[str]] = {}
    for (_, before), (_, after) in move.targets.items():
        new_names.setdefault(before, set()).add(after)
    columns: dict[str, int] = {}
    # A scale is in the attribute's unit, everything else in units of a column.
    scales = list(population.scales)
    for column_number, column in enumerate(population.columns):
        attribute, value = split_value_id(column)
        if not value:  # The outside option.
            columns[column] = column_number
            continue
        targets = new_names.get(attribute)
        if targets is None:
            continue
        name = attribute if attribute in targets else min(targets)
        node = move.node(column, name)
        if node is not None and node not in columns:
            columns[node] = column_number
            if scales:
                scales[column_number] *= abs(move.line(attribute, name)[0])
    picked = list(columns.values())

    def part(matrix: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(matrix[i][j] for j in picked) for i in picked) if matrix else ()

    return Population(
        columns=tuple(columns),
        covariance=part(population.covariance),
        mean=tuple(population.mean[i] for i in picked) if population.mean else (),
        within=part(population.within),
        scales=tuple(scales[i] for i in picked) if scales else (),
        segments={
            segment: SegmentTastes(
                tuple(tastes.mean[i] for i in picked), part(tastes.covariance), tastes.people
            )
            for old, tastes in population.segments.items()
            if (segment := current(old, move.new.segments)) in move.new.segments
        },
        between_segments=population.between_segments,
    )
