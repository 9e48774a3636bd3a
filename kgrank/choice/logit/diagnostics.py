"""Diagnostics of the data of a category: separation, collinearity and other causes of poor weights.

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
from kgrank.choice.data.responses import USUAL_TIMES
from kgrank.choice.logit.choice_sets import POSITION, CategoryChoices
from kgrank.choice.logit.likelihood import Choices
from kgrank.choice.share_intervals import contrasts_of
from kgrank.graph.schema import split_value_id
from kgrank.ontology.model import AttributeType
from kgrank.weights.model import Cause, Concern

SURPRISE = np.log(1e-4)
"""Log-probability by chance from which "always" or "never" is no accident."""

TOGETHER = 0.95
"""Squared correlation from which two attributes count as collinear: errors are 4.5 times as large."""

FEW = 10
"""Choices below which a category is thin whatever it has."""

OWN_PEOPLE = 2.0
"""Effective number of people below which the weights are one person's."""

BUSY_SHARE, BUSY_TIMES = 0.2, 10.0
"""Share of the choices, and times those of the median person, from which one person has too many."""

MANY = 100
"""Values from which an attribute may be too finely cut."""

APART = 30.0
"""Ratio of two groups' medians from which their ranges, if disjoint, are of different units."""

ROUNDING = 1e-9
"""In units of a column: a number up to which it is 0."""

FEWEST = 3
"""Items that make a group."""


def concerns(sets: Mapping[str, CategoryChoices]) -> tuple[Concern, ...]:
    """All problems in the data of the given categories, by category and cause."""
    all_concerns: list[Concern] = []
    for category_choices in sets.values():
        items = _item_choices(category_choices)
        all_concerns += few_choices(category_choices)
        all_concerns += one_person(category_choices)
        all_concerns += many_values(category_choices.design)
        all_concerns += mixed_units(category_choices.design)
        all_concerns += outliers(category_choices)
        if len(items):
            layout = category_choices.design.layout
            constant = {c.attribute: c for c in never_varies(layout, items)}
            all_concerns += constant.values()
            all_concerns += [c for c in separated(layout, items) if c.attribute not in constant]
            all_concerns += collinear(layout, items)
            all_concerns += always_at_one_position(layout, items, category_choices.nuisance)
    return tuple(all_concerns)


def _item_choices(category_choices: CategoryChoices) -> Choices:
    """The choices among items: no ratings, no words of a search."""
    selected = np.minimum.reduceat(category_choices.item_row, category_choices.choices.start[:-1]) >= 0
    if category_choices.choices.rated is not None:
        selected &= ~category_choices.choices.rated
    choices = category_choices.choices.take(selected)
    return replace(choices, rated=None)


def few_choices(category_choices: CategoryChoices) -> tuple[Concern, ...]:
    """Fewer choices than part-worths to estimate."""
    layout, count = category_choices.design.layout, len(category_choices.choices)
    parameter_count = sum(max(len(b.nodes) - 1, 1) for b in layout.blocks)
    if count >= max(FEW, parameter_count):
        return ()
    text = (
        f"{_number(count, 'choice')} for {_number(parameter_count, 'part-worth')}: the weights rest on other "
        "categories and on rules, else on next to nothing"
    )
    return (Concern(Cause.FEW_CHOICES, layout.category, None, text),)


def one_person(category_choices: CategoryChoices) -> tuple[Concern, ...]:
    """One person behind nearly all choices, by Kish's effective number, (Σ n)² / Σ n²; or behind far too many."""
    people, choices_of_person = np.unique(category_choices.choices.person, return_counts=True)
    effective = choices_of_person.sum() ** 2 / (choices_of_person**2).sum()
    most = choices_of_person.max(initial=0)
    busy = most >= BUSY_SHARE * choices_of_person.sum() and most >= BUSY_TIMES * np.median(choices_of_person)
    if len(category_choices.choices) < FEW or not (effective < OWN_PEOPLE or busy):
        return ()
    follows = (
        "the weights are theirs, and the intervals say nothing of other people"
        if effective < OWN_PEOPLE
        else "the weights lean to their tastes, and the intervals are too narrow for other people"
    )
    text = (
        f"{choices_of_person.max():,} of {_number(len(category_choices.choices), 'choice')} are one person's"
        + (f", of {len(people):,} people" if len(people) > 1 else "")
        + f": {follows}"
    )
    return (Concern(Cause.ONE_PERSON, category_choices.design.layout.category, None, text),)


