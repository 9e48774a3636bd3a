"""Each bad input is found, by its code, on its line, and with few words about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from bad_inputs import BYTES_CASES, CASES, MORE_CASES, SIGNED, BytesCase, Case, as_bytes, damage

from kgrank.errors import InputError
from kgrank.ontology.check import check_folder
from kgrank.ontology.check.codes import CODES
from kgrank.ontology.read import read_ontology

EVERY = (*CASES, *MORE_CASES)


def test_the_lists_of_cases_are_complete() -> None:
    assert len(CASES) + len(BYTES_CASES) == 75
    assert len({c.name for c in EVERY}) == len(EVERY)


def test_the_undamaged_example_has_no_findings(example: Path) -> None:
    assert check_folder(example) == []


@pytest.mark.parametrize("case", EVERY, ids=lambda c: c.name)
def test_a_mistake_is_named_by_code_and_line(case: Case, example: Path) -> None:
    damage(example, case)
    messages = check_folder(example)
    found = [m for m in messages if m.code == case.code and (m.file, m.line) == (case.file, case.line)]
    lines = "\n".join(m.line_text() for m in messages)
    assert found, f"expected {case.code} at {case.file}:{case.line}, got:\n{lines}"
    assert case.says.lower() in found[0].line_text().lower()
    assert len(messages) <= 2, f"one cause, too many messages:\n{lines}"


@pytest.mark.parametrize("case", BYTES_CASES, ids=lambda c: c.name)
def test_a_damaged_file_is_named_and_harmless_forms_are_accepted(case: BytesCase, example: Path) -> None:
    as_bytes(example, case)
    messages = [(m.code, m.file, m.line) for m in check_folder(example)]
    assert messages == ([] if case.code is None else [(case.code, case.file, case.line)])


def test_a_missing_header_file_is_one_message(example: Path) -> None:
    (example / "ontology.ttl").unlink()
    assert [(m.code, m.line) for m in check_folder(example)] == [("O100", 0)]


def test_a_hard_conflict_is_an_error_and_a_soft_one_a_warning(example: Path) -> None:
    conflict = next(c for c in CASES if c.code == "R431")
    damage(example, conflict)
    assert [m.severity for m in check_folder(example)] == ["warning"]
    rules = example / "rules.ttl"
    text = rules.read_text(encoding="utf-8")
    hard = text.replace("kg:share 0.4 ; kg:sure 0.9", "kg:share 0.4 ; kg:must true").replace(
        "kg:share 0.25 ; kg:sure 0.7", "kg:share 0.25 ; kg:must true"
    )
    rules.write_text(hard, encoding="utf-8")
    assert [(m.code, m.severity) for m in check_folder(example)] == [("R431", "error")]


def test_of_thousands_of_conflicts_some_are_named_and_those_of_hard_rules_in_any_case(example: Path) -> None:
    shares = [("AtLeast", 0.5 + k / 10_000) if k % 2 else ("AtMost", 0.4 - k / 10_000) for k in range(3000)]
    soft = "".join(
        f"\nr:x{k} a kg:{kind} ; kg:in c:apparel ; kg:attribute a:color ; kg:share {share} ; "
        f"kg:sure 0.{k % 9 + 1} ; {SIGNED}"
        for k, (kind, share) in enumerate(shares)
    )
    hard = "".join(
        f"\nr:h{k} a kg:Order ; kg:in c:apparel ; kg:order ( {order} ) ; kg:must true ; {SIGNED}"
        for k, order in enumerate(("a:color a:material", "a:material a:color"))
    )
    with (example / "rules.ttl").open("a", encoding="utf-8") as rules:
        rules.write(soft + hard)
    found = [m for m in check_folder(example) if m.code in ("R431", "R434", "W437")]
    assert [m.severity for m in found if m.code == "R434"] == ["error"]
    assert sum(m.code == "R431" for m in found) == 20
    assert ["more rules that fight" in m.line_text() for m in found if m.code == "W437"] == [True]


def test_nothing_is_said_of_more_conflicts_where_all_are_named(example: Path) -> None:
    bounds = [("AtLeast", 0.3, 0.95)] + [("AtMost", 0.2 + k / 1000, 0.5) for k in range(20)]
    with (example / "rules.ttl").open("a", encoding="utf-8") as rules:
        for k, (kind, share, sure) in enumerate(bounds):
            rules.write(
                f"\nr:x{k} a kg:{kind} ; kg:in c:dresses ; kg:attribute a:color ; kg:share {share} ; "
                f"kg:sure {sure} ; {SIGNED}"
            )
    codes = [m.code for m in check_folder(example) if m.code in ("R431", "R432", "R433", "W437")]
    assert codes.count("R431") == 20
    assert "W437" not in codes


def test_hard_rules_that_contradict_each_other_are_an_error_beside_a_soft_one(example: Path) -> None:
    directions = (("Less", "kg:sure 0.9"), ("More", "kg:must true"), ("Less", "kg:must true"))
    with (example / "rules.ttl").open("a", encoding="utf-8") as rules:
        for k, (better, sure) in enumerate(directions):
            rules.write(
                f"\nr:x{k} a kg:Monotone ; kg:in c:shoes ; kg:attribute a:price ; kg:better kg:{better} ; "
                f"{sure} ; {SIGNED}"
            )
    assert "error" in [m.severity for m in check_folder(example) if m.code == "R430"]


def test_all_mistakes_are_found_in_one_run(example: Path) -> None:
    names = ("word misspelt", "type misspelt", "sure as percent", "notation twice", "brand unknown")
    chosen = [c for c in CASES if c.name in names]
    for case in chosen:
        damage(example, case)
    messages = check_folder(example)
    assert {m.code for m in messages} == {c.code for c in chosen}
    assert messages == sorted(messages)


def test_every_error_code_but_those_of_unreadable_files_has_a_case() -> None:
    covered = {c.code for c in EVERY} | {c.code for c in BYTES_CASES} | {"O100", "W437", "W101"}
    assert {c.code for c in CODES if c.code[0] != "L"} - covered == {"P002"}


def test_reading_names_the_first_error_and_how_many_there_are(example: Path) -> None:
    for case in CASES:
        if case.name in ("word misspelt", "sure as percent"):
            damage(example, case)
    with pytest.raises(InputError) as caught:
        read_ontology(example)
    sentence = caught.value.sentence()
    assert caught.value.where == f"{example}/categories.ttl:20:5"
    assert "and 1 more error" in sentence
    assert f"kgrank ontology check {example}" in sentence


def test_a_folder_without_turtle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \.ttl file"):
        check_folder(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        check_folder(tmp_path / "missing")


@pytest.mark.parametrize(
    ("file", "code"), [("values.ttl", "O204"), ("attributes.ttl", "O310"), ("categories.ttl", "R415")]
)
def test_a_missing_file_is_one_message_whatever_named_its_things(file: str, code: str, example: Path) -> None:
    (example / file).unlink()
    assert [m.code for m in check_folder(example)] == [code]


def test_a_turtle_file_in_a_folder_below_is_named(example: Path) -> None:
    (example / "rules").mkdir()
    (example / "rules.ttl").rename(example / "rules" / "shoes.TTL")
    messages = check_folder(example)
    assert [(m.file, m.severity) for m in messages if m.code == "W101"] == [("rules/shoes.TTL", "warning")]


@pytest.mark.parametrize(
    ("name", "text", "todo"),
    [
        ("more.jsonld", "{}", "rdfpipe more.jsonld -o turtle > more.ttl"),
        ("more.OWL", "", "rdfpipe more.OWL -o turtle > more.ttl"),
        ("more.xml", '<rdf:RDF xmlns:rdf="x"/>', "Write it as Turtle"),
        ("more.json", '{"@context": {}}', "Write it as Turtle"),
        ("more.turtle", "", "Rename it"),
        ("more.ttl.txt", "", "Rename it"),
        ("more.ttl.gz", "", "Unpack it"),
        ("more.ttl~", "", "Rename it so that it ends with .ttl"),
    ],
)
def test_a_file_beside_the_others_that_is_not_read_is_named(
    name: str, text: str, todo: str, example: Path
) -> None:
    (example / name).write_text(text, encoding="utf-8")
    (message,) = check_folder(example)
    assert (message.file, message.code) == (name, "W101")
    assert todo in message.advice


def test_a_file_that_says_nothing_in_rdf_is_left_alone(example: Path) -> None:
    (example / "package.json").write_text('{"name": "x"}', encoding="utf-8")
    (example / "feed.xml").write_text("<products/>", encoding="utf-8")
    (example / "notes.txt").write_text("x", encoding="utf-8")
    assert check_folder(example) == []


def test_a_folder_of_other_rdf_files_only_says_how_to_convert_them(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonld").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"rdfpipe shop\.jsonld"):
        check_folder(tmp_path)


def test_hidden_folders_are_passed_over(example: Path) -> None:
    (example / ".git").mkdir()
    (example / ".git" / "old.ttl").write_text("x")
    assert check_folder(example) == []


def test_a_file_in_another_syntax_is_named(example: Path) -> None:
    (example / "more.nt").write_text("<a:b> <a:c> <a:d> .\n")
    assert [(m.file, m.code) for m in check_folder(example)] == [("more.nt", "W101")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"Frocks"@en', '"Frocks"@en , "خانه\u200cها"@fa'),
        (
            "kg:requires a:color , a:price ;",
            "kg:requires a:color , a:price ; skos:narrower c:dresses , c:shoes ;",
        ),
    ],
    ids=["a joiner inside a word", "narrower beside broader"],
)
def test_what_editors_rightly_write_is_accepted(example: Path, before: str, after: str) -> None:
    file = example / "categories.ttl"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")
    assert check_folder(example) == []
