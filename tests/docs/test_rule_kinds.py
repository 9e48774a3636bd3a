"""The examples of docs/rule-kinds.md are rules that the check accepts, and mean what the page says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from kgrank.ontology.blocks import read_blocks
from kgrank.ontology.check import check_folder
from kgrank.ontology.kinds.table import rule_kinds
from kgrank.ontology.read import read_ontology
from kgrank.ontology.sentences import sentence

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rule-kinds.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"^## (\w+)\n.*?^```turtle\n(.*?)^```\n\n> (.*?)\n(?:\n|\Z)", PAGE, re.MULTILINE | re.DOTALL
)


def test_every_kind_has_an_example() -> None:
    assert [kind for kind, _, _ in EXAMPLES] == list(rule_kinds())


@pytest.mark.parametrize(("kind", "turtle", "words"), EXAMPLES, ids=[kind for kind, _, _ in EXAMPLES])
def test_an_example_passes_the_check_and_reads_as_its_sentence(
    kind: str, turtle: str, words: str, tmp_path: Path
) -> None:
    shop = tmp_path / "shop"
    shutil.copytree(ROOT / "ontology" / "fashion", shop)
    prefixes = read_blocks((shop / "ontology.ttl").read_text(encoding="utf-8")).prefixes
    with (shop / "rules.ttl").open("a", encoding="utf-8") as rules:
        missing = [f"@prefix b: <{prefixes['b']}> .\n"] if "b:" in turtle else []
        rules.write("\n" + "".join(missing) + turtle)
    assert [message.line_text() for message in check_folder(shop)] == []
    ontology = read_ontology(shop)
    rule = list(ontology.rules.values())[-1]
    assert rule.kind == kind
    assert sentence(rule, ontology) == " ".join(words.replace("\n> ", " ").split())


def test_the_examples_pass_the_check_together(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shutil.copytree(ROOT / "ontology" / "fashion", shop)
    prefixes = read_blocks((shop / "ontology.ttl").read_text(encoding="utf-8")).prefixes
    with (shop / "rules.ttl").open("a", encoding="utf-8") as rules:
        rules.write(
            "\n".join(["", f"@prefix b: <{prefixes['b']}> .", *(turtle for _, turtle, _ in EXAMPLES)])
        )
    assert [message.line_text() for message in check_folder(shop)] == []
