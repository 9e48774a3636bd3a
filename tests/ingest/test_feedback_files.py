"""Rankings, pairs and ratings come in as events; what says nothing of tastes is counted."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from kgrank.errors import InputError
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import read_mapping

ITEMS = "id,category,color\na,dresses,red\nb,dresses,blue\nc,dresses,green\n"
DAY = "2026-01-01T10:00:0"


def load(folder: Path, mapping: str | None = None, **files: str) -> Clean:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    if mapping is None:
        return ingest(folder)
    (folder / "mapping.yaml").write_text(mapping)
    return ingest(folder, mapping=read_mapping(folder / "mapping.yaml"))


def places(found: Clean) -> dict[tuple[str, str], dict[str, float | None]]:
    """The places of the items by user and list."""
    ranks = found.events.filter(pl.col("kind") == "rank")
    return {
        (user, list_): dict(some.select("item", "value").iter_rows())
        for (user, list_), some in ranks.group_by("user", "list")
    }


def ranks(*rows: str) -> str:
    return "time,user,kind,list,item,value\n" + "".join(f"{DAY}1Z,{r}\n" for r in rows)


def test_a_pair_is_a_ranking_of_two(tmp_path: Path) -> None:
    found = load(tmp_path, items=ITEMS, pairs="person,better,worse\nu,a,b\nu,c,a\n")
    assert list(places(found).values()) in (
        [{"a": 1, "b": 2}, {"c": 1, "a": 2}],
        [{"c": 1, "a": 2}, {"a": 1, "b": 2}],
    )
    assert found.log.clock == "order"
    assert not found.log.impressions


def test_a_partial_ranking_keeps_the_items_without_a_place(tmp_path: Path) -> None:
    found = load(tmp_path, items=ITEMS, events=ranks("u,rank,l,a,1", "u,rank,l,b,", "u,rank,l,c,"))
    assert places(found) == {("u", "l"): {"a": 1, "b": None, "c": None}}


def test_tasks_with_a_column_rank_are_rankings(tmp_path: Path) -> None:
    tasks = "person,task,alternative,rank,color,category\n" + "".join(
        f"u,1,{k},{place},{color},dresses\n"
        for k, (place, color) in enumerate([(2, "red"), (1, "blue"), ("", "green")])
    )
    found = load(tmp_path, tasks=tasks)
    (ranking,) = places(found).values()
    colors = dict(found.values.select("item", "value").iter_rows())
    assert {colors[item]: place for item, place in ranking.items()} == {"red": 2, "blue": 1, "green": None}
    assert set(found.events["kind"]) == {"rank"}


@pytest.mark.parametrize(("marks", "best"), [("places", "red"), ("points", "green")])
def test_ranked_profiles_say_at_which_end_the_best_stands(tmp_path: Path, marks: str, best: str) -> None:
    mapping = (
        "ratings: [{file: marks.csv, profiles: profiles.csv, category: dresses, rest: true, "
        f"marks: {marks}}}]"
    )
    found = load(tmp_path, mapping, marks="p1,p2,p3\n1,2,3\n", profiles="color\nred\nblue\ngreen\n")
    (ranking,) = places(found).values()
    colors = dict(found.values.select("item", "value").iter_rows())
    assert [colors[i] for i, place in ranking.items() if place == 1] == [best]


@pytest.mark.parametrize(
    ("rows", "reason", "dropped"),
    [
        (("v,rank,m,a,1", "v,rank,m,b,1"), "tied places", 2),
        (("v,rank,m,a,1", "v,rank,m,a,2"), "tied places", 2),
        (("v,rank,m,a,1",), "one alternative", 1),
        (("v,rank,m,a,0", "v,rank,m,b,1"), "not a place", 2),
        (("v,rank,,a,1",), "no list", 1),
    ],
)
def test_a_ranking_that_ranks_nothing_is_dropped_and_counted(
    tmp_path: Path, rows: tuple[str, ...], reason: str, dropped: int
) -> None:
    good = ("u,rank,l,a,1", "u,rank,l,b,2", "u,rank,l,c,3")
    found = load(tmp_path, items=ITEMS, events=ranks(*good, *rows))
    assert found.report.counts == {reason: dropped}
    assert list(places(found)) == [("u", "l")]


def test_where_most_rankings_have_ties_the_mapping_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tied places"):
        load(tmp_path, items=ITEMS, events=ranks("u,rank,l,a,1", "u,rank,l,b,1"))


def test_ratings_that_never_vary_are_counted_and_kept(tmp_path: Path) -> None:
    rows = ranks("u,rating,,a,5", "u,rating,,b,5", "v,rating,,a,5", "v,rating,,b,1", "w,rating,,a,3")
    found = load(tmp_path, items=ITEMS, events=rows)
    assert found.report.counts == {"one rating": 2}
    assert len(found.events) == 5


def test_a_deed_on_what_was_not_shown_is_counted_and_kept(tmp_path: Path) -> None:
    rows = ranks("u,impression,l,a,", "u,impression,l,b,", "u,view,l,c,", "u,view,l,a,")
    found = load(tmp_path, items=ITEMS, events=rows)
    assert found.report.counts == {"not shown": 1}
    assert found.events.filter(pl.col("kind") == "view").height == 2


def test_a_place_that_is_a_word_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    tasks = "person,task,rank,color,category\nu,1,1,red,dresses\nu,1,best,blue,dresses\n"
    with pytest.raises(InputError, match="rank is 'best'") as error:
        load(tmp_path, tasks=tasks)
    assert str(error.value.where).endswith("tasks.csv:3")
