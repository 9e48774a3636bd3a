"""Values that differ only in case, width or Unicode form are one value, in the spelling that is most frequent."""

from __future__ import annotations

from collections import defaultdict

import polars as pl

from kgrank.ingest.cells.normalise import same
from kgrank.ingest.raw import STEP
from kgrank.ingest.report import Rejects
from kgrank.ontology.model import BRAND, AttributeType, Ontology

_SHOWN = 5
"""Values of which a note shows the spellings."""


def one_spelling(texts: pl.Series, name: str, rejects: Rejects) -> pl.Series:
    """The texts of a brand or an attribute, each in its most frequent spelling; of equals, the first in order."""
    return texts.replace(_rarer_spellings(texts, name, rejects))


def one_spelling_a_step(paths: pl.Series, rejects: Rejects) -> pl.Series:
    """Category paths, each of their steps in its most frequent spelling."""
    steps = paths.str.split(STEP).explode().rename("step")
    rarer = _rarer_spellings(steps, "category", rejects)
    written = {p: STEP.join(rarer.get(s, s) for s in p.split(STEP)) for p in paths.drop_nulls().unique()}
    return paths.replace(written) if rarer else paths


def _rarer_spellings(texts: pl.Series, name: str, rejects: Rejects) -> dict[str, str]:
    """By each spelling that is not the most frequent one of its value, that one; a note names them."""
    counts = texts.drop_nulls().value_counts(name="count").sort("count", texts.name, descending=[True, False])
    spellings: dict[str, list[str]] = defaultdict(list)
    for text in counts[texts.name]:
        spellings[same(text)].append(text)
    several = [group for group in spellings.values() if len(group) > 1]
    if not several:
        return {}
    shown = "; ".join(" = ".join(group) for group in several[:_SHOWN])
    more = f" and {len(several) - _SHOWN:,} more" if len(several) > _SHOWN else ""
    rejects.notes.append(f"{name}: spellings read as one value: {shown}{more}")
    return {text: group[0] for group in several for text in group[1:]}


def one_spelling_a_value(values: pl.DataFrame, ontology: Ontology, rejects: Rejects) -> pl.DataFrame:
    """The values of open attributes in one spelling each; those of the ontology have their ids already."""
    tables = []
    kinds = (AttributeType.CHOICE, AttributeType.CHOICES)
    for (name,), table in values.group_by("attribute", maintain_order=True):
        attribute = ontology.attributes[str(name)]
        if attribute.open and attribute.type in kinds and attribute.id != BRAND:
            table = table.with_columns(one_spelling(table["value"], attribute.id, rejects))
        tables.append(table)
    return pl.concat(tables) if tables else values
