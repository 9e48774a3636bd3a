"""The generated catalogue: 1,000 fashion items, their titles, and the item that goes after each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from kgrank.demo.truth import LEAVES, MATERIALS, SHARES, VALUES

ITEMS: Mapping[str, int] = {
    "dresses": 180,
    "t-shirts": 170,
    "shirts": 150,
    "jackets": 130,
    "sneakers": 150,
    "boots": 110,
    "pumps": 110,
}
NOUNS: Mapping[str, str] = {
    "dresses": "dress",
    "t-shirts": "T-shirt",
    "shirts": "shirt",
    "jackets": "jacket",
    "sneakers": "sneakers",
    "boots": "boots",
    "pumps": "pumps",
}
PRICES: Mapping[str, float] = {
    "dresses": 80.0,
    "t-shirts": 24.0,
    "shirts": 48.0,
    "jackets": 140.0,
    "sneakers": 85.0,
    "boots": 125.0,
    "pumps": 95.0,
}
"""Median price in EUR."""
HEELS: Mapping[str, tuple[float, float]] = {"sneakers": (15, 45), "boots": (15, 90), "pumps": (30, 120)}
"""Lowest and highest heel in mm."""
GOES_WITH: Mapping[str, tuple[str, ...]] = {
    "dresses": ("pumps", "jackets"),
    "t-shirts": ("sneakers", "jackets"),
    "shirts": ("boots", "jackets"),
    "jackets": ("boots", "shirts"),
    "sneakers": ("t-shirts",),
    "boots": ("jackets", "dresses"),
    "pumps": ("dresses",),
}
"""Where shoppers look after a purchase."""

OFTEN: Mapping[str, tuple[float, ...]] = {
    "size": (0.13, 0.23, 0.27, 0.22, 0.15),
    "season": (0.35, 0.25, 0.40),
}
"""Shares of a choice's values among the items, where they are not equal."""
CARE: Mapping[str, tuple[float, ...]] = {
    "leather": (0.0, 0.5, 0.5),
    "suede": (0.1, 0.45, 0.45),
    "silk": (0.1, 0.8, 0.1),
    "wool": (0.3, 0.4, 0.3),
}
"""How leather, suede, silk and wool are washed: shares of the care values."""
USUAL_CARE = (0.65, 0.2, 0.15)
MISSING = 0.05
"""Chance that a recommended value is missing, which leaves 3 % of all values open."""
OPTIONAL = ("material", "style", "season", "fit", "sleeve", "heel", "care")
ATTRIBUTES = (
    "brand",
    "color",
    "size",
    "material",
    "price",
    "style",
    "season",
    "fit",
    "sleeve",
    "heel",
    "care",
)


def catalogue(rng: np.random.Generator) -> pl.DataFrame:
    """Items with the columns id, category, the attributes, title and description, clean but for gaps."""
    tables = [_category(category, ITEMS[category], rng) for category in LEAVES]
    items = pl.concat(tables, how="vertical")
    for attribute in OPTIONAL:
        gap = pl.Series(rng.random(len(items)) < MISSING)
        items = items.with_columns(pl.when(gap).then(None).otherwise(pl.col(attribute)).alias(attribute))
    return items.with_columns(
        title=pl.struct(pl.all()).map_elements(_title, return_dtype=pl.String),
        description=pl.struct(pl.all()).map_elements(_description, return_dtype=pl.String),
    )


def _category(category: str, count: int, rng: np.random.Generator) -> pl.DataFrame:
    """The items of one leaf category.

    Values are drawn independently, so that the effect of each is identified; only the care follows the material.
    """
    columns: dict[str, pl.Series] = {
        "id": pl.Series([f"{category}-{k + 1:03d}" for k in range(count)]),
        "category": pl.Series([category] * count),
    }
    for attribute in ATTRIBUTES:
        if attribute == "price":
            price = PRICES[category] * np.exp(0.33 * rng.normal(size=count))
            columns[attribute] = pl.Series(np.round(price - 0.01) + 0.9)
        elif attribute not in SHARES[category]:
            kind = pl.Float64 if attribute == "heel" else pl.String
            columns[attribute] = pl.Series([None] * count, dtype=kind)
        elif attribute == "heel":
            low, high = HEELS[category]
            columns[attribute] = pl.Series(np.round(rng.uniform(low, high, size=count) / 5) * 5.0)
        elif attribute == "care":
            materials = columns["material"]
            columns[attribute] = pl.Series([_care(m, rng) for m in materials])
        else:
            values = MATERIALS[category] if attribute == "material" else VALUES[attribute]
            columns[attribute] = pl.Series(_draw(values, OFTEN.get(attribute), count, rng))
    return pl.DataFrame(columns)


def _care(material: str, rng: np.random.Generator) -> str:
    shares = CARE.get(material, USUAL_CARE)
    return VALUES["care"][int(rng.choice(len(shares), p=shares))]


def _draw(
    values: tuple[str, ...], shares: tuple[float, ...] | None, count: int, rng: np.random.Generator
) -> list[str]:
    """Values in fixed proportions (equal by default) and random order."""
    weights = np.full(len(values), 1 / len(values)) if shares is None else np.array(shares)
    edges = np.round(np.cumsum(weights) * count).astype(int)
    places = np.searchsorted(edges, np.arange(count), side="right")
    return [values[k] for k in rng.permutation(places)]


def _words(value: str | None) -> str:
    return "" if value is None else value.replace("-", " ")


def _title(item: Mapping[str, str | None]) -> str:
    brand = _words(item["brand"]).title()
    parts = (_words(item["color"]), _words(item["material"]), NOUNS[str(item["category"])])
    return " ".join(p for p in (brand, *parts) if p)


def _description(item: Mapping[str, str | None]) -> str:
    """One plain sentence of the values that are known."""
    noun = NOUNS[str(item["category"])]
    kind = " ".join(p for p in (_words(item["style"]), noun) if p)
    facts = [f"{_words(item['fit'])} fit" if item["fit"] else ""]
    if item["sleeve"]:
        facts.append("sleeveless" if item["sleeve"] == "sleeveless" else f"{item['sleeve']} sleeves")
    if item["heel"]:
        facts.append(f"heel of {float(item['heel']):.0f} mm")
    if item["season"]:
        facts.append("for all seasons" if item["season"] == "all-year" else f"for {item['season']}")
    known = ", ".join(f for f in facts if f)
    sentence = f"{kind[0].upper()}{kind[1:]}{': ' if known else ''}{known}."
    return f"{sentence} {_words(item['care']).capitalize()}." if item["care"] else sentence


def partners(items: pl.DataFrame, rng: np.random.Generator) -> list[list[int]]:
    """For each item the rows of the 2 or 3 items that tend to be bought soon after it, in one category."""
    rows = {c: np.flatnonzero((items["category"] == c).to_numpy()) for c in LEAVES}
    partners_of = []
    for category in items["category"]:
        after = GOES_WITH[category][rng.integers(len(GOES_WITH[category]))]
        partners_of.append(
            sorted(rng.choice(rows[after], size=int(rng.integers(2, 4)), replace=False).tolist())
        )
    return partners_of
