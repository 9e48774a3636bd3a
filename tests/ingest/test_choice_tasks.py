"""Choice tasks in every form become lists, purchases and items."""

from __future__ import annotations

import polars as pl
import pytest
from small_shop import Shop

from kgrank.errors import InputError
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import read_mapping

LONG = """person,task,alt,chosen,sony,canon,zoom,price
1,1,1,1,1,0,1,0.79
1,1,2,0,0,1,0,1.29
1,1,3,0,0,0,0,0
1,2,1,0,0,1,0,1.29
1,2,2,0,1,0,0,1.79
1,2,3,1,0,0,0,0
"""
CAMERA = """tasks:
  - file: tasks.csv
    category: camera
    alternative: alt
    outside: {outside}
    attributes:
      brand: {{one_hot: [sony, canon]}}
      zoom: {{type: Boolean}}
      price: {{scale: 100, unit: USD}}
"""


def mapped(shop: Shop, mapping: str, **files: str) -> Clean:
    folder = shop(**files)
    (folder / "m.yaml").write_text(mapping)
    return ingest(folder, mapping=read_mapping(folder / "m.yaml"))


def values(clean: Clean, attribute: str) -> dict[str, object]:
    table = clean.values.filter(pl.col("attribute") == attribute)
    return {
        r["item"]: r["value"] if r["number"] is None else r["number"] for r in table.iter_rows(named=True)
    }


@pytest.mark.parametrize("outside", ["{alt: 3}", "all_zero"])
def test_the_outside_option_is_no_item_and_choosing_it_no_purchase(shop: Shop, outside: str) -> None:
    clean = mapped(shop, CAMERA.format(outside=outside), tasks_csv=LONG)
    shown = clean.events.filter(pl.col("kind") == "impression")
    bought = clean.events.filter(pl.col("kind") == "purchase")
    assert shown.group_by("list").len().sort("list").rows() == [("camera/1/1", 2), ("camera/1/2", 2)]
    assert bought["list"].to_list() == ["camera/1/1"]
    assert clean.log.outside
    assert len(clean.items) == 3


def test_an_alternative_offered_twice_is_one_item(shop: Shop) -> None:
    clean = mapped(shop, CAMERA.format(outside="{alt: 3}"), tasks_csv=LONG)
    counts = clean.events.filter(pl.col("kind") == "impression").group_by("item").len()
    assert counts["len"].sort().to_list() == [1, 1, 2]


def test_numbers_are_scaled_without_dust(shop: Shop) -> None:
    clean = mapped(shop, CAMERA.format(outside="{alt: 3}"), tasks_csv=LONG)
    assert sorted(values(clean, "price").values()) == [79.0, 129.0, 179.0]  # type: ignore[type-var]
    assert clean.ontology.attributes["price"].unit == "USD"


def test_the_items_id_does_not_hang_on_how_a_number_is_written(shop: Shop) -> None:
    first = mapped(shop, CAMERA.format(outside="{alt: 3}"), tasks_csv=LONG)
    again = mapped(shop, CAMERA.format(outside="{alt: 3}"), tasks_csv=LONG.replace("1.29", "1.290"))
    assert first.items["id"].to_list() == again.items["id"].to_list()


def test_tasks_without_a_clock_are_in_each_persons_order(shop: Shop) -> None:
    second = LONG.replace("\n1,", "\n2,").partition("\n")[2]
    clean = mapped(shop, CAMERA.format(outside="{alt: 3}"), tasks_csv=LONG + second)
    times = clean.events.group_by("user", "list").agg(pl.col("time").unique()).sort("list")
    assert times["time"].to_list() == [[1], [2], [1], [2]]
    assert clean.log.clock == "order"


def test_a_base_level_stands_where_all_one_hot_columns_are_zero(shop: Shop) -> None:
    tasks = "person,task,chosen,hev,bev,price\n1,1,1,1,0,20\n1,1,0,0,0,15\n"
    mapping = (
        "tasks: [{file: t.csv, category: car, attributes: "
        "{power: {one_hot: [hev, bev], one_hot_base: gasoline}, price: {}}}]"
    )
    clean = mapped(shop, mapping, t_csv=tasks)
    assert sorted(values(clean, "power").values()) == ["gasoline", "hev"]  # type: ignore[type-var]


def test_units_bought_are_the_purchases_value(shop: Shop) -> None:
    tasks = "person,task,x,price\n1,1,3,2.5\n1,1,1,3.5\n1,2,0,2.5\n1,2,0,3\n"
    mapping = "tasks: [{file: t.csv, category: pizza, units: x, outside: true, attributes: [price]}]"
    clean = mapped(shop, mapping, t_csv=tasks)
    bought = clean.events.filter(pl.col("kind") == "purchase")
    assert sorted(bought["value"].to_list()) == [1.0, 3.0]
    assert clean.events["list"].n_unique() == 2


