"""Choice sets from logs: what was shown, what was taken, and what was left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from generated_shop import ontology

from kgrank.choice.data.design import category_design
from kgrank.choice.data.responses import ResponseLog, read_log
from kgrank.choice.logit.choice_sets import SAMPLED, CategoryChoices, category_choices
from kgrank.graph.build import build_graph
from kgrank.ingest.clean import ingest

ITEMS = "id,category,color\n" + "".join(
    f"{letter}{k},{category},{color}\n"
    for letter, category in (("d", "dresses"), ("t", "shirts"), ("s", "shoes"))
    for k, color in enumerate(("red", "blue", "green"))
)
HEAD = "time,user,session,kind,item,position,value\n"


def log_of(folder: Path, events: str, items: str = ITEMS) -> tuple[ResponseLog, CategoryChoices]:
    """The log, and the choices within dresses."""
    (folder / "items.csv").write_text(items)
    (folder / "events.csv").write_text(HEAD + events)
    shop_ontology = ontology()
    graph = build_graph(ingest(folder, ontology=shop_ontology))
    log = read_log(graph, shop_ontology)
    return log, category_choices(log, category_design(graph, shop_ontology, "dresses"), shop_ontology)


def shown(items: str, moment: str = "2026-01-01T10:00:00Z", user: str = "u1", session: str = "a") -> str:
    return "".join(
        f"{moment},{user},{session},impression,{item},{p},\n" for p, item in enumerate(items.split(), 1)
    )


def act(item: str, moment: str, kind: str = "view", value: str = "", session: str = "a") -> str:
    return f"{moment},u1,{session},{kind},{item},,{value}\n"


def sets(log: CategoryChoices) -> list[dict[str, float]]:
    """What each choice offered, with what was taken of it."""
    items = log.design.items
    c = log.choices
    return [
        {items[int(log.item_row[r])]: c.chosen[r] for r in range(c.start[t], c.start[t + 1])}
        for t in range(len(c))
    ]


def test_a_list_with_one_view_is_one_choice_among_what_was_shown(tmp_path: Path) -> None:
    _, log = log_of(tmp_path, shown("d0 d1 d2") + act("d1", "2026-01-01T10:00:05Z"))
    assert sets(log) == [{"d0": 0, "d1": 1, "d2": 0}]
    assert log.choices.left.tolist() == [0]


def test_a_list_without_an_act_is_a_choice_of_nothing(tmp_path: Path) -> None:
    events = shown("d0 d1") + shown("d1 d2", "2026-01-02T10:00:00Z", session="b")
    log, responses = log_of(tmp_path, events + act("d1", "2026-01-01T10:00:05Z"))
    assert responses.choices.left.tolist() == [0, 1]
    assert responses.choices.outside.tolist() == [True, True]
    assert responses.nuisance[0] == "inside"
    assert log.heads["left"].to_list() == [0, 1]


def test_of_several_views_in_a_list_each_is_made_from_what_was_left(tmp_path: Path) -> None:
    events = shown("d0 d1 d2") + act("d1", "2026-01-01T10:00:05Z") + act("d0", "2026-01-01T10:00:09Z")
    _, log = log_of(tmp_path, events + shown("d0 d1", "2026-01-02T10:00:00Z", session="b"))
    assert sets(log)[:2] == [{"d0": 0, "d1": 1, "d2": 0}, {"d0": 1, "d2": 0}]
    assert log.choices.outside.tolist() == [True, False, True], "only the first could have been nothing"


def test_a_view_a_cart_and_a_purchase_of_one_item_are_one_choice(tmp_path: Path) -> None:
    acts = [
        act("d1", f"2026-01-01T10:00:0{s}Z", kind) for s, kind in ((5, "view"), (6, "cart"), (9, "purchase"))
    ]
    _, log = log_of(tmp_path, shown("d0 d1 d2") + "".join(acts))
    assert sets(log) == [{"d0": 0, "d1": 1, "d2": 0}]


def test_units_bought_weigh_one_choice(tmp_path: Path) -> None:
    acts = act("d1", "2026-01-01T10:00:05Z", "purchase", "3") + act(
        "d2", "2026-01-01T10:00:05Z", "purchase", "2"
    )
    _, log = log_of(tmp_path, shown("d0 d1 d2") + acts)
    assert sets(log) == [{"d0": 0, "d1": 3, "d2": 2}]
    assert log.choices.total.tolist() == [5]


def test_a_list_over_two_categories_belongs_to_the_lowest_that_holds_both(tmp_path: Path) -> None:
    events = (
        shown("d0 t1") + act("t1", "2026-01-01T10:00:05Z")
        + shown("d0 d1", "2026-01-02T10:00:00Z", session="b") + act("d1", "2026-01-02T10:00:05Z", session="b")
        + shown("d0 s1", "2026-01-03T10:00:00Z", session="c") + act("s1", "2026-01-03T10:00:05Z", session="c")
    )  # fmt: skip
    log, responses = log_of(tmp_path, events)
    assert log.heads["category"].to_list() == ["clothing", "dresses", None]
    assert len(responses.choices) == 1


def test_positions_are_marks_from_the_second_place_on(tmp_path: Path) -> None:
    events = shown("d0 d1 d2") + act("d1", "2026-01-01T10:00:05Z")
    _, log = log_of(tmp_path, events + shown("d2 d0", "2026-01-02T10:00:00Z", session="b"))
    assert log.nuisance == ("inside", "position 2", "position 3+")
    width = log.design.layout.width
    x = (log.choices.expanded @ log.choices.centring)[:, width:]
    assert x[:3].tolist() == [[1, 0, 0], [1, 1, 0], [1, 0, 1]]


def test_without_impressions_others_are_drawn_beside_the_taken(tmp_path: Path) -> None:
    items = "id,category,color\n" + "".join(f"d{k},dresses,{('red', 'blue')[k % 2]}\n" for k in range(30))
    log, responses = log_of(tmp_path, act("d1", "2026-01-01T10:00:05Z", "purchase"), items)
    assert not log.has_impressions
    (offered,) = sets(responses)
    assert offered["d1"] == 1
    assert len(responses.choices.chosen) == SAMPLED + 1
    assert not responses.choices.outside.any()
    rows = responses.item_row[responses.choices.chosen == 0]
    assert (rows != responses.design.items.index("d1")).all()


def test_drawn_alternatives_are_uniform_over_the_other_items(tmp_path: Path) -> None:
    acts = "".join(act("d0", f"2026-01-01T10:{k // 60:02d}:{k % 60:02d}Z", "purchase", session=f"s{k}")
                   for k in range(600))  # fmt: skip
    _, log = log_of(tmp_path, acts)
    counts = np.bincount(log.item_row[log.choices.chosen == 0].astype(int), minlength=3)
    assert counts[0] == 0
    assert counts[1] == pytest.approx(counts[2], rel=0.15)


def test_an_item_shown_twice_in_a_list_was_taken_once(tmp_path: Path) -> None:
    _, log = log_of(tmp_path, shown("d0 d1 d1") + act("d1", "2026-01-01T10:00:05Z"))
    assert log.choices.chosen.sum() == 1


def test_a_search_alone_is_no_choice(tmp_path: Path) -> None:
    log, responses = log_of(tmp_path, shown("d0 d1") + act("d1", "2026-01-01T10:00:05Z"))
    assert len(log.heads) == len(responses.choices) == 1
    assert log.rows.filter(pl.col("chosen") > 0)["item"].to_list() == ["d1"]
