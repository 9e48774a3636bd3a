"""A generated shop whose people like items by a style of their brands, which nothing says but purchases."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from kgrank.ontology.model import Attribute, AttributeType, Category, Need, Ontology

CATEGORIES, EACH, BRANDS, STYLES, SHOWN = 6, 24, 12, 2, 6


def liked_ontology(categories: int = CATEGORIES) -> Ontology:
    """Categories below one root, with brands and a price."""
    uses = {"brand": Need.ALLOWED, "price": Need.ALLOWED}
    tree = {"shop": Category("shop", uses=uses)}
    tree |= {f"c{k}": Category(f"c{k}", parent="shop") for k in range(categories)}
    attributes = {
        "brand": Attribute("brand", open=True),
        "price": Attribute("price", type=AttributeType.NUMBER),
    }
    return Ontology("1", tree, attributes)


def write_liked_files(
    folder: Path,
    *,
    people: int = 300,
    lists: int = 24,
    categories: int = CATEGORIES,
    impressions: bool = True,
    shuffled: bool = False,
    seed: int = 0,
) -> Path:
    """Writes items.csv and events.csv in the standard names.

    Args:
        folder: Where.
        people: How many; each has a taste in styles.
        lists: Of each person, in categories drawn at random.
        categories: Each with the same brands.
        impressions: Whether the log has what was shown beside each purchase.
        shuffled: Whether each purchase is dealt out to a person at random.
        seed: Of all that is drawn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    style, taste = random.normal(size=(BRANDS, STYLES)), random.normal(size=(people, STYLES))
    brand = random.integers(0, BRANDS, (categories, EACH))
    price = random.integers(20, 50, (categories, EACH))
    rows = [
        (f"c{c}-{k}", f"c{c}", f"brand {brand[c, k]}", price[c, k])
        for c in range(categories)
        for k in range(EACH)
    ]
    _write(folder / "items.csv", ("id", "category", "brand", "price"), rows)
    events: list[tuple[object, ...]] = []
    for turn in range(lists):
        whose = random.permutation(people) if shuffled else np.arange(people)
        for person in range(people):
            category = int(random.integers(categories))
            shown = random.choice(EACH, SHOWN, replace=False)
            liking = 1.2 * style[brand[category, shown]] @ taste[person] - (price[category, shown] - 35) / 20
            taken = int(np.argmax(liking + random.gumbel(size=SHOWN)))
            user = f"u{whose[person]}"
            moment = f"2026-{1 + turn // 28:02d}-{1 + turn % 28:02d}T{person // 60:02d}:{person % 60:02d}:00Z"
            who = (moment, user, f"{user}-{turn}")
            if impressions:
                items = [f"c{category}-{k}" for k in shown]
                events += [(*who, "impression", item, place) for place, item in enumerate(items, 1)]
            events.append((*who, "purchase", f"c{category}-{shown[taken]}", ""))
    _write(folder / "events.csv", ("time", "user", "session", "kind", "item", "position"), events)
    return folder


def _write(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
