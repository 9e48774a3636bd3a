"""Importance by a plain multinomial logit, computed without kgrank: what ``importance.py`` compares with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl
from scipy import optimize

from kgrank.arrays import Floats

BRANDS = ("canon", "sony", "nikon", "panasonic")


def camera(folder: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Reference of the camera study; the fifth alternative is none."""
    table = pl.read_csv(folder["camera.csv"])
    brand = pl.coalesce(pl.when(pl.col(b) == 1).then(pl.lit(b)) for b in BRANDS).alias("brand")
    table = table.with_columns(brand, task=pl.struct("respondent", "task").rank("dense"))
    shown = ["brand", "pixels", "zoom", "video", "swivel", "wifi"]
    return {"mnl_reference_camera.json": _json(importance(table, shown, "price", "chosen"))}


def pizza(folder: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Reference of the pizza study, weighted by units; a task in which nobody took one counts as none."""
    table = pl.read_csv(folder["pizza_volumetric.csv"])
    table = table.with_columns(task=pl.struct("id", "task").rank("dense")).rename({"p": "price"})
    none = table.group_by("task", maintain_order=True).agg(x=(pl.col("x").sum() == 0).cast(pl.Float64))
    table = pl.concat([table, none], how="diagonal").sort("task", maintain_order=True)
    shown = ["brand", "size", "crust", "topping", "coverage", "cheese"]
    return {"mnl_reference_pizza_volumetric.json": _json(importance(table, shown, "price", "x"))}


def scanner(folder: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """References of the yogurt and the cracker panel; a price of 0 is not in the range of prices."""
    written = {}
    for name, shown in (("cracker", ["brand", "display", "feature"]), ("yogurt", ["brand", "feature"])):
        table = pl.read_csv(folder[f"{name}.csv"]).rename({"obs": "task"})
        written[f"mnl_reference_scanner_{name}.json"] = _json(importance(table, shown, "price", "chosen"))
    return written


REFERENCES: Mapping[str, Callable[[Mapping[str, bytes]], Mapping[str, bytes]]] = {
    "choice_camera": camera,
    "choice_pizza": pizza,
    "choice_scanner": scanner,
}
"""Reference files of the sets that have them, from the contents of their tables."""


def importance(table: pl.DataFrame, shown: Sequence[str], price: str, chosen: str) -> dict[str, float]:
    """Share of each attribute in the sum of the ranges of utility.

    Args:
        table: One row for each alternative of each ``task``; a row whose first attribute is empty is none of them.
        shown: Attributes with one column for each level but the first.
        price: The attribute that is a straight line, over the range of positive prices.
        chosen: How often the row was chosen.
    """
    inside = table[shown[0]].is_not_null().to_numpy()
    columns, attribute = [], []
    for name in shown:
        for level in table.filter(inside)[name].unique().sort()[1:]:
            columns.append((table[name] == level).fill_null(False).to_numpy() & inside)
            attribute.append(name)
    prices = table[price].fill_null(0).to_numpy() * inside
    X = np.column_stack([*columns, prices, *([] if inside.all() else [inside])]).astype(float)
    b = _fit(X, table["task"].to_numpy(), table[chosen].to_numpy())
    worth: dict[str, list[float]] = {name: [0.0] for name in shown}
    for name, value in zip(attribute, b, strict=False):
        worth[name].append(value)
    ranges = {name: max(values) - min(values) for name, values in worth.items()}
    ranges[price] = abs(b[len(columns)]) * float(np.ptp(prices[prices > 0]))
    return {name: float(r / sum(ranges.values())) for name, r in ranges.items()}


def _fit(X: Floats, task: Floats, weight: Floats) -> Floats:
    """The most likely coefficients; rows of a task follow each other."""
    start = np.flatnonzero(np.r_[True, task[1:] != task[:-1]])
    number = np.repeat(np.arange(len(start)), np.diff(np.r_[start, len(task)]))
    total = np.add.reduceat(weight, start)
    scale = np.abs(X).max(0)
    Z = X / scale

    def loss(b: Floats) -> tuple[float, Floats]:
        u = Z @ b
        u -= np.maximum.reduceat(u, start)[number]
        p = np.exp(u)
        sums = np.add.reduceat(p, start)
        p *= (total / sums)[number]
        return float(total @ np.log(sums) - weight @ u), Z.T @ (p - weight)

    result = optimize.minimize(loss, np.zeros(X.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-4})
    return np.asarray(result.x / scale)


def _json(importance: Mapping[str, float]) -> bytes:
    about = "A plain multinomial logit on all choices; price over its range."
    return json.dumps({"note": about, "importance": importance}, indent=1).encode() + b"\n"
