"""Choice data as the field writes it: dummies, effects coding, availability, best and worst."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from small_shop import Shop

from kgrank.errors import InputError
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import read_mapping

DUMMIES = "attributes: {brand: {one_hot: {d_lux: Lux, d_rex: Rex}, one_hot_base: Own}, price: {type: Number}}"


def read(folder: Path, keys: str, file: str = "t.csv") -> Clean:
    (folder / "m.yaml").write_text(f"tasks: [{{file: {file}, category: tea, {keys}}}]", encoding="utf-8")
    return ingest(folder, mapping=read_mapping(folder / "m.yaml"))


def refused(folder: Path, keys: str) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, keys)
    return str(caught.value)


def brands(clean: Clean) -> dict[float, str | None]:
    """The brand of each price, which tells the alternatives of these tests apart."""
    price = clean.values.filter(pl.col("attribute") == "price").select("item", "number")
    rows = price.join(clean.items.select(pl.col("id").alias("item"), "brand"), on="item")
    return dict(rows.sort("number").select("number", "brand").iter_rows())


def chosen(clean: Clean) -> list[tuple[str, float]]:
    """The price of what each person bought."""
    price = clean.values.filter(pl.col("attribute") == "price").select("item", "number")
    bought = clean.events.filter(pl.col("kind") == "purchase").join(price, on="item")
    return list(bought.sort("user").select("user", "number").iter_rows())


@pytest.mark.parametrize(
    ("cell", "remedy"),
    [
        ("bought", "chosen: {column: …, rename: {'bought': 1, …: 0}}"),
        ("", "Write 0 where it was not chosen"),
        ("3", "name the column in the mapping: units"),
    ],
)
def test_a_cell_that_does_not_say_whether_something_was_chosen_has_the_remedy_that_fits(
    shop: Shop, cell: str, remedy: str
) -> None:
    folder = shop(t_csv=f"person,task,chosen,price\n1,1,{cell},2\n1,1,0,3\n")
    assert remedy in refused(folder, "attributes: {price: {type: Number}}")


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        *[("1", "0"), ("1.0", "0.0"), ("TRUE", "FALSE"), ("True", "False"), ("T", "F"), ("yes", "no")],
        *[("Y", "N"), ("x", ""), ("1", "")],
    ],
)
def test_dummies_are_read_in_every_usual_writing(shop: Shop, yes: str, no: str) -> None:
    rows = [f"1,1,1,{yes},{no},1", f"1,1,0,{no},{yes},2", f"1,1,0,{no},{no},3"]
    folder = shop(t_csv="\n".join(["person,task,chosen,d_lux,d_rex,price", *rows]))
    assert brands(read(folder, DUMMIES)) == {1.0: "Lux", 2.0: "Rex", 3.0: "Own"}


def test_effects_coding_gives_the_base_to_rows_of_minus_one(shop: Shop) -> None:
    rows = ["1,1,1,1,0,1", "1,1,0,0,1,2", "1,1,0,-1,-1,3", "1,1,0,0,0,4"]
    folder = shop(t_csv="\n".join(["person,task,chosen,d_lux,d_rex,price", *rows]))
    assert brands(read(folder, DUMMIES)) == {1.0: "Lux", 2.0: "Rex", 3.0: "Own", 4.0: None}


def test_a_missing_dummy_is_not_the_base(shop: Shop) -> None:
    rows = ["1,1,1,1,0,1", "1,1,0,,0,2", "1,1,0,NA,,3", "1,1,0,0,0,4"]
    folder = shop(t_csv="\n".join(["person,task,chosen,d_lux,d_rex,price", *rows]))
    assert brands(read(folder, DUMMIES)) == {1.0: "Lux", 2.0: None, 3.0: None, 4.0: "Own"}


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ("2,0", "'2' in d_lux; expected 0 or 1"),
        ("maybe,0", "'maybe' in d_lux; expected 0 or 1"),
        ("-1,0", "-1 in d_lux; expected -1 in all columns of brand"),
        ("1,1", "d_lux and d_rex are both set"),
    ],
)
def test_a_dummy_that_is_none_is_an_error_with_its_line(shop: Shop, cells: str, problem: str) -> None:
    folder = shop(t_csv=f"person,task,chosen,d_lux,d_rex,price\n1,1,1,1,0,1\n1,1,0,{cells},2\n")
    text = refused(folder, DUMMIES)
    assert "t.csv:3: " in text
    assert problem in text


def test_minus_one_without_a_base_names_the_remedy(shop: Shop) -> None:
    folder = shop(t_csv="person,task,chosen,d_lux,price\n1,1,1,1,1\n1,1,0,-1,2\n")
    text = refused(folder, "attributes: {brand: {one_hot: {d_lux: Lux}}, price: {type: Number}}")
    assert "t.csv:3: -1 in d_lux" in text
    assert "one_hot_base" in text


@pytest.mark.parametrize(("yes", "no"), [("TRUE", "FALSE"), ("T", "F"), ("Yes", "No"), ("1.0", "0.0")])
def test_chosen_may_be_a_word(shop: Shop, yes: str, no: str) -> None:
    folder = shop(t_csv=f"person,task,chosen,price\n1,1,{no},5\n1,1,{yes},6\n2,1,{yes},7\n2,1,{no},8\n")
    assert chosen(read(folder, "attributes: [price]")) == [("1", 6.0), ("2", 7.0)]


@pytest.mark.parametrize("alternative", ["alternative,", ""])
def test_chosen_may_be_the_number_of_the_alternative_on_every_row(shop: Shop, alternative: str) -> None:
    rows = [(1, 1, 2, 5), (1, 2, 2, 6), (2, 1, 1, 7), (2, 2, 1, 8)]
    lines = [f"{p},1,{f'{a},' if alternative else ''}{c},{price}" for p, a, c, price in rows]
    folder = shop(t_csv="\n".join([f"person,task,{alternative}chosen,price", *lines]))
    clean = read(folder, "attributes: [price]")
    assert chosen(clean) == [("1", 6.0), ("2", 7.0)]
    assert any("the alternative that the whole task names" in note for note in clean.notes)


def test_a_choice_that_is_no_alternative_of_its_task_is_an_error(shop: Shop) -> None:
    rows = ["1,1,bus,bus,5", "1,1,car,bus,6", "2,1,bus,bike,7", "2,1,car,bike,8"]
    folder = shop(t_csv="\n".join(["person,task,alternative,chosen,price", *rows]))
    text = refused(folder, "attributes: [price]")
    assert "t.csv:4: chosen is 'bike', which is no alternative of its task; expected one of bus, car" in text


@pytest.mark.parametrize("cells", [("1", "2"), ("1.0", "2.0"), ("bus", "car"), ("b", "c")])
def test_a_wide_table_names_the_choice_by_key_name_or_number(shop: Shop, cells: tuple[str, str]) -> None:
    folder = shop(t_csv=f"who,pick,p_bus,p_car\n1,{cells[1]},5,6\n2,{cells[0]},7,8\n")
    keys = 'form: wide, person: who, chosen: pick, attributes: {price: "p_{}"}'
    clean = read(folder, keys + ", alternatives: {b: {name: bus}, c: {name: car}}")
    assert chosen(clean) == [("1", 6.0), ("2", 7.0)]


def test_dummies_of_a_wide_table_are_read(shop: Shop) -> None:
    folder = shop(t_csv="who,pick,lux_1,lux_2,p_1,p_2\n1,2,1,0,5,6\n2,1,0,1,7,8\n")
    keys = 'form: wide, person: who, chosen: pick, alternatives: ["1", "2"], attributes: {'
    clean = read(folder, keys + 'brand: {one_hot: {"lux_{}": Lux}, one_hot_base: Own}, price: "p_{}"}')
    assert brands(clean) == {5.0: "Lux", 6.0: "Own", 7.0: "Own", 8.0: "Lux"}


def test_an_alternative_that_was_not_on_offer_is_left_out_of_a_wide_table(shop: Shop) -> None:
    folder = shop(t_csv="who,pick,av_b,av_c,p_b,p_c,p_w\n1,b,1,0,5,0,1\n2,c,1,1,7,8,2\n3,c,1,0,9,0,3\n")
    keys = 'form: wide, person: who, chosen: pick, available: "av_{}", attributes: {price: "p_{}"}, alternatives: '
    clean = read(folder, keys + "{b: {}, c: {}, w: {values: {available: 1}}}")
    shown = clean.events.filter(pl.col("kind") == "impression")
    assert shown.group_by("user").len().sort("user")["len"].to_list() == [2, 3]
    assert dict(clean.report.counts) == {"not on offer": 3}
    assert any("were not on offer" in note for note in clean.notes)


def test_an_alternative_that_was_not_on_offer_is_left_out_of_a_long_table(shop: Shop) -> None:
    rows = ["1,1,1,1,5", "1,1,0,0,6", "1,1,0,1,7", "2,1,1,1,8", "2,1,0,0,9"]
    folder = shop(t_csv="\n".join(["person,task,chosen,on_offer,price", *rows]))
    clean = read(folder, "available: on_offer, attributes: [price]")
    assert clean.events.filter(pl.col("kind") == "impression")["user"].to_list() == ["1", "1"]
    assert dict(clean.report.counts) == {"one alternative": 1}
    folder = shop(t_csv="\n".join(["person,task,chosen,on_offer,price", *rows, "2,1,0,,10"]))
    assert "t.csv:7: available is empty" in refused(folder, "available: on_offer, attributes: [price]")


def test_availability_columns_that_the_mapping_does_not_name_are_noted(shop: Shop) -> None:
    folder = shop(t_csv="who,pick,av_b,av_c,p_b,p_c\n1,b,1,0,5,0\n2,c,1,1,7,8\n")
    keys = 'form: wide, person: who, chosen: pick, alternatives: [b, c], attributes: {price: "p_{}"}'
    assert any("not read: av_b, av_c" in n and 'available: "av_{}"' in n for n in read(folder, keys).notes)


def _rankings(clean: Clean) -> set[tuple[float, float]]:
    """The prices of the better and the worse item of each ranking of two."""
    price = clean.values.filter(pl.col("attribute") == "price").select("item", "number")
    ranks = clean.events.filter(pl.col("kind") == "rank").join(price, on="item").sort("value")
    pairs = ranks.group_by("user", "list").agg("number")["number"].to_list()
    return {(better, worse) for better, worse in pairs}


def test_best_worst_scaling_is_read_as_a_best_choice_and_a_worst_one(shop: Shop) -> None:
    marked = "\n".join(["person,task,chosen,price", "1,1,0,5", "1,1,1,6", "1,1,-1,7", "1,1,0,8"])
    columns = ["person,task,best,worst,price", "1,1,0,0,5", "1,1,1,0,6", "1,1,0,1,7", "1,1,0,0,8"]
    wide = "who,best,worst,p_a,p_b,p_c,p_d\n1,b,c,5,6,7,8\n"
    both = [read(shop(t_csv=marked), "attributes: [price]")]
    both.append(read(shop(t_csv="\n".join(columns)), "chosen: best, attributes: [price]"))
    keys = 'form: wide, chosen: best, person: who, alternatives: [a, b, c, d], attributes: {price: "p_{}"}'
    both.append(read(shop(t_csv=wide), keys))
    for clean in both:
        assert chosen(clean) == [("1", 6.0)]
        assert _rankings(clean) == {(5.0, 7.0), (8.0, 7.0)}


def test_an_alternative_cannot_be_best_and_worst(shop: Shop) -> None:
    good = [f"{p},1,{c},{w},{price}" for p in (1, 2, 3) for c, w, price in ((1, 0, 5), (0, 1, 6), (0, 0, 7))]
    bad = ["4,1,1,1,5", "4,1,0,0,6"]
    folder = shop(t_csv="\n".join(["person,task,chosen,worst,price", *good, *bad]))
    assert dict(read(folder, "attributes: [price]").report.counts) == {"worst is best": 2}