def test_a_task_with_two_choices_is_dropped_and_counted(shop: Shop) -> None:
    tasks = (
        "person,task,chosen,price\n"
        + "".join(f"1,{t},1,1\n1,{t},0,2\n" for t in range(9))
        + "1,9,1,1\n1,9,1,2\n"
    )
    clean = mapped(shop, "tasks: [{file: t.csv, category: a, attributes: [price]}]", t_csv=tasks)
    assert clean.report.counts == {"several choices": 2}
    assert clean.events["list"].n_unique() == 9


def test_a_wide_table_has_columns_and_constants_of_each_alternative(shop: Shop) -> None:
    mapping = """tasks:
  - file: t.csv
    form: wide
    category: margarine
    person: hh
    chosen: choice
    attributes: {brand: {}, price: {column: "p_{}"}}
    alternatives:
      1: {name: a, values: {brand: Ay}}
      2: {name: b, values: {brand: Bee}}
"""
    clean = mapped(shop, mapping, t_csv="hh,choice,p_a,p_b\n7,1,1.5,2\n7,2,1.5,1\n7,1,1.4,\n7,1,1.5,2\n")
    assert clean.report.counts == {"one alternative": 1}
    bought = clean.events.filter(pl.col("kind") == "purchase").sort("time")
    brands = dict(clean.items.select("id", "brand").iter_rows())
    assert [brands[i] for i in bought["item"]] == ["Ay", "Bee", "Ay"]
    assert sorted(values(clean, "price").values()) == [1.0, 1.5, 2.0]  # type: ignore[type-var]


def test_the_alternative_itself_can_be_an_attribute(shop: Shop) -> None:
    mapping = (
        "tasks: [{file: t.csv, form: wide, category: a, alternatives: [bus, car], "
        "attributes: {mode: {constant: '{}'}, cost: {column: 'cost.{}'}}}]"
    )
    clean = mapped(shop, mapping, t_csv="chosen,cost.bus,cost.car\nbus,3,4\ncar,3,1\n")
    assert sorted(values(clean, "mode").values()) == ["bus", "car", "car"]  # type: ignore[type-var]


def test_a_wide_table_names_a_choice_that_is_no_alternative(shop: Shop) -> None:
    mapping = (
        "tasks: [{file: t.csv, form: wide, category: a, "
        "attributes: {p: {column: 'p{}'}}, alternatives: [1, 2]}]"
    )
    with pytest.raises(InputError, match=r"t\.csv:3: the chosen alternative is '3'; expected one of 1, 2"):
        mapped(shop, mapping, t_csv="chosen,p1,p2\n1,3,4\n3,3,4\n")


def test_differences_give_each_side_the_levels_in_which_the_pair_differs(shop: Shop) -> None:
    mapping = """tasks:
  - file: t.csv
    form: differences
    category: card
    person: id
    attributes:
      interest: {one_hot: {Med: medium, Low: low}, one_hot_base: high}
      bank: {one_hot: {B: B}, one_hot_base: A}
      fee: {one_hot: {F: low}, one_hot_base: high}
"""
    clean = mapped(shop, mapping, t_csv="id,chosen,Med,Low,B,F\n1,1,1,-1,0,0\n1,0,0,-1,1,0\n1,1,0,0,0,1\n")
    bought = clean.events.filter(pl.col("kind") == "purchase").sort("time")["item"].to_list()
    titles = dict(clean.items.select("id", "title").iter_rows())
    assert [titles[i] for i in bought] == ["interest medium", "interest low, bank A", "fee low"]
    assert len(clean.items) == 6


def test_rated_profiles_are_items_and_ratings(shop: Shop) -> None:
    mapping = (
        "ratings: [{file: r.csv, profiles: p.csv, category: tea, "
        "attributes: {kind: {rename: {1: bags, 2: leafy}}, price: {}}}]"
    )
    clean = mapped(shop, mapping, r_csv="p1,p2\n8,1\n0,10\n", p_csv="kind,price\n1,3\n2,1\n")
    kinds = values(clean, "kind")
    rows = clean.events.sort("user", "time").select("item", "value").rows()
    assert [(kinds[i], v) for i, v in rows] == [("bags", 8.0), ("leafy", 1.0), ("bags", 0.0), ("leafy", 10.0)]


def test_files_that_differ_in_the_outside_option_do_not_go_together(shop: Shop) -> None:
    tasks = "person,task,chosen,price\n1,1,1,1\n1,1,0,2\n"
    mapping = (
        "tasks: [{file: a.csv, category: a, attributes: [price]}, "
        "{file: b.csv, category: b, outside: true, attributes: [price]}]"
    )
    with pytest.raises(InputError, match="could choose nothing in some files"):
        mapped(shop, mapping, a_csv=tasks, b_csv=tasks)