def outliers(category_choices: CategoryChoices) -> tuple[Concern, ...]:
    """Numbers and quantities so far from the others that they do not count, or not whole (docs/decisions)."""
    layout, choices, problems = category_choices.design.layout, category_choices.choices, []
    for block in layout.blocks:
        least, most = block.bounds
        for extreme, beyond in (
            (block.maximum, block.maximum > most),
            (block.minimum, block.minimum < least),
        ):
            if block.number and beyond:
                text = (
                    f"is {extreme:,.10g} for an item, and {block.p05:,.10g} to {block.p95:,.10g} for nine in ten: "
                    "it counts as unknown while weights are learned"
                )
                problems.append(Concern(Cause.OUTLIER, layout.category, block.attribute, text))
    unrated = np.ones(len(choices), bool) if choices.rated is None else ~choices.rated
    units = choices.total[unrated]
    usual = float(np.median(units)) if len(units) else 0.0
    if len(units) and units.max() >= USUAL_TIMES * usual > 0:
        text = (
            f"one choice counts {units.max():,.4g} units, and the median choice {usual:,.4g}: larger quantities "
            "are bounded to this"
        )
        problems.append(Concern(Cause.OUTLIER, layout.category, None, text))
    return tuple(problems)


def many_values(design: Design) -> tuple[Concern, ...]:
    """An attribute with many values, most of whose items have one too rare for its range."""
    problems = []
    for block in design.layout.blocks:
        reference_share = float(block.item_count[block.reference].sum() / max(block.item_count.sum(), 1))
        reference_values, values = int(block.reference.sum()), len(block.nodes) + block.left_out
        if block.number or values < MANY or (reference_share > 0.5 and not block.left_out):
            continue
        text = (
            f"has {values:,} values, {values - reference_values:,} of them on less than {RARE_SHARE:.0%} of the "
            f"items: its weight is the range over the other {reference_values}"
            if reference_values > 1
            else f"has {values:,} values, none on {RARE_SHARE:.0%} of the items: no range to take a weight from, "
            "so it is 0; each value's part-worth is near its prior"
        )
        if block.left_out:
            text += f"; the {block.left_out:,} rarest count as unknown"
        problems.append(Concern(Cause.MANY_VALUES, design.layout.category, block.attribute, text))
    return tuple(problems)


def mixed_units(design: Design) -> tuple[Concern, ...]:
    """A number that is far larger, or smaller, for one value of another attribute: cents for one brand."""
    layout, problems = design.layout, []
    groups = [b for b in layout.blocks if b.type is AttributeType.CHOICE and len(b.nodes) > 1]
    for block in layout.blocks:
        if not block.number:
            continue
        rows, numbers = _positive_numbers(design, block)
        apart = list(_disjoint_groups(design, groups, rows, numbers)) if len(rows) else []
        if apart:
            # The smaller group is the exception, not the rest.
            _, node, ratio = min(apart)
            attribute, value = split_value_id(node)
            times = f"{ratio:,.0f} times as large" if ratio > 1 else f"1/{1 / ratio:,.0f} as large"
            text = (
                f"is {times} for {attribute} {value} as for the others, with nothing between: another unit?"
            )
            problems.append(Concern(Cause.MIXED_UNITS, layout.category, block.attribute, text))
    return tuple(problems)


def _positive_numbers(design: Design, block: Block) -> tuple[Ints, Floats]:
    """The items that have a positive number, and it; none where some are below 0: such a number has no ratios."""
    column = design.raw[:, [block.start]].tocoo()
    numbers = column.data * block.scale + block.centre
    # A 0 comes back from its column as a rounding error.
    positive = numbers > ROUNDING * block.scale
    if (numbers < -ROUNDING * block.scale).any():
        positive[:] = False
    return column.row[positive].astype(np.int64), numbers[positive]


def _disjoint_groups(
    design: Design, groups: Sequence[Block], rows: Ints, numbers: Floats
) -> Iterator[tuple[int, str, float]]:
    """Size, node and ratio of medians of each group whose numbers are all far from all others'."""
    for group in groups:
        has = design.raw[rows][:, group.columns].tocsc()
        for k, node in enumerate(group.nodes):
            in_group = np.zeros(len(rows), bool)
            in_group[has.indices[has.indptr[k] : has.indptr[k + 1]]] = True
            if min(in_group.sum(), (~in_group).sum()) < FEWEST:
                continue
            inside, outside = numbers[in_group], numbers[~in_group]
            ratio = float(np.median(inside) / np.median(outside))
            disjoint = inside.min() > outside.max() or inside.max() < outside.min()
            if disjoint and max(ratio, 1 / ratio) >= APART:
                yield int(in_group.sum()), node, ratio


def never_varies(layout: Layout, choices: Choices) -> tuple[Concern, ...]:
    """An attribute that is the same for all items of each choice."""
    problems = []
    generator = np.random.default_rng(0)
    for block in layout.blocks:
        # Items with the same values have the same number, others almost surely not.
        number = choices.raw[:, block.columns] @ generator.normal(size=len(block.nodes))
        number = number if choices.row is None else number[choices.row]
        if _range(choices, np.round(number, 9)).any():
            continue
        text = (
            "never differs between the items of a choice: the choices say nothing of it, "
            + ("but that something was taken at all, " if choices.outside.any() else "")
            + "and its weight is what its prior says"
        )
        problems.append(Concern(Cause.CONSTANT, layout.category, block.attribute, text))
    return tuple(problems)


