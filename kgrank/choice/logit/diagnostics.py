"""What in the data of a category its weights cannot be better than, with one function a cause.

Nothing here changes a fit: part-worths stay finite by their prior. ``docs/data-problems.md`` says what each cause
does to weights, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy import linalg, sparse

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.data.design import RARE_SHARE, Block, Design, Layout
from kgrank.choice.intervals import contrasts_of
from kgrank.choice.logit.choice_sets import POSITION, CategoryChoices
from kgrank.choice.logit.choices import Choices
from kgrank.graph.schema import split_value_id
from kgrank.ontology.model import AttributeType
from kgrank.weights.model import Cause, Concern

SURPRISE = np.log(1e-4)
"""Log-probability by chance from which "always" or "never" is no accident."""

TOGETHER = 0.95
"""Squared correlation from which two attributes are hardly told apart: errors are 4.5 times as large."""

FEW = 10
"""Choices below which a category is thin whatever it has."""

OWN_PEOPLE = 2.0
"""Effective number of people below which one person speaks for all."""

MANY = 100
"""Values from which an attribute may be too finely cut."""

APART = 30.0
"""Ratio of two groups' medians from which their ranges, if disjoint, are of different units."""

FEWEST = 3
"""Items that make a group."""


def concerns(sets: Mapping[str, CategoryChoices]) -> tuple[Concern, ...]:
    """All that is wrong with the data of some categories, by category and cause."""
    found: list[Concern] = []
    for some in sets.values():
        items = _of_items(some)
        found += few_choices(some)
        found += one_person(some)
        found += many_values(some.design)
        found += mixed_units(some.design)
        if len(items):
            layout = some.design.layout
            still = {c.attribute: c for c in never_varies(layout, items)}
            found += still.values()
            found += [c for c in separated(layout, items) if c.attribute not in still]
            found += collinear(layout, items)
            found += always_at_one_position(layout, items, some.nuisance)
    return tuple(found)


def _of_items(some: CategoryChoices) -> Choices:
    """The choices among items: no ratings, no words of a search."""
    which = np.minimum.reduceat(some.item_row, some.choices.start[:-1]) >= 0
    if some.choices.rated is not None:
        which &= ~some.choices.rated
    found = some.choices.take(which)
    return replace(found, rated=None)


def few_choices(some: CategoryChoices) -> tuple[Concern, ...]:
    """Fewer choices than part-worths that they have to tell."""
    layout, count = some.design.layout, len(some.choices)
    free = sum(max(len(b.nodes) - 1, 1) for b in layout.blocks)
    if count >= max(FEW, free):
        return ()
    text = (
        f"{_number(count, 'choice')} for {_number(free, 'part-worth')}: the weights rest on other categories and "
        "on rules, else on next to nothing"
    )
    return (Concern(Cause.FEW_CHOICES, layout.category, None, text),)


def one_person(some: CategoryChoices) -> tuple[Concern, ...]:
    """One person behind nearly all choices; by Kish's effective number, (Σ n)² / Σ n²."""
    people, own = np.unique(some.choices.person, return_counts=True)
    effective = own.sum() ** 2 / (own**2).sum()
    if effective >= OWN_PEOPLE or len(some.choices) < FEW:
        return ()
    text = (
        f"{own.max():,} of {_number(len(some.choices), 'choice')} are one person's"
        + (f", of {len(people):,} people" if len(people) > 1 else "")
        + ": the weights are theirs, and the intervals say nothing of other people"
    )
    return (Concern(Cause.ONE_PERSON, some.design.layout.category, None, text),)


def many_values(design: Design) -> tuple[Concern, ...]:
    """An attribute with many values, most of whose items have one too rare for its range."""
    found = []
    for block in design.layout.blocks:
        counted = float(block.item_count[block.reference].sum() / max(block.item_count.sum(), 1))
        several, values = int(block.reference.sum()), len(block.nodes) + block.left_out
        if block.number or values < MANY or (counted > 0.5 and not block.left_out):
            continue
        text = (
            f"has {values:,} values, {values - several:,} of them on less than {RARE_SHARE:.0%} of the items: "
            f"its weight is the range over the other {several}"
            if several > 1
            else f"has {values:,} values, none on {RARE_SHARE:.0%} of the items: no range to take a weight from, "
            "so it is 0; each value's part-worth is near its prior"
        )
        if block.left_out:
            text += f"; the {block.left_out:,} rarest count as unknown"
        found.append(Concern(Cause.MANY_VALUES, design.layout.category, block.attribute, text))
    return tuple(found)


