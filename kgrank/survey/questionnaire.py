"""A survey as a sheet of choice tasks: people mark what they would take, and ``kgrank load`` reads it back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from kgrank.ontology.tables.files import write_sheet
from kgrank.ranking.catalogue.phrases import attribute_name, value_words
from kgrank.ranking.catalogue.shop import Shop

PERSON, TASK, DAY, ITEM, TITLE, CHOSEN = "person", "task", "date", "item", "title", "chosen"


def write_questionnaire(
    path: Path,
    shop: Shop,
    category: str,
    tasks: Sequence[Sequence[str]],
    *,
    people: int,
    each: int,
    day: str | None,
    language: str,
    seed: int,
) -> None:
    """Writes a row for each item of each person's tasks; in its last column people write 1 for what they take.

    Tasks are dealt out so that all are answered equally often, in an order and with a first item that are drawn.

    Args:
        path: A .csv or .xlsx file.
        shop: Of the items.
        category: Their category.
        tasks: Items that are shown together.
        people: Who answer.
        each: Tasks of each person, at most as many as there are.
        day: When they answer, where the shop's events have times; None where they have an order only.
        language: Of names and values.
        seed: Of the order.

    Raises:
        InputError: The file cannot be written.
    """
    attributes, heads = shop.scores(category).attributes, attribute_heads(shop, category, language)
    words = {
        item: [
            value_words(shop.ontology, shop.items.values_of(shop.item(item), name), language)
            for name in attributes
        ]
        for item in dict.fromkeys(item for task in tasks for item in task)
    }
    random = np.random.default_rng(seed)
    head_of_day, days = ([DAY], [day]) if day is not None else ([], [])
    rows: list[list[str | float | None]] = [[PERSON, TASK, *head_of_day, ITEM, TITLE, *heads, CHOSEN]]
    order = np.concatenate([random.permutation(len(tasks)) for _ in range(-(-people * each // len(tasks)))])
    for person in range(people):
        for number, task in enumerate(order[person * each : (person + 1) * each].tolist(), 1):
            for item in random.permutation(tasks[task]).tolist():
                title = shop.items.titles[shop.item(item)]
                rows.append([f"survey-{person + 1}", float(number), *days, item, title, *words[item], 0.0])
    write_sheet(path, rows)


def attribute_heads(shop: Shop, category: str, language: str) -> list[str]:
    """The heads of the columns of attributes, no two alike."""
    heads = [PERSON, TASK, DAY, ITEM, TITLE, CHOSEN]
    for attribute in shop.scores(category).attributes:
        name = attribute_name(shop.ontology, attribute, language)
        heads.append(f"{name} ({attribute})" if name in heads else name)
    return heads[6:]


def mapping_lines(path: Path, shop: Shop, category: str, *, dated: bool, outside: bool, language: str) -> str:
    """The lines of a mapping by which the filled-in sheet is read as choice tasks.

    Args:
        path: The sheet.
        shop: Of the items.
        category: Their category.
        dated: Whether the sheet has days.
        outside: Whether people may take nothing.
        language: Of its heads.
    """
    shown = [TITLE, *attribute_heads(shop, category, language)]
    source = {
        "file": path.name,
        "category": category,
        "person": PERSON,
        "task": TASK,
        "item": ITEM,
        "chosen": CHOSEN,
        **({"time": DAY} if dated else {}),
        **({"outside": "true"} if outside else {}),
        "leave_out": shown,
    }
    return yaml.safe_dump({"tasks": [source]}, sort_keys=False, allow_unicode=True, width=110)
