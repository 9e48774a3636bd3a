"""What the pages tell a reader to type exists: commands with their options, Python names, YAML keys."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from kgrank.cli.main import app
from kgrank.ingest.mapping import read_mapping

ROOT = Path(__file__).parents[2]
PAGES = [*(ROOT / "docs" / "start").glob("*.md"), *(ROOT / "docs" / "how-to").glob("*.md")]
PAGES += [ROOT / "docs" / name for name in ("operations.md", "service.md", "stores.md", "rules.md")]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def lines(page: Path) -> Iterator[str]:
    """The kgrank command lines of a page, those over several lines joined."""
    for block in blocks(page, ""):
        joined = re.sub(r"\\\n\s*", "", block)
        if "'r:" not in joined:  # a rule as an argument spans lines of its own
            yield from (line for line in joined.splitlines() if line.startswith("kgrank "))


LINES = [(page.name, line) for page in PAGES for line in lines(page)]


def test_there_are_command_lines() -> None:
    assert len(LINES) > 40


@pytest.mark.parametrize(("page", "line"), LINES)
def test_a_command_line_is_understood(page: str, line: str) -> None:
    command: Any = typer.main.get_command(app)
    _, *words = shlex.split(line, comments=True)
    while hasattr(command, "commands"):
        name, *words = words
        assert name in command.commands, line
        command = command.commands[name]
    command.make_context(line, words)


@pytest.mark.parametrize(
    "page", [p for p in (ROOT / "docs").rglob("*.md") if blocks(p, "python")], ids=lambda p: p.name
)
def test_the_python_of_a_page_compiles_and_imports_what_exists(page: Path) -> None:
    for block in blocks(page, "python"):
        tree = ast.parse(block)
        imports = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
        exec(compile(ast.Module(imports, []), page.name, "exec"), {})


def test_the_mapping_that_is_shown_is_a_mapping(tmp_path: Path) -> None:
    (shown,) = blocks(ROOT / "docs" / "how-to" / "map-columns.md", "yaml")
    path = tmp_path / "shop.yaml"
    path.write_text(shown, encoding="utf-8")
    mapping = read_mapping(path)
    assert [len(mapping.items), len(mapping.events)] == [1, 1]


def test_the_configuration_that_is_shown_is_one(tmp_path: Path) -> None:
    pytest.importorskip("jsonargparse", reason="a run needs the extra for training")
    from kgrank.learning.configuration.options import parse

    (shown,) = blocks(ROOT / "docs" / "configuration.md", "yaml")
    path = tmp_path / "run.yaml"
    path.write_text(shown, encoding="utf-8")
    assert parse(["--config", str(path)], "train").validation.by == "person"
