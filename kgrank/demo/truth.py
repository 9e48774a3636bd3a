"""What the generated shoppers really want: shares, liked values and how decided they are, per category.

The part-worth of value v of attribute a in category c is

    share(a, c) · decidedness(c) · liking(v, a, c)

where the likings of a category's values run from 0 to 1. Numbers are straight lines that rise or fall by
share · decidedness between the 5th and the 95th percentile of the category's items. A shopper's own
part-worths are these plus personal deviations, which are the same in every category.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from kgrank.arrays import Floats, Ints

NUMBERS = ("price", "heel")
ORDERED = ("size", "fit", "sleeve")

VALUES: Mapping[str, tuple[str, ...]] = {
    "brand": ("aurora", "trailo", "nordlys", "meridian", "pixelle", "casa-lana", "urbano", "heritage"),
    "color": ("black", "white", "red", "navy", "green", "beige", "blue", "pink"),
    "size": ("xs", "s", "m", "l", "xl"),
    "material": ("cotton", "wool", "silk", "linen", "leather", "polyester", "denim", "suede"),
    "style": ("casual", "classic", "sporty", "elegant"),
    "season": ("summer", "winter", "all-year"),
    "fit": ("slim", "regular", "loose"),
    "sleeve": ("sleeveless", "short", "long"),
    "care": ("machine-wash", "hand-wash", "dry-clean"),
}

SHOES = ("leather", "suede", "cotton", "polyester")
MATERIALS: Mapping[str, tuple[str, ...]] = {
    "dresses": ("cotton", "wool", "silk", "linen", "polyester"),
    "t-shirts": ("cotton", "silk", "linen", "polyester"),
    "shirts": ("cotton", "silk", "linen", "polyester", "denim"),
    "jackets": ("wool", "leather", "polyester", "denim", "suede"),
    "sneakers": SHOES,
    "boots": SHOES,
    "pumps": SHOES,
}
"""The materials that a category's items are made of."""

_ORDER = ("price", "brand", "style", "color", "material", "season", "fit", "size", "care")
_SHARES: Mapping[str, tuple[tuple[float, ...], tuple[str, float]]] = {
    # price brand style color material season fit size care, then sleeve or heel
    "dresses": ((0.16, 0.10, 0.23, 0.20, 0.10, 0.07, 0.06, 0.04, 0.01), ("sleeve", 0.03)),
    "t-shirts": ((0.34, 0.12, 0.08, 0.15, 0.11, 0.04, 0.07, 0.05, 0.01), ("sleeve", 0.03)),
    "shirts": ((0.30, 0.12, 0.11, 0.10, 0.14, 0.04, 0.09, 0.04, 0.02), ("sleeve", 0.04)),
    "jackets": ((0.18, 0.20, 0.09, 0.07, 0.24, 0.09, 0.05, 0.04, 0.02), ("sleeve", 0.02)),
    "sneakers": ((0.30, 0.23, 0.10, 0.11, 0.08, 0.03, 0.04, 0.05, 0.01), ("heel", 0.05)),
    "boots": ((0.19, 0.12, 0.09, 0.07, 0.25, 0.12, 0.04, 0.05, 0.01), ("heel", 0.06)),
    "pumps": ((0.18, 0.12, 0.11, 0.13, 0.11, 0.02, 0.04, 0.06, 0.01), ("heel", 0.22)),
}
SHARES: Mapping[str, Mapping[str, float]] = {
    category: {**dict(zip(_ORDER, shares, strict=True)), last: share}
    for category, (shares, (last, share)) in _SHARES.items()
}
"""How much each attribute matters to the average shopper; the shares of a category add up to 1."""

LEAVES = tuple(SHARES)

DECIDEDNESS: Mapping[str, float] = {
    "dresses": 9.0,
    "t-shirts": 9.5,
    "shirts": 9.0,
    "jackets": 9.0,
    "sneakers": 9.5,
    "boots": 9.0,
    "pumps": 9.0,
}
"""The sum of an average shopper's spreads, in logits."""

DIRECTIONS: Mapping[tuple[str, str], float] = {
    **{(c, "price"): -1.0 for c in LEAVES},
    ("sneakers", "heel"): -1.0,
    ("boots", "heel"): -1.0,
    ("pumps", "heel"): 1.0,
}