def _range(choices: Choices, rows: Floats) -> Floats:
    """(choices,) largest less smallest over the rows of each choice."""
    first = choices.start[:-1]
    return np.asarray(np.maximum.reduceat(rows, first) - np.minimum.reduceat(rows, first))


def separated(layout: Layout, choices: Choices) -> tuple[Concern, ...]:
    """Values that are always, or never, chosen when others were offered: separation (Albert and Anderson 1984)."""
    always, never = _always_or_never(layout, choices)
    problems = []
    for block in layout.blocks:
        if block.number:
            continue
        for word, extreme in (("always", always), ("never", never)):
            values = [split_value_id(n)[1] for n in np.array(block.nodes)[extreme[block.columns]]]
            if values:
                text = (
                    f"{_enumerated(values)} {'was' if len(values) == 1 else 'were'} {word} chosen when beside "
                    "other values: the data set no end to the part-worth, the prior does"
                )
                problems.append(Concern(Cause.SEPARATION, layout.category, block.attribute, text))
    for block in layout.blocks:
        if block.number:
            problems += _always_first(layout, block, choices)
    return tuple(problems)


def _always_or_never(layout: Layout, choices: Choices) -> tuple[Truths, Truths]:
    """(columns,) whether a value was always, or never, chosen over others."""
    has = sparse.csr_matrix(choices.expanded[:, : layout.width] != 0, dtype=float)
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

    def surprising(agrees: Truths, log_chance: Floats) -> Truths:
        broken = np.bincount(column, ~agrees, layout.width)
        return np.asarray((broken == 0) & (np.bincount(column, log_chance, layout.width) < SURPRISE))

    return (
        surprising(took > 1 - 1e-9, np.log(share)),
        surprising(took == 0, np.log1p(-share)),
    )


def _always_first(layout: Layout, block: Block, choices: Choices) -> Iterator[Concern]:
    """A number whose least, or greatest, was chosen every time."""
    rows = choices.times(np.eye(1, choices.raw.shape[1], block.start)[0])
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
    equal_shares, _ = choices.probabilities(np.zeros(len(choices.chosen)))
    reduced = replace(choices, centring=choices.centring[:, : layout.width] @ basis)
    information = reduced.information(equal_shares)
    stops = np.cumsum(sizes)
    parts = [slice(b - n, b) for b, n in zip(stops.tolist(), sizes, strict=True)]
    roots = [_inverse_root(information[p, p]) for p in parts]
    problems = []
    for a, first_part in enumerate(parts):
        for b, second_part in enumerate(parts[:a]):
            across = roots[a].T @ information[first_part, second_part] @ roots[b]
            if not across.size:
                continue
            together = float(np.linalg.norm(across, 2)) ** 2
            if together >= TOGETHER:
                first, second = layout.blocks[b].attribute, layout.blocks[a].attribute
                text = (
                    f"goes together with {second} (squared correlation within choices {min(together, 1):.3f}): "
                    "their sum is known well, how it divides between the two is not"
                )
                problems.append(Concern(Cause.COLLINEAR, layout.category, first, text))
    return tuple(problems)


def always_at_one_position(layout: Layout, choices: Choices, nuisance: Sequence[str]) -> tuple[Concern, ...]:
    """Attributes that determine the position on the screen: examination is confounded with taste."""
    position_columns = [layout.width + k for k, name in enumerate(nuisance) if name.startswith(POSITION)]
    if not position_columns:
        return ()
    basis, sizes = contrasts_of(layout)
    equal_shares, _ = choices.probabilities(np.zeros(len(choices.chosen)))
    whole = choices.information(equal_shares)
    root = _inverse_root(whole[np.ix_(position_columns, position_columns)])
    stops = np.cumsum(sizes)
    problems = []
    for block, stop, size in zip(layout.blocks, stops.tolist(), sizes, strict=True):
        contrasts = basis[:, stop - size : stop]
        inside = _inverse_root(contrasts.T @ whole[: layout.width, : layout.width] @ contrasts)
        across = inside.T @ contrasts.T @ whole[: layout.width, position_columns] @ root
        together = float(np.linalg.norm(across, 2)) ** 2 if across.size else 0.0
        if together >= TOGETHER:
            text = (
                f"goes with the place on the screen (squared correlation within choices {min(together, 1):.3f}): "
                "being seen is hardly told apart from being liked; data.examination gives what is known of places"
            )
            problems.append(Concern(Cause.FIXED_POSITION, layout.category, block.attribute, text))
    return tuple(problems)


def _inverse_root(information: Floats) -> Floats:
    """Takes contrasts to unit information, and leaves out those without any."""
    if not information.size:
        return information
    values, vectors = linalg.eigh(information)
    informative = values > 1e-9 * max(values.max(), 1e-12)
    return np.asarray(vectors[:, informative] / np.sqrt(values[informative]))


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _enumerated(values: Sequence[str]) -> str:
    if len(values) <= 3:
        return " and ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)
    return f"{', '.join(values[:3])} and {len(values) - 3:,} more"
