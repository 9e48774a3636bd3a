"""``kgrank ontology``: exit codes, lines, JSON, and one error line for what cannot run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bad_inputs import CASES, damage
from typer.testing import CliRunner

from kgrank.cli.main import app

RUN = CliRunner()


def damaged(example: Path, name: str) -> Path:
    damage(example, next(c for c in CASES if c.name == name))
    return example


def test_a_sound_ontology_exits_with_0_and_is_counted(fashion_folder: Path) -> None:
    result = RUN.invoke(app, ["ontology", "check", str(fashion_folder)])
    assert result.exit_code == 0
    assert result.output == "0 errors, 0 warnings: 11 categories, 11 attributes, 13 rules\n"


def test_an_error_exits_with_1_and_names_the_place(example: Path) -> None:
    result = RUN.invoke(app, ["ontology", "check", str(damaged(example, "word misspelt"))])
    assert result.exit_code == 1
    line, counts = result.output.splitlines()
    assert line == f"{example}/categories.ttl:20:5: O104 unknown word requiers. Did you mean requires?"
    assert counts == "1 error, 0 warnings"
    assert "\x1b" not in result.output


def test_warnings_fail_only_a_strict_check(example: Path) -> None:
    folder = str(damaged(example, "Chinese name missing"))
    assert RUN.invoke(app, ["ontology", "check", folder]).exit_code == 0
    assert RUN.invoke(app, ["ontology", "check", folder, "--strict"]).exit_code == 1


def test_json_has_the_same_messages(example: Path) -> None:
    result = RUN.invoke(app, ["ontology", "check", str(damaged(example, "brand unknown")), "--json"])
    document = json.loads(result.output)
    assert result.exit_code == 1
    assert (document["errors"], document["warnings"]) == (1, 0)
    assert document["messages"][0] == {
        "file": "rules.ttl",
        "line": 70,
        "column": 14,
        "code": "R424",
        "severity": "error",
        "text": "the brand aurra is not known",
        "advice": "Did you mean aurora?",
    }


def test_shacl_adds_what_the_shapes_say(example: Path) -> None:
    result = RUN.invoke(app, ["ontology", "check", str(damaged(example, "sure 1.0")), "--shacl"])
    assert result.exit_code == 1
    assert "rules.ttl:13:54: SHACL dress-order: kg:sure is a number above 0 and below 1" in result.output


def test_rules_are_listed_for_one_category_in_chinese(fashion_folder: Path) -> None:
    arguments = ["ontology", "rules", str(fashion_folder), "--category", "sneakers", "--language", "zh"]
    result = RUN.invoke(app, arguments)
    assert result.exit_code == 0
    assert "在运动鞋中，价格至少占决定的20%（把握80%）。" in result.output
    assert "dress-order" not in result.output
    assert result.output.endswith("6 rules\n")


def test_rules_as_json_name_their_author(fashion_folder: Path) -> None:
    result = RUN.invoke(app, ["ontology", "rules", str(fashion_folder), "--json"])
    rules = {r["id"]: r for r in json.loads(result.output)}
    assert len(rules) == 13
    assert rules["tee-price"]["creator"] == "clothing-lead"
    assert rules["brand-cap"]["hard"] is True


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["check", "{missing}"], "no such folder"),
        (["rules", "{folder}", "--category", "sneaker"], "Did you mean sneakers?"),
        (["rules", "{folder}", "--language", "fr"], "rules cannot be said in fr"),
        (["export", "{folder}"], "say where to write"),
        (["import", "{missing}", "x.json", "--from", "shopfy"], "Did you mean shopify?"),
        (["graph", "{folder}", "--svg", "x.svg", "--category", "sneaker"], "Did you mean sneakers?"),
        (["diff", "{missing}", "{folder}"], "no such folder"),
    ],
)
def test_what_cannot_run_is_one_line_and_exit_code_2(
    arguments: list[str], says: str, fashion_folder: Path, tmp_path: Path
) -> None:
    filled = [a.format(folder=fashion_folder, missing=tmp_path / "missing") for a in arguments]
    command = [sys.executable, "-c", "from kgrank.cli.main import main; main()", "ontology", *filled]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