LIKINGS: Mapping[str, tuple[float, ...]] = {
    "brand": (0.80, 0.30, 1.00, 0.65, 0.00, 0.60, 0.20, 0.50),
    "color": (1.00, 0.70, 0.45, 0.80, 0.20, 0.55, 0.60, 0.00),
    "size": (0.00, 0.55, 1.00, 0.75, 0.20),
    "material": (0.70, 0.80, 1.00, 0.60, 0.90, 0.00, 0.40, 0.65),
    "style": (0.80, 0.60, 0.00, 1.00),
    "season": (0.60, 0.00, 1.00),
    "fit": (0.50, 1.00, 0.00),
    "sleeve": (0.00, 1.00, 0.60),
    "care": (1.00, 0.40, 0.00),
}
"""How much each value is liked, in the order of ``VALUES``, where a category says nothing else."""

OWN_LIKINGS: Mapping[tuple[str, str], tuple[float, ...]] = {
    ("dresses", "color"): (0.85, 0.40, 1.00, 0.60, 0.30, 0.00, 0.50, 0.55),
    ("jackets", "season"): (0.00, 1.00, 0.70),
    ("jackets", "sleeve"): (0.00, 0.30, 1.00),
    ("t-shirts", "style"): (1.00, 0.40, 0.80, 0.00),
    ("sneakers", "style"): (0.80, 0.30, 1.00, 0.00),
    ("sneakers", "brand"): (0.30, 1.00, 0.70, 0.20, 0.50, 0.00, 0.85, 0.40),
    ("sneakers", "color"): (0.70, 1.00, 0.20, 0.60, 0.35, 0.50, 0.45, 0.00),
    ("boots", "season"): (0.00, 1.00, 0.55),
    ("shirts", "fit"): (1.00, 0.70, 0.00),
}
"""Where a category's taste is its own."""

DEVIATION = 0.3
"""Standard deviation of a personal deviation, as a share of the attribute's average spread."""


@dataclass(frozen=True)
class Design:
    """Items as rows of numbers: one column a value, one a number attribute in spreads from its mean.

    A missing value is the average of the category's items, so it adds what the average item adds.

    Attributes:
        columns: ``attribute=value``, or ``attribute=*`` for a number.
        items: (items, columns).
        categories: The category's place in ``LEAVES``, one per item.
        ranges: 5th to 95th percentile of each number in each category, in its unit.
    """

    columns: tuple[str, ...]
    items: Floats
    categories: Ints
    ranges: Mapping[tuple[str, str], tuple[float, float]]

    def columns_of(self, attribute: str) -> Ints:
        """The columns of one attribute."""
        columns = [k for k, name in enumerate(self.columns) if name.partition("=")[0] == attribute]
        return np.array(columns, dtype=np.int64)


@dataclass(frozen=True)
class Tastes:
    """Part-worths of the average shopper and personal deviations, in the columns of a design.

    Attributes:
        mean: (categories, columns), in logits.
        personal: (shoppers, columns), in logits; each column adds up to 0 over the shoppers.
    """

    mean: Floats
    personal: Floats


def liking(category: str, attribute: str) -> dict[str, float]:
    """How much each value is liked in a category, from 0 (least) to 1 (most)."""
    raw = dict(
        zip(
            VALUES[attribute],
            OWN_LIKINGS.get((category, attribute), LIKINGS[attribute]),
            strict=True,
        )
    )
    if attribute == "material":
        raw = {v: raw[v] for v in MATERIALS[category]}
    low, high = min(raw.values()), max(raw.values())
    return {v: (x - low) / (high - low) for v, x in raw.items()}


