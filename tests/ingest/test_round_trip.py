"""Clean tables written as files in the standard names come back as they were."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import Mapping, default_mapping
from kgrank.ontology.model import Attribute, AttributeType, Category, Need, Ontology, Term

ONTOLOGY = Ontology(
    version="1",
    categories={
        "a": Category(
            "a", uses=dict.fromkeys(("brand", "color", "tags", "price", "lined", "note"), Need.ALLOWED)
        ),
        "b": Category("b", parent="a"),
    },
    attributes={
        "brand": Attribute("brand", open=True),
        "color": Attribute("color", values=("red", "blue")),
        "tags": Attribute("tags", type=AttributeType.CHOICES, values=("x", "y", "z")),
        "price": Attribute("price", type=AttributeType.NUMBER),
        "lined": Attribute("lined", type=AttributeType.BOOLEAN),
        "note": Attribute("note", type=AttributeType.TEXT),
    },
    values={v: Term(v) for v in ("red", "blue", "x", "y", "z")},
)

words = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=12
).map(lambda t: " ".join(t.split()))
texts = st.one_of(st.none(), words.filter(bool))
ids = st.text("abcdef0123456789-_/. ", min_size=1, max_size=8).map(str.strip).filter(bool)

items = st.lists(
    st.fixed_dictionaries(
        {
            "id": ids,
            "category": st.sampled_from(["a", "b"]),
            "brand": texts,
            "title": texts,
            "description": st.one_of(st.none(), st.just('two\nlines, with "quotes"'), words.filter(bool)),
            "color": st.sampled_from([None, "red", "blue"]),
            "tags": st.sampled_from([None, "x", "x|y", "y|z"]),
            "price": st.one_of(st.none(), st.floats(0, 1e6)),
            "lined": st.sampled_from([None, "true", "false"]),
            "note": texts,
        }
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda r: r["id"],
)
events = st.lists(
    st.fixed_dictionaries(
        {
            "time": st.integers(700_000_000, 1_700_000_000),
            "user": ids,
            "session": st.one_of(st.none(), ids),
            "kind": st.sampled_from(["view", "cart", "purchase", "rating", "impression"]),
            "item": st.integers(0, 5),
            "category": st.none(),
            "position": st.one_of(st.none(), st.integers(1, 50)),
            "query": texts,
            "list": st.one_of(st.none(), ids),
            "value": st.one_of(st.none(), st.floats(0, 5)),
        }
    ),
    max_size=8,
)


def write(clean: Clean, folder: Path) -> None:
    """The clean tables as items.csv and events.csv."""
    texts = clean.values.with_columns(pl.coalesce("value", pl.col("number").cast(pl.String)).alias("text"))
    wide = texts.group_by("item", "attribute").agg(pl.col("text").str.join("|"))
    wide = (
        wide.pivot("attribute", index="item", values="text")
        if len(wide)
        else pl.DataFrame({"item": []}, {"item": pl.String})
    )
    clean.items.join(wide, left_on="id", right_on="item", how="left").write_csv(folder / "items.csv")
    if len(clean.events):
        clean.events.drop("id").write_csv(folder / "events.csv")


def start(rows: list[dict[str, object]], log: list[dict[str, object]], folder: Path) -> Clean:
    names = [r["id"] for r in rows]
    table = pl.DataFrame(rows, infer_schema_length=None)
    full = [c for c in table.columns if c in {"id", "category"} or table[c].is_not_null().any()]
    table.select(full).write_csv(folder / "items.csv")
    if log:
        seen = [e | {"item": names[int(str(e["item"])) % len(names)]} for e in log]
        pl.DataFrame(seen, infer_schema_length=None).write_csv(folder / "events.csv")
    return ingest(folder, ontology=ONTOLOGY, mapping=with_points(folder))


def with_points(folder: Path) -> Mapping:
    """The standard mapping of tables that a program wrote: 1.125 is no 1125."""
    mapping = default_mapping(folder)
    return replace(
        mapping,
        items=tuple(replace(s, decimal=".") for s in mapping.items),
        events=tuple(replace(s, decimal=".") for s in mapping.events),
    )


@settings(max_examples=60, deadline=None)
@given(items, events)
def test_tables_written_in_the_standard_names_read_back_equal(
    rows: list[dict[str, object]], log: list[dict[str, object]]
) -> None:
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        clean = start(rows, log, Path(first))
        write(clean, Path(second))
        again = ingest(Path(second), ontology=ONTOLOGY, mapping=with_points(Path(second)))
    assert_frame_equal(again.items, clean.items)
    assert_frame_equal(again.values, clean.values)
    assert_frame_equal(again.events, clean.events)
    assert again.log == clean.log
