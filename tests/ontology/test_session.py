"""A check that is kept open says after an edit what a whole check says."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from bad_inputs import CASES, MORE_CASES, Case, damage
from interruptible import interruptible

from kgrank.errors import InputError
from kgrank.ontology.check import check_folder
from kgrank.ontology.check.messages import Message
from kgrank.ontology.check.session import Session
from kgrank.ontology.check.watch import look, saved

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


def test_a_deleted_file_is_found_in_what_named_its_things(example: Path) -> None:
    session = Session(example)
    (example / "values.ttl").unlink()
    found = session.recheck_file("values.ttl")
    assert set(said(found)) == set(said(check_folder(example)))
    assert "O204" in {m.code for m in found}
    assert "values.ttl" not in session.files


def test_a_new_file_takes_part_and_mends_what_lacked_it(example: Path) -> None:
    text = (example / "values.ttl").read_text(encoding="utf-8")
    (example / "values.ttl").unlink()
    session = Session(example)
    (example / "more.ttl").write_text(text, encoding="utf-8")
    assert session.recheck_file("more.ttl") == []
    assert session.whole() == []


def test_the_whole_stays_right_through_any_edits(example: Path) -> None:
    session = Session(example)
    originals = {p.name: p.read_bytes() for p in example.glob("*.ttl")}
    for case in [*CASES[::4], *MORE_CASES[::4]]:
        damage(example, case)
        session.recheck_files(originals)
        assert session.whole() == check_folder(example), case.name
        for name, content in originals.items():
            (example / name).write_bytes(content)
        session.recheck_files(originals)
        assert session.whole() == []


def test_a_watch_sees_saves_new_files_and_deletions(example: Path) -> None:
    session = Session(example)
    before = look(example)
    assert saved(session, before, look(example)) is None
    damage(example, next(c for c in CASES if c.name == "brand unknown"))
    (example / "extra.ttl").write_text("# nothing yet\n", encoding="utf-8")
    after = look(example)
    found = saved(session, before, after)
    assert found is not None
    assert (found.changed, found.added, found.deleted) == (("rules.ttl",), ("extra.ttl",), ())
    assert [m.code for m in found.messages] == ["R424"]
    (example / "extra.ttl").unlink()
    gone = saved(session, after, look(example))
    assert gone is not None
    assert gone.deleted == ("extra.ttl",)


def test_the_command_watches_until_it_is_interrupted(example: Path) -> None:
    command = [*interruptible("from kgrank.cli.main import main; main()"), "ontology", "check"]
    with subprocess.Popen([*command, str(example), "--watch"], stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline() == "0 errors, 0 warnings. Watching 5 files; Ctrl-C ends it.\n"
        damage(example, next(c for c in CASES if c.name == "brand unknown"))
        assert watching.stdout.readline().endswith(" changed: rules.ttl\n")
        assert "R424 the brand aurra is not known" in watching.stdout.readline()
        told = watching.stdout.readline()
        assert told.startswith("1 error, 0 warnings (")
        assert told.endswith("in all 1 error, 0 warnings\n")
        watching.send_signal(signal.SIGINT)
        assert watching.stdout.read().endswith("stopped\n")
    assert watching.returncode == 0
