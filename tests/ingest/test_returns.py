"""Returns take back what they return; kinds and positions have a place or a remedy."""

from __future__ import annotations

import pytest
from small_shop import Shop

from kgrank.errors import InputError
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import read_mapping

ITEMS = "id,category\nm1,mugs\nm2,mugs\n"
HEAD = "time,user,kind,item,value\n"


def load(shop: Shop, *rows: str) -> Clean:
    log = "".join(f"2026-02-{k:02d},{row}\n" for k, row in enumerate(rows, 1))
    return ingest(shop(items_csv=ITEMS, events_csv=HEAD + log))


def events(clean: Clean) -> list[tuple[object, ...]]:
    return clean.events.sort("time").select("user", "kind", "item", "value").rows()


@pytest.mark.parametrize(
    ("deed", "back"),
    [
        ("purchase,m1,2", "purchase,m1,-2"),
        ("purchase,m1,", "refund,m1,"),
        ("purchase,m1,3", "return,m1,"),
        ("purchase,m1,1", "cancel,m1,1"),
        ("cart,m1,", "remove_from_cart,m1,"),
        ("wishlist,m1,", "remove_from_wishlist,m1,"),
        ("cart,m1,1", "cart,m1,-1"),
    ],
)
def test_a_return_takes_back_the_earlier_event_of_its_user_and_item(shop: Shop, deed: str, back: str) -> None:
    clean = load(shop, f"ann,{deed}", f"bob,{deed}", f"ann,{back}")
    assert [row[0] for row in events(clean)] == ["bob"]
    assert clean.report.counts == {"taken back": 1, "return": 1}
    assert clean.report.rows.sort("line")["line"].to_list() == [2, 4]


def test_a_return_of_a_part_leaves_the_rest(shop: Shop) -> None:
    clean = load(shop, "ann,purchase,m1,5", "ann,purchase,m1,-2")
    assert events(clean) == [("ann", "purchase", "m1", 3.0)]
    assert clean.report.counts == {"return": 1}


def test_a_return_of_many_units_takes_back_several_purchases_the_latest_first(shop: Shop) -> None:
    clean = load(shop, "ann,purchase,m1,2", "ann,purchase,m1,2", "ann,purchase,m1,-3", "ann,view,m1,")
    assert events(clean) == [("ann", "purchase", "m1", 1.0), ("ann", "view", "m1", None)]


@pytest.mark.parametrize("row", ["ann,refund,m2,", "bob,refund,m1,", "ann,remove_from_cart,m1,"])
def test_a_return_of_nothing_is_dropped_and_takes_back_nothing(shop: Shop, row: str) -> None:
    clean = load(shop, "ann,purchase,m1,", row)
    assert events(clean) == [("ann", "purchase", "m1", None)]
    assert clean.report.counts == {"return of nothing": 1}


def test_a_purchase_after_the_return_stays(shop: Shop) -> None:
    clean = load(shop, "ann,purchase,m1,1", "ann,purchase,m1,-1", "ann,purchase,m1,1")
    assert len(clean.events) == 1
    assert clean.report.rows.sort("line")["line"].to_list() == [2, 3]


def test_ratings_below_zero_are_ratings(shop: Shop) -> None:
    assert len(load(shop, "ann,rating,m1,-4", "ann,rating,m2,3").events) == 2


@pytest.mark.parametrize("kind", ["wishlist", "add_to_wishlist", "checkout", "begin_checkout"])
def test_what_was_put_aside_or_taken_to_the_till_counts_as_in_the_cart(shop: Shop, kind: str) -> None:
    assert events(load(shop, f"ann,{kind},m1,")) == [("ann", "cart", "m1", None)]


def test_all_unknown_kinds_are_named_with_how_to_leave_them_out(shop: Shop) -> None:
    with pytest.raises(InputError) as caught:
        load(shop, "ann,view,m1,", "ann,scroll,m1,", "bob,share,m1,", "bob,purchase,m2,")
    text = str(caught.value)
    assert "events.csv:3: unknown kind of event 'scroll'" in text
    assert "scroll, share" in text
    assert "`where: {kind: [view, purchase]}`" in text
    assert "rename" not in text


def test_the_remedy_for_an_unknown_kind_works_as_it_is_written(shop: Shop) -> None:
    log = "when,user,act,item\n2026-01-01,u,look,m1\n2026-01-01,u,addtocart,m1\n2026-01-01,u,scroll,m1\n"
    folder = shop(items_csv=ITEMS, events_csv=log)
    mapping = "items: [{{file: items.csv}}]\nevents: [{{file: events.csv, time: when, kind: {}{}}}]"
    kind = "{column: act, rename: {look: view}}"
    (folder / "m.yaml").write_text(mapping.format(kind, ""))
    with pytest.raises(InputError) as caught:
        ingest(folder, mapping=read_mapping(folder / "m.yaml"))
    text = str(caught.value)
    assert "rename: {addtocart: cart}" in text
    where = text[text.index("`where") + 1 :].split("`")[0]
    assert where == "where: {act: [look]}"
    (folder / "m.yaml").write_text(mapping.format(kind, f", {where}"))
    assert len(ingest(folder, mapping=read_mapping(folder / "m.yaml")).events) == 1


@pytest.mark.parametrize("position", ["0", "-1", "1.5"])
def test_a_position_that_is_no_whole_number_from_1_is_refused(shop: Shop, position: str) -> None:
    log = f"time,user,kind,item,position\n2026-01-01,u,view,m1,1\n2026-01-02,u,view,m1,{position}\n"
    folder = shop(items_csv=ITEMS, events_csv=log)
    with pytest.raises(InputError, match=rf"events.csv:3: the position {position}; .*position: "):
        ingest(folder)
    missing = f"{{column: position, missing: ['{position}']}}"
    text = f"items: [{{file: items.csv}}]\nevents: [{{file: events.csv, position: {missing}}}]"
    (folder / "m.yaml").write_text(text)
    assert ingest(folder, mapping=read_mapping(folder / "m.yaml")).events["position"].to_list() == [1, None]
