"""A check that is kept open says after an edit what a whole check says."""

from __future__ import annotations

from pathlib import Path

import pytest
from bad_inputs import CASES, MORE_CASES, Case, damage

from kgrank.errors import InputError
from kgrank.ontology.check import check_folder
from kgrank.ontology.check.messages import Message
from kgrank.ontology.check.session import Session

ONLY_WHOLE = {"W212", "W318"}


def said(messages: list[Message]) -> list[tuple[str, int, int, str, str]]:
    return [(m.file, m.line, m.column, m.code, m.text) for m in messages if m.code not in ONLY_WHOLE]


@pytest.mark.parametrize("case", [*CASES, *MORE_CASES], ids=lambda c: c.name)
def test_after_an_edit_of_one_file_it_finds_what_a_whole_check_finds(case: Case, example: Path) -> None:
    session = Session(example)
    assert session.messages == []
    damage(example, case)
    found: list[Message] = []
    for path in sorted(example.glob("*.ttl")):
        found += session.recheck_file(path.name)
    assert set(said(found)) == set(said(check_folder(example)))


def test_after_the_repair_it_finds_nothing(example: Path) -> None:
    before = (example / "rules.ttl").read_bytes()
    damage(example, next(c for c in CASES if c.name == "brand unknown"))
    session = Session(example)
    assert [m.code for m in session.messages] == ["R424"]
    (example / "rules.ttl").write_bytes(before)
    assert session.recheck_file("rules.ttl") == []


def test_an_attribute_taken_away_is_found_in_the_rule_of_another_file(example: Path) -> None:
    session = Session(example)
    path = example / "categories.ttl"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("kg:requires a:size", "kg:allows a:size", 1).replace(
            "kg:recommends a:neckline , a:sleeve-length", "kg:recommends a:sleeve-length"
        ),
        encoding="utf-8",
    )
    found = session.recheck_file("categories.ttl")
    assert said(found) == said(check_folder(example))
    assert {(m.file, m.code) for m in found} >= {("rules.ttl", "R418")}


def test_one_category_is_checked_with_the_rules_that_hold_there(example: Path) -> None:
    conflict = next(c for c in CASES if c.code == "R434")
    damage(example, conflict)
    session = Session(example)
    place = next(m for m in session.messages if m.code == "R434")
    assert place in session.recheck_category("dresses")
    with pytest.raises(InputError, match="Did you mean dresses"):
        session.recheck_category("dreses")


def test_a_file_that_does_not_parse_says_so_and_nothing_else(example: Path) -> None:
    session = Session(example)
    (example / "values.ttl").write_text("v:x a kg:Value", encoding="utf-8")
    assert {m.code for m in session.recheck_file("values.ttl")} == {"P001"}
    with pytest.raises(InputError, match="no such file"):
        session.recheck_file("value.ttl")
