"""What rules do to the catalogue: Implies fills in what is missing, Excludes says what should not be."""

from __future__ import annotations

import polars as pl

from kgrank.ingest.rows import FILE, LINE
from kgrank.ontology.kinds.kind import ActsOn
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import Condition, Ontology, Rule


def impute(values: pl.DataFrame, items: pl.DataFrame, ontology: Ontology) -> pl.DataFrame:
    """The values with those that an Implies rule fills in; a value that is there is never changed.

    A rule fills in where it is more likely right than wrong, and names one value; rules act in the order of
    the ontology, each on the catalogue that came in. ``values`` has the column ``imputed``.
    """
    known = values
    for rule in ontology.rules.values():
        then = rule.then
        fills_in = rule_kind(rule.kind).acts_on is ActsOn.MISSING_VALUES
        if not fills_in or then is None or then.value is None or rule.sure <= 0.5:
            continue
        lacking = items.filter(~pl.col("id").is_in(_with(values, then.attribute).implode()))
        lacking = lacking.filter(
            pl.col("id").is_in(_meeting(known, items, rule, ontology, rule.when).implode())
        )
        number = (
            float(then.value)
            if isinstance(then.value, (int, float)) and not isinstance(then.value, bool)
            else None
        )
        filled = lacking.select(
            pl.col("id").alias("item"),
            pl.lit(then.attribute).alias("attribute"),
            pl.lit(None if number is not None else _word(then.value), pl.String).alias("value"),
            pl.lit(number, pl.Float64).alias("number"),
            LINE,
            FILE,
            pl.lit(True).alias("imputed"),
        )
        values = pl.concat([values, filled])
    return values


def contradictions(values: pl.DataFrame, items: pl.DataFrame, ontology: Ontology) -> pl.DataFrame:
    """Items that have what an Excludes rule forbids: columns id, LINE, FILE and ``rule``."""
    broken = [items.head(0).select("id", LINE, FILE, pl.lit("").alias("rule"))]
    for rule in ontology.rules.values():
        if rule_kind(rule.kind).acts_on is ActsOn.ITEMS and rule.then is not None:
            both = _meeting(values, items, rule, ontology, (*rule.when, rule.then))
            hit = items.filter(pl.col("id").is_in(both.implode()))
            broken.append(hit.select("id", LINE, FILE, pl.lit(rule.id).alias("rule")))
    return pl.concat(broken)


def _meeting(
    values: pl.DataFrame,
    items: pl.DataFrame,
    rule: Rule,
    ontology: Ontology,
    conditions: tuple[Condition, ...],
) -> pl.Series:
    """The items in the rule's scope that meet all conditions."""
    meeting = items.filter(pl.col("category").is_in(list(ontology.scope(rule))))["id"]
    for condition in conditions:
        hits = values.filter((pl.col("attribute") == condition.attribute) & _test(condition))["item"]
        meeting = meeting.filter(meeting.is_in(hits.implode()))
    return meeting


def _test(condition: Condition) -> pl.Expr:
    value = condition.value
    if isinstance(value, (bool, str)):
        return pl.col("value") == _word(value)
    if value is not None:
        return pl.col("number") == value
    low = pl.lit(True) if condition.minimum is None else pl.col("number") >= condition.minimum
    high = pl.lit(True) if condition.maximum is None else pl.col("number") <= condition.maximum
    return low & high


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _with(values: pl.DataFrame, attribute: str) -> pl.Series:
    return values.filter(pl.col("attribute") == attribute)["item"]