def design(items: pl.DataFrame) -> Design:
    """Encodes a catalogue with columns ``category`` and one per attribute."""
    columns = [f"{a}={v}" for a, values in VALUES.items() for v in values] + [f"{a}=*" for a in NUMBERS]
    place = {name: k for k, name in enumerate(columns)}
    X = np.full((len(items), len(columns)), np.nan)
    for attribute, values in VALUES.items():
        given = items[attribute].to_numpy()
        known = ~items[attribute].is_null().to_numpy()
        for value in values:
            X[known, place[f"{attribute}={value}"]] = (given == value)[known]
    categories = np.array([LEAVES.index(c) for c in items["category"]], dtype=np.int64)
    ranges: dict[tuple[str, str], tuple[float, float]] = {}
    for attribute in NUMBERS:
        numbers = items[attribute].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for k, category in enumerate(LEAVES):
            here = categories == k
            if attribute not in SHARES[category]:
                continue
            low, high = np.nanpercentile(numbers[here], [5, 95])
            ranges[category, attribute] = (float(low), float(high))
            X[here, place[f"{attribute}=*"]] = numbers[here] / (high - low)
    for k in range(len(LEAVES)):
        here = categories == k
        absent = np.isnan(X[here]).all(axis=0)
        block = X[here]
        block[:, absent] = 0.0
        mean = np.nanmean(block, axis=0)
        X[here] = np.where(np.isnan(block), mean, block) - mean
    return Design(tuple(columns), X, categories, ranges)


def tastes(layout: Design, shoppers: int, rng: np.random.Generator) -> Tastes:
    """The average shopper's part-worths and one row of deviations per shopper."""
    mean = np.zeros((len(LEAVES), len(layout.columns)))
    place = {name: k for k, name in enumerate(layout.columns)}
    for c, category in enumerate(LEAVES):
        for attribute, share in SHARES[category].items():
            spread = share * DECIDEDNESS[category]
            if attribute in NUMBERS:
                mean[c, place[f"{attribute}=*"]] = DIRECTIONS[category, attribute] * spread
                continue
            for value, liked in liking(category, attribute).items():
                mean[c, place[f"{attribute}={value}"]] = spread * liked
    size = np.zeros(len(layout.columns))
    for attribute in (*VALUES, *NUMBERS):
        spreads = [SHARES[c][attribute] * DECIDEDNESS[c] for c in LEAVES if attribute in SHARES[c]]
        size[layout.columns_of(attribute)] = DEVIATION * float(np.mean(spreads))
    drawn = rng.normal(size=(shoppers, len(layout.columns))) * size
    return Tastes(mean, drawn - drawn.mean(axis=0))


def spreads(items: pl.DataFrame, layout: Design, category: str, part_worths: Floats) -> dict[str, Floats]:
    """The range of each attribute's part-worths over what the category's items offer.

    Numbers: between the 5th and the 95th percentile of the items. Size, fit and sleeve, whose values have
    an order: over the values of the items between those percentiles. Other choices: over the values of at
    least 1 % of the items, and of at least 3.

    Args:
        items: The catalogue.
        layout: Its design.
        category: A leaf category.
        part_worths: (people, columns), in logits.

    Returns:
        One spread a person, in logits, by attribute.
    """
    here = items.filter(pl.col("category") == category)
    ranges: dict[str, Floats] = {}
    for attribute in SHARES[category]:
        if attribute in NUMBERS:
            ranges[attribute] = np.abs(part_worths[:, layout.columns.index(f"{attribute}=*")])
            continue
        given = here[attribute].drop_nulls()
        counts = {v: int((given == v).sum()) for v in VALUES[attribute]}
        if attribute in ORDERED:
            order = np.sort(np.array([VALUES[attribute].index(v) for v in given]))
            low, high = np.percentile(order, [5, 95], method="nearest")
            seen = [v for k, v in enumerate(VALUES[attribute]) if low <= k <= high and counts[v]]
        else:
            enough = max(3.0, 0.01 * len(here))
            seen = [v for v, n in counts.items() if n >= enough]
        utilities = part_worths[:, [layout.columns.index(f"{attribute}={v}") for v in seen]]
        ranges[attribute] = utilities.max(axis=1) - utilities.min(axis=1)
    return ranges


def importance(items: pl.DataFrame, layout: Design, category: str, part_worths: Floats) -> dict[str, float]:
    """Each attribute's share of the sum of spreads, averaged over the people (people, columns)."""
    ranges = spreads(items, layout, category, part_worths)
    total = np.sum(list(ranges.values()), axis=0)
    return {a: float(np.mean(s / total)) for a, s in ranges.items()}