def mixed_units(design: Design) -> tuple[Concern, ...]:
    """A number that is far larger, or smaller, for one value of another attribute: cents for one brand."""
    layout, found = design.layout, []
    groups = [b for b in layout.blocks if b.type is AttributeType.CHOICE and len(b.nodes) > 1]
    for block in layout.blocks:
        if not block.number:
            continue
        rows, amounts = _amounts(design, block)
        apart = list(_apart(design, groups, rows, amounts)) if len(rows) else []
        if apart:
            # The group that is smaller stands out from the rest, not the rest from it.
            _, node, ratio = min(apart)
            attribute, value = split_value_id(node)
            times = f"{ratio:,.0f} times as large" if ratio > 1 else f"1/{1 / ratio:,.0f} as large"
            text = (
                f"is {times} for {attribute} {value} as for the others, with nothing between: another unit?"
            )
            found.append(Concern(Cause.MIXED_UNITS, layout.category, block.attribute, text))
    return tuple(found)


def _amounts(design: Design, block: Block) -> tuple[Ints, Floats]:
    """The items that have a positive number, and it."""
    column = design.raw[:, [block.start]].tocoo()
    amounts = column.data * block.scale + block.centre
    return column.row[amounts > 0].astype(np.int64), amounts[amounts > 0]


def _apart(
    design: Design, groups: Sequence[Block], rows: Ints, amounts: Floats
) -> Iterator[tuple[int, str, float]]:
    """Size, node and ratio of medians of each group whose amounts are all far from all others'."""
    for group in groups:
        has = design.raw[rows][:, group.columns].tocsc()
        for k, node in enumerate(group.nodes):
            own = np.zeros(len(rows), bool)
            own[has.indices[has.indptr[k] : has.indptr[k + 1]]] = True
            if min(own.sum(), (~own).sum()) < FEWEST:
                continue
            inside, outside = amounts[own], amounts[~own]
            ratio = float(np.median(inside) / np.median(outside))
            disjoint = inside.min() > outside.max() or inside.max() < outside.min()
            if disjoint and max(ratio, 1 / ratio) >= APART:
                yield int(own.sum()), node, ratio


def never_varies(layout: Layout, choices: Choices) -> tuple[Concern, ...]:
    """An attribute that is the same for all items of each choice."""
    found = []
    generator = np.random.default_rng(0)
    for block in layout.blocks:
        # Items with the same values have the same number, others almost surely not.
        number = choices.raw[:, block.columns] @ generator.normal(size=len(block.nodes))
        if _range(choices, np.round(number, 9)).any():
            continue
        text = (
            "never differs between the items of a choice: the choices say nothing of it, "
            + ("but that something was taken at all, " if choices.outside.any() else "")
            + "and its weight is what its prior says"
        )
        found.append(Concern(Cause.CONSTANT, layout.category, block.attribute, text))
    return tuple(found)


def _range(choices: Choices, rows: Floats) -> Floats:
    """(choices,) largest less smallest over the rows of each choice."""
    first = choices.start[:-1]
    return np.asarray(np.maximum.reduceat(rows, first) - np.minimum.reduceat(rows, first))


def separated(layout: Layout, choices: Choices) -> tuple[Concern, ...]:
    """Values that are always, or never, chosen when they stand beside others: part-worths without an end."""
    always, never = _extremes(layout, choices)
    found = []
    for block in layout.blocks:
        if block.number:
            continue
        for word, which in (("always", always), ("never", never)):
            values = [split_value_id(n)[1] for n in np.array(block.nodes)[which[block.columns]]]
            if values:
                text = (
                    f"{_listed(values)} {'was' if len(values) == 1 else 'were'} {word} chosen when beside other "
                    "values: the data set no end to the part-worth, the prior does"
                )
                found.append(Concern(Cause.SEPARATION, layout.category, block.attribute, text))
    for block in layout.blocks:
        if block.number:
            found += _always_first(layout, block, choices)
    return tuple(found)


def _extremes(layout: Layout, choices: Choices) -> tuple[Truths, Truths]:
    """(columns,) whether a value was always, or never, taken where it stood beside others."""
    has = sparse.csr_matrix(choices.raw[:, : layout.width] != 0, dtype=float)
    size = np.diff(choices.start) + choices.outside
    by_choice = sparse.csr_matrix(
        (np.ones(len(choices.choice)), np.arange(len(choices.choice)), choices.start)
    )
    offered = (by_choice @ has).tocoo()
    taken = (by_choice @ sparse.diags(choices.chosen) @ has).tocsr()
    share = offered.data / size[offered.row]
    took = np.asarray(taken[offered.row, offered.col]).ravel() / np.maximum(choices.total[offered.row], 1e-12)
    contested = share < 1
    column, share, took = offered.col[contested], share[contested], took[contested]

    def surprising(fits: Truths, chance: Floats) -> Truths:
        broken = np.bincount(column, ~fits, layout.width)
        return np.asarray((broken == 0) & (np.bincount(column, chance, layout.width) < SURPRISE))

    return (
        surprising(took > 1 - 1e-9, np.log(share)),
        surprising(took == 0, np.log1p(-share)),
    )


