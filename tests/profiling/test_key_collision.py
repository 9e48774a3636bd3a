"""Values that are one, and values that only look alike."""

from __future__ import annotations

import pytest

from kgrank.profiling.key_collision import abbreviations, collisions, likenesses


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("HARIO", "Hario"),
        ("Stainless  steel", "stainless-steel"),
        ("Weiß", "weiss"),
        ("Café Crème", "cafe creme"),
        ("V60", "v 60"),
        ("1–2", "1-2"),
        ("Stainlesssteel", "Stainless steel"),
        ("Nord-Holz", "Nordholz"),
        ("steel, stainless", "Stainless Steel"),
    ],
)
def test_spellings_with_the_same_words_are_one_value(first: str, second: str) -> None:
    assert collisions({first: 3, second: 1}) == {second: first}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("A+", "A"),
        ("1-2", "12"),
        ("C", "C#"),
        ("10x20", "20x10"),
        ("1.5", "15"),
        ("Red", "Reed"),
        ("XL", "XXL"),
    ],
)
def test_values_that_mean_different_things_stay_apart(first: str, second: str) -> None:
    assert collisions({first: 3, second: 1}) == {}


def test_the_more_frequent_spelling_stays() -> None:
    assert collisions({"HARIO": 2, "Hario": 9, "hario": 1}) == {"HARIO": "Hario", "hario": "Hario"}


def test_a_value_that_lacks_only_the_attribute_s_own_name_is_the_full_one() -> None:
    assert abbreviations({"Dual boiler": 8, "dual": 3, "HX": 1}, "Boiler") == {"dual": "Dual boiler"}
    assert abbreviations({"Dual boiler": 8, "dual": 3}, "Heating") == {}


def test_a_value_inside_another_is_proposed_and_not_merged() -> None:
    counts = {"Conical": 6, "conical steel": 3, "Flat": 9}
    assert collisions(counts) == {}
    assert [(p.value, p.other) for p in likenesses(counts)] == [("Conical", "conical steel")]


def test_a_slip_of_the_pen_is_proposed_and_not_merged() -> None:
    assert [(p.value, p.other) for p in likenesses({"Comandante": 6, "Comandnate": 1})] == [
        ("Comandante", "Comandnate")
    ]


def test_values_with_other_numbers_are_never_alike() -> None:
    assert likenesses({"Series 100": 3, "Series 200": 2, "Series": 1}) == []
