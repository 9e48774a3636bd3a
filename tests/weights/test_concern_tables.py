"""What is said of many problems in the data."""

from __future__ import annotations

from kgrank.weights.concerns import PROBLEM, by_kind, concern_table, in_full_and_counted
from kgrank.weights.model import Cause, Concern


def concern(cause: Cause, category: str, attribute: str | None = None) -> Concern:
    return Concern(cause, category, attribute, f"of {category}")


MANY = tuple(concern(Cause.CONSTANT, f"c{k}", ("mailer", "display")[k % 4 == 0]) for k in range(398))
UNIT = concern(Cause.MIXED_UNITS, "juice", "price")


def test_hundreds_of_warnings_of_one_kind_are_one_line_and_a_table_that_names_the_first() -> None:
    in_full, counted = in_full_and_counted((*MANY, UNIT), most=20)
    assert in_full == (UNIT,), "one of a kind of its own is said in full"
    title, heads, *rows = concern_table(counted).splitlines()
    assert title.startswith("398 problems in the data of 398 categories; `kgrank importance CATEGORY --json`")
    assert heads.split() == ["problem", "attribute", "count", "categories"]
    assert [row.split()[-7:] for row in rows] == [
        ["298", "c1,", "c2,", "c3", "and", "295", "more"],
        ["100", "c0,", "c4,", "c8", "and", "97", "more"],
    ]


def test_a_few_warnings_are_all_said_in_full() -> None:
    assert in_full_and_counted((*MANY[:19], UNIT), most=20) == ((*MANY[:19], UNIT), ())


def test_every_cause_has_words_and_a_category_with_two_concerns_of_a_kind_is_named_once() -> None:
    assert set(PROBLEM) == set(Cause)
    (kind,) = by_kind([concern(Cause.SEPARATION, "a", "brand"), concern(Cause.SEPARATION, "a", "brand")])
    assert kind.cells == (PROBLEM[Cause.SEPARATION], "brand", "2", "a")
