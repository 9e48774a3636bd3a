"""A number is what people meant: decimal marks, thousands, units, odd cells and codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_shop import Shop

from kgrank.errors import InputError
from kgrank.ingest.cells.numbers import read_numbers
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import read_mapping
from kgrank.ontology.model import AttributeType


def load(shop: Shop, cells: list[str], mapping: str | None = None, name: str = "price") -> Clean:
    """A shop with one column of the given cells, one an item."""
    rows = "".join(f'i{k},lamps,"{cell}"\n' for k, cell in enumerate(cells))
    folder = shop(items_csv=f"id,category,{name}\n{rows}")
    if mapping is None:
        return ingest(folder)
    (folder / "m.yaml").write_text(mapping)
    return ingest(folder, mapping=read_mapping(folder / "m.yaml"))


def numbers(clean: Clean) -> list[float]:
    return clean.values.sort("item")["number"].to_list()


FORMS = {
    "1,234.5": (",", ".", 3),
    "1.234,5": (".", ",", 3),
    "1 234,5": ("\u00a0", ",", 3),
    "1 234.5": ("\u202f", ".", 3),
    "1'234.5": ("'", ".", 3),
    "1’234,5": ("’", ",", 3),
    "1234.5": ("", ".", 3),
    "1234,5": ("", ",", 3),
    "12,34,567.5": (",", ".", 2),
}


def written(number: int, cents: int, part: str, mark: str, group: int) -> str:
    """A number with two decimals, thousands parted from the right: the last three digits, then groups."""
    digits, groups = str(number), []
    digits, last = digits[:-3], digits[-3:]
    while digits:
        groups.insert(0, digits[-group:])
        digits = digits[:-group]
    return f"{part.join([*groups, last])}{mark}{cents:02d}"


@pytest.mark.parametrize("form", FORMS)
@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 99)), min_size=1, max_size=8))
def test_numbers_written_in_any_form_are_read_back(form: str, amounts: list[tuple[int, int]]) -> None:
    texts = {written(n, c, *FORMS[form]): float(f"{n}.{c:02d}") for n, c in amounts}
    read = read_numbers(list(texts), None)
    assert dict(read.select("text", "number").iter_rows()) == texts
    assert read["other"].null_count() == len(read)


@given(
    st.integers(1, 999_999).filter(lambda n: n % 1000 != n),
    st.sampled_from([".", ","]),
    st.sampled_from(["{} USD", "EUR {}", "€{}", "{} g", "{}kg", "$ {}"]),
)
def test_a_decimal_mark_decides_what_has_two_readings_with_and_without_units(
    number: int, mark: str, unit: str
) -> None:
    text = f"{number // 1000}{mark}{number % 1000:03d}"
    for cell in (text, unit.format(text)):
        decimal = read_numbers([cell], mark)["number"][0]
        thousands = read_numbers([cell], "," if mark == "." else ".")["number"][0]
        assert (decimal, thousands) == (number / 1000, float(number))


def test_one_cell_with_one_reading_decides_the_column(shop: Shop) -> None:
    assert numbers(load(shop, ["1.299", "2.499,50", "7.000"])) == [1299.0, 2499.5, 7000.0]
    assert numbers(load(shop, ["1.299", "2.5", "7.125"])) == [1.299, 2.5, 7.125]


@pytest.mark.parametrize(
    "cells", [["1.299", "2.499", "10"], ["1,299", "2,499", "10"], ["1,299 €", "2,499 €"]]
)
def test_a_column_that_can_be_read_in_two_ways_is_an_error_with_both_readings(
    shop: Shop, cells: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        load(shop, cells)
    text = str(caught.value)
    for words in ("items.csv:2", "1299", "1.299", "decimal: "):
        assert words in text


@pytest.mark.parametrize(("mark", "expected"), [(".", [1.299, 2.499]), (",", [1299.0, 2499.0])])
def test_the_mapping_says_the_decimal_mark_for_a_file_or_an_attribute(
    shop: Shop, mark: str, expected: list[float]
) -> None:
    for_file = f'items: [{{file: items.csv, rest: true, decimal: "{mark}"}}]'
    for_attribute = f'items: [{{file: items.csv, attributes: {{price: {{decimal: "{mark}"}}}}}}]'
    assert numbers(load(shop, ["1.299", "2.499"], for_file)) == expected
    assert numbers(load(shop, ["1.299", "2.499"], for_attribute)) == expected


def test_another_decimal_mark_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text('items:\n  - file: items.csv\n    decimal: ";"\n')
    with pytest.raises(InputError, match="decimal mark"):
        read_mapping(tmp_path / "m.yaml")


def test_scaled_numbers_have_the_decimal_mark_of_the_file(shop: Shop) -> None:
    mapping = "items: [{file: items.csv, attributes: {price: {scale: 100}}}]"
    assert numbers(load(shop, ["1,5", "2,25", "12,345"], mapping)) == [150.0, 225.0, 1234.5]


@pytest.mark.parametrize(
    ("cells", "unit", "expected"),
    [
        (["15.00 USD", "16.50 USD"], "USD", [15.0, 16.5]),
        (["EUR 15", "EUR 16,50"], "EUR", [15.0, 16.5]),
        (["€15", "-€5"], "EUR", [15.0, -5.0]),
        (["200 g", "1,2 kg", "350g"], "g", [200.0, 1200.0, 350.0]),
        (["1.299,- €", "849,- €"], "EUR", [1299.0, 849.0]),
    ],
)
def test_a_column_of_quantities_is_a_number_in_their_unit(
    shop: Shop, cells: list[str], unit: str, expected: list[float]
) -> None:
    clean = load(shop, cells)
    attribute = clean.ontology.attributes["price"]
    assert (attribute.type, attribute.unit) == (AttributeType.NUMBER, unit)
    assert numbers(clean) == pytest.approx(expected)


@pytest.mark.parametrize("odd", ["on request", "12 approx", "tbd"])
def test_one_odd_cell_is_dropped_by_its_line_and_the_column_stays_a_number(shop: Shop, odd: str) -> None:
    clean = load(shop, ["9.50", "10", "11.25", odd, "12"])
    assert clean.ontology.attributes["price"].type is AttributeType.NUMBER
    assert clean.report.rows.select("reason", "line", "found").rows() == [("not a number", 5, odd)]
    assert any(odd in note and "items.csv:5" in note for note in clean.notes)


@pytest.mark.parametrize("cells", [["S", "M", "38", "40"], ["75B", "80B", "85B"], ["V2", "V3", "V4"]])
def test_words_stay_words(shop: Shop, cells: list[str]) -> None:
    assert load(shop, cells).ontology.attributes["price"].type is AttributeType.CHOICE


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("gtin", ["4006381333931", "4006381333948", "4006381333955"]),
        ("sku", ["10023", "10024", "20025"]),
        ("part", ["00123", "00124", "10125"]),
    ],
)
def test_digits_that_are_codes_are_no_numbers(shop: Shop, name: str, cells: list[str]) -> None:
    clean = load(shop, cells, name=name)
    assert clean.ontology.attributes[name].type is AttributeType.TEXT
    assert clean.values.sort("item")["value"].to_list() == cells


def test_codes_with_leading_zeros_that_repeat_are_a_choice(shop: Shop) -> None:
    clean = load(shop, ["007", "012", "007"], name="shade")
    assert clean.ontology.attributes["shade"].type is AttributeType.CHOICE
    assert clean.ontology.attributes["shade"].values == ("007", "012")


@pytest.mark.parametrize("cells", [["19900", "29900", "39900"], ["2019", "2020", "2021"]])
def test_round_prices_and_years_of_one_length_are_numbers(shop: Shop, cells: list[str]) -> None:
    assert load(shop, cells).ontology.attributes["price"].type is AttributeType.NUMBER


def test_prices_in_two_currencies_are_an_error(shop: Shop) -> None:
    with pytest.raises(InputError, match=r"items.csv:3: price is in two currencies, '15 EUR' and '16 USD'"):
        load(shop, ["15 EUR", "16 USD", "17 EUR"])
