"""The choice sets as a table of choice tasks, a row an alternative, in words of the ontology."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from kgrank.arrays import Truths
from kgrank.demo.groceries.choice_sets import COLUMNS, CategoryChoices
from kgrank.demo.groceries.ontology import GroceryOntology

TASKS = "tasks.parquet"

MAPPING: Mapping[str, Any] = {
    "about": "A year of grocery purchases (Complete Journey); what was on offer is reconstructed",
    "tasks": [
        {
            "file": TASKS,
            "category": {"column": "category"},
            "person": "household",
            "task": "task",
            "item": "product",
            "chosen": "chosen",
            "time": "date",
            "attributes": {
                "brand": {"column": "manufacturer"},
                "price": {"column": "price"},
                "discount": {"column": "discount"},
                "size": {"column": "log_size"},
                "private": {"column": "private_label"},
                "display": {"column": "display"},
                "mailer": {"column": "mailer"},
                "type": {"column": "type"},
            },
        }
    ],
}
"""How kgrank reads the table."""

_DAY_ONE = pl.date(2017, 1, 1)
_DISPLAY = "display.none", "display.elsewhere", "display.end"
_MAILER = "mailer.none", "mailer.inside", "mailer.front"


def task_table(categories: Sequence[CategoryChoices], ontology: GroceryOntology) -> pl.DataFrame:
    """The choices of the weeks of train and validation; those of test are left for benchmarks.

    Prices are rounded to a cent, discounts to a percent, the logarithm of sizes to .01.
    """
    return pl.concat(_tasks(c, c.part < 2, ontology) for c in categories)


def _tasks(choices: CategoryChoices, rows: Truths, ontology: GroceryOntology) -> pl.DataFrame:
    task, place = np.nonzero(choices.valid[rows])
    x = choices.x[rows][task, place]
    column = {name: x[:, number] for number, name in enumerate(COLUMNS)}
    products = choices.products[choices.alternative[rows][task, place]]
    id_ = ontology.categories[choices.name]
    missing = column["size_missing"] > 0
    return pl.DataFrame(
        {
            "category": pl.repeat(id_, len(task), eager=True),
            "task": task,
            "household": choices.household[rows][task],
            "date": choices.week[rows][task],
            "product": products["product"],
            "chosen": (place == 0).astype(np.int8),
            "manufacturer": products["manufacturer"],
            "price": np.exp(column["price"].astype(float) + choices.mean_log_price).round(2),
            "discount": (column["discount"] * 100).astype(float).round(),
            "log_size": np.where(missing, np.nan, column["size"].astype(float).round(2)),
            "private_label": column["private"] > 0,
            "display": np.array(_DISPLAY)[(column["display"] + column["display_end"]).astype(int)],
            "mailer": np.array(_MAILER)[(column["mailer"] + column["mailer_front"]).astype(int)],
            "type": products["type"].replace_strict(ontology.types, default=None, return_dtype=pl.String),
        }
    ).with_columns(
        pl.col("log_size").fill_nan(None),
        # Private labels have one maker: that they are private says the same.
        pl.when(~pl.col("private_label"))
        .then(pl.lit("manufacturer ") + pl.col("manufacturer").cast(pl.String))
        .alias("manufacturer"),
        (_DAY_ONE + pl.duration(weeks=pl.col("date") - 1)).cast(pl.String),
    )
