"""Units convert within their dimension, and quantities are read as people write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrank.errors import InputError
from kgrank.ontology.units import convert, known_units, number_texts, read_quantity, suggest_unit, unit


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (1.0, "[in_i]", "cm", 2.54),
        (40.0, "cm", "mm", 400.0),
        (1.0, "[lb_av]", "g", 453.59237),
        (1.5, "kW.h", "kJ", 5400.0),
        (100.0, "km/h", "m/s", 27.7777777778),
        (20.0, "Cel", "[degF]", 68.0),
        (-40.0, "[degF]", "Cel", -40.0),
        (0.0, "Cel", "K", 273.15),
        (2.0, "a", "mo", 24.0),
        (1.0, "[gal_us]", "L", 3.785411784),
        (32.0, "g/m2", "kg/m2", 0.032),
        (9.0, "[den]", "tex", 1.0),
        (7.5, "EUR", "EUR", 7.5),
    ],
)
def test_known_conversions(value: float, source: str, target: str, expected: float) -> None:
    assert convert(value, source, target) == pytest.approx(expected, rel=1e-9)


@given(st.data(), st.floats(-1e6, 1e6))
def test_there_and_back_is_the_same(data: st.DataObject, value: float) -> None:
    source = data.draw(st.sampled_from(sorted(known_units())))
    same = sorted(u for u in known_units() if unit(u).dimension == unit(source).dimension)
    target = data.draw(st.sampled_from(same))
    assert convert(convert(value, source, target), target, source) == pytest.approx(value, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize(("source", "target"), [("cm", "g"), ("EUR", "USD"), ("mo", "d"), ("W", "kW.h")])
def test_other_dimensions_are_refused(source: str, target: str) -> None:
    with pytest.raises(InputError, match=f"1 {source}"):
        convert(1.0, source, target)


def test_an_unknown_unit_is_refused_with_a_proposal() -> None:
    with pytest.raises(InputError, match="unknown unit"):
        convert(1.0, "cm", "ell")
    assert suggest_unit("inch") == "[in_i]"
    assert suggest_unit("Inches") == "[in_i]"
    assert suggest_unit("CM") == "cm"
    assert suggest_unit("eur") == "EUR"
    assert suggest_unit("zzzzzz") is None


def test_the_table_has_about_sixty_units_besides_the_currencies() -> None:
    currencies = {u for u in known_units() if unit(u).dimension.startswith("currency")}
    assert {"EUR", "CNY", "USD", "JPY"} <= currencies
    assert len(known_units() - currencies) >= 60


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("40 cm", (40.0, "cm")),
        ("40cm", (40.0, "cm")),
        ("0,9 kg", (0.9, "kg")),
        ("€ 12.50", (12.5, "EUR")),
        ("EUR 12", (12.0, "EUR")),
        ("1.234,50 €", (1234.5, "EUR")),
        ("1,234,567.5 g", (1234567.5, "g")),
        ("-3 °C", (-3.0, "Cel")),
        ('15.6"', (15.6, "[in_i]")),
        ("55 inches", (55.0, "[in_i]")),
        ("100 %", (100.0, "%")),
        ("3 厘米", (3.0, "cm")),
        ("7", (7.0, "")),
        ("1e3 g", (1000.0, "g")),
    ],
)
def test_quantities_as_people_write_them(text: str, expected: tuple[float, str]) -> None:
    quantity = read_quantity(text)
    assert quantity is not None
    assert set(quantity.readings.values()) == {expected[0]}
    assert (unit(quantity.word).code if quantity.word else "") == expected[1]


@pytest.mark.parametrize("text", ["", "cm", "forty cm", "€ 12 EUR", "1.2.3 cm", "nan cm", "1e999 g"])
def test_what_is_no_quantity_has_no_reading(text: str) -> None:
    assert read_quantity(text) is None


def test_a_quantity_in_an_unknown_unit_keeps_its_word() -> None:
    assert read_quantity("40 ells") == ({".": 40.0, ",": 40.0}, "ells")
    with pytest.raises(InputError):
        unit("ells")


def test_a_number_that_can_be_read_in_two_ways_has_both_readings() -> None:
    quantity = read_quantity("1,234 g")
    assert quantity is not None
    assert sorted(quantity.readings.values()) == [1.234, 1234.0]


@given(st.text(max_size=12))
def test_any_text_has_finite_readings_or_none(text: str) -> None:
    quantity = read_quantity(text)
    assert quantity is None or all(map(math.isfinite, quantity.readings.values()))


def test_prices_have_two_decimals_where_one_has_any_and_numbers_no_powers_of_ten() -> None:
    assert number_texts((74.9, 80.0), "EUR") == ["74.90", "80.00"]
    assert number_texts((75.0, 1_000_000.0), "EUR") == ["75", "1000000"]
    assert number_texts((12357.46,), "EUR") == ["12357.46"]
    assert number_texts((0.4, 2_500_000.0), "kg") == ["0.4", "2500000"]
    assert number_texts((7.25,), None) == ["7.25"]