def _always_first(layout: Layout, block: Block, choices: Choices) -> Iterator[Concern]:
    """A number whose least, or greatest, was chosen every time."""
    rows = np.asarray(choices.raw[:, [block.start]].todense()).ravel()
    first, differ = choices.start[:-1], _range(choices, rows) > 1e-9
    for word, sign in (("smallest", 1.0), ("largest", -1.0)):
        end = np.minimum.reduceat(sign * rows, first)[choices.choice]
        at_end = sign * rows <= end + 1e-9
        took = np.add.reduceat(choices.chosen * at_end, first)
        share = np.add.reduceat(at_end.astype(float), first) / (np.diff(choices.start) + choices.outside)
        if (took[differ] < choices.total[differ]).any() or np.log(share[differ]).sum() >= SURPRISE:
            continue
        text = f"the {word} was chosen every time: the data set no end to the slope, the prior does"
        yield Concern(Cause.SEPARATION, layout.category, block.attribute, text)


def collinear(layout: Layout, choices: Choices) -> tuple[Concern, ...]:
    """Pairs of attributes that go together: the largest canonical correlation of their columns within choices."""
    basis, sizes = contrasts_of(layout)
    even, _ = choices.probabilities(np.zeros(len(choices.chosen)))
    reduced = replace(choices, centring=choices.centring[:, : layout.width] @ basis)
    information = reduced.information(even)
    stops = np.cumsum(sizes)
    parts = [slice(b - n, b) for b, n in zip(stops.tolist(), sizes, strict=True)]
    roots = [_root(information[p, p]) for p in parts]
    found = []
    for a, one in enumerate(parts):
        for b, other in enumerate(parts[:a]):
            across = roots[a].T @ information[one, other] @ roots[b]
            if not across.size:
                continue
            together = float(np.linalg.norm(across, 2)) ** 2
            if together >= TOGETHER:
                first, second = layout.blocks[b].attribute, layout.blocks[a].attribute
                text = (
                    f"goes together with {second} (squared correlation within choices {min(together, 1):.3f}): "
                    "their sum is known well, how it divides between the two is not"
                )
                found.append(Concern(Cause.COLLINEAR, layout.category, first, text))
    return tuple(found)


def always_at_one_position(layout: Layout, choices: Choices, nuisance: Sequence[str]) -> tuple[Concern, ...]:
    """Attributes that say where on the screen an item stands: being seen is not told apart from being liked."""
    places = [layout.width + k for k, name in enumerate(nuisance) if name.startswith(POSITION)]
    if not places:
        return ()
    basis, sizes = contrasts_of(layout)
    even, _ = choices.probabilities(np.zeros(len(choices.chosen)))
    whole = choices.information(even)
    root = _root(whole[np.ix_(places, places)])
    stops = np.cumsum(sizes)
    found = []
    for block, stop, size in zip(layout.blocks, stops.tolist(), sizes, strict=True):
        own = basis[:, stop - size : stop]
        inside = _root(own.T @ whole[: layout.width, : layout.width] @ own)
        across = inside.T @ own.T @ whole[: layout.width, places] @ root
        together = float(np.linalg.norm(across, 2)) ** 2 if across.size else 0.0
        if together >= TOGETHER:
            text = (
                f"goes with the place on the screen (squared correlation within choices {min(together, 1):.3f}): "
                "being seen is hardly told apart from being liked; data.examination gives what is known of places"
            )
            found.append(Concern(Cause.FIXED_POSITION, layout.category, block.attribute, text))
    return tuple(found)


def _root(information: Floats) -> Floats:
    """Takes contrasts to unit information, and leaves out those without any."""
    if not information.size:
        return information
    values, vectors = linalg.eigh(information)
    kept = values > 1e-9 * max(values.max(), 1e-12)
    return np.asarray(vectors[:, kept] / np.sqrt(values[kept]))


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _listed(values: Sequence[str]) -> str:
    if len(values) <= 3:
        return " and ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)
    return f"{', '.join(values[:3])} and {len(values) - 3:,} more"
