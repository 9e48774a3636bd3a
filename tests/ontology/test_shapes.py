"""What the shapes object to has a place, and what they object to the check objects to."""

from __future__ import annotations

from pathlib import Path

import pytest
from bad_inputs import CASES, Case, damage

from kgrank.errors import InputError
from kgrank.ontology.check import check_folder
from kgrank.ontology.shacl import CODE, check_shapes

SEEN = [
    c
    for c in CASES
    if c.code in {"O112", "O117", "O201", "O205", "O207", "O301", "R401", "R403", "R405", "R409", "W118"}
]


@pytest.mark.parametrize("case", SEEN, ids=lambda c: c.name)
def test_the_check_objects_wherever_the_shapes_do(case: Case, example: Path) -> None:
    damage(example, case)
    if check_shapes(example):
        assert check_folder(example)


def test_a_result_of_the_shapes_has_a_line(example: Path) -> None:
    damage(example, next(c for c in CASES if c.name == "sure 1.0"))
    found = check_shapes(example)
    assert [(m.code, m.file, m.line, m.column) for m in found] == [(CODE, "rules.ttl", 13, 54)]


def test_a_file_that_does_not_parse_gives_its_syntax_error(example: Path) -> None:
    damage(example, CASES[0])
    assert [m.code for m in check_shapes(example)] == ["P001"]


def test_own_shapes_are_run_and_broken_ones_refused(example: Path, tmp_path: Path) -> None:
    shapes = tmp_path / "own.ttl"
    shapes.write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix kg: <https://w3id.org/kgrank/ns#> .\n"
        "@prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n"
        "<urn:x> a sh:NodeShape ; sh:targetClass kg:Brand ;\n"
        "    sh:property [ sh:path skos:notation ; sh:minCount 1 ] .",
        encoding="utf-8",
    )
    assert [m.line for m in check_shapes(example, shapes)] == [22, 23]
    shapes.write_text("no turtle", encoding="utf-8")
    with pytest.raises(InputError, match="shapes cannot be read"):
        check_shapes(example, shapes)
