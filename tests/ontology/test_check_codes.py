"""Every code is explained, and the page is the table."""

from __future__ import annotations

import re
from pathlib import Path

from kgrank.ontology.check.codes import CODES, page

ROOT = Path(__file__).parents[2]


def test_the_table_has_exactly_the_codes_that_the_checks_give() -> None:
    folders = (ROOT / "kgrank/ontology/check", ROOT / "kgrank/ontology/kinds")
    sources = (p for folder in folders for p in folder.glob("*.py") if p.name != "codes.py")
    given = {c for p in sources for c in re.findall(r'"([POWRL]\d{3})"', p.read_text(encoding="utf-8"))}
    listed = [c.code for c in CODES]
    assert set(listed) == given
    assert len(listed) == len(set(listed))


def test_the_page_of_codes_is_current() -> None:
    shown = (ROOT / "docs/ontology-codes.md").read_text(encoding="utf-8")
    assert shown == page(), "write it again: python -m kgrank.ontology.check.codes > docs/ontology-codes.md"


def test_every_code_says_what_to_do() -> None:
    assert all(c.title and c.todo.endswith(".") for c in CODES)
    assert all(c.bad and c.good for c in CODES if c.code[0] == "R" and c.code != "R436")
