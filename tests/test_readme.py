"""The texts name only commands, options and files that exist."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from kgrank.cli.main import app

ROOT = Path(__file__).parents[1]
TEXTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "CODE_OF_CONDUCT.md"]
TEXTS += sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))
MADE = ("out/", "demo-shop", "kgrank/_shipped/")
"""Paths that the commands write, or the wheel."""
SHELL = ("source", "export", "pip")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language; an empty one means commands."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [block for name, block in fenced if name == language]


def commands() -> Iterator[list[str]]:
    """Each command of the fenced blocks of README and CONTRIBUTING, without its comment."""
    for name in ("README.md", "CONTRIBUTING.md"):
        for block in blocks((ROOT / name).read_text(encoding="utf-8"), ""):
            for line in block.splitlines():
                if words := shlex.split(line, comments=True):
                    yield words


def leaves(command: Any, path: tuple[str, ...] = ("kgrank",)) -> Iterator[tuple[tuple[str, ...], Any]]:
    """All commands below a group, with their names."""
    for name, below in getattr(command, "commands", {}).items():
        yield from leaves(below, (*path, name))
    if not hasattr(command, "commands"):
        yield path, command


TREE = dict(leaves(typer.main.get_command(app)))


def parse(words: list[str]) -> None:
    """Parses a kgrank command line as typer does; a wrong option or a missing argument raises."""
    size = next((n for n in (2, 3) if tuple(words[:n]) in TREE), 0)
    assert size, f"there is no command {' '.join(words[:3])}"
    TREE[tuple(words[:size])].make_context(words[size - 1], words[size:])


def test_the_texts_have_commands() -> None:
    heads = [words[0] for words in commands()]
    assert {"make", "kgrank", "python"} <= set(heads)
    assert len(heads) >= 12


@pytest.mark.parametrize("words", [w for w in commands() if w[0] == "kgrank"], ids=" ".join)
def test_kgrank_commands_of_the_texts_exist_with_their_options(words: list[str]) -> None:
    parse(words)


def named(text: str) -> Iterator[str]:
    """Commands that a text names in a line of a block, after ``$`` or not, or within a sentence."""
    content = (ROOT / text).read_text(encoding="utf-8")
    for block in blocks(content, ""):
        yield from re.findall(r"^(?:\$ )?(kgrank [a-z].*)$", block, flags=re.MULTILINE)
    yield from re.findall(r"`(kgrank [a-z][^`]*)`", content)


@pytest.mark.parametrize("text", TEXTS)
def test_texts_name_only_commands_that_exist(text: str) -> None:
    tops = {path[1] for path in TREE}
    for line in named(text):
        words = tuple(line.split())
        grouped = len({path for path in TREE if path[1] == words[1]} - {("kgrank", words[1])}) > 0
        assert words[1] in tops, line
        assert not grouped or len(words) == 2 or words[:3] in TREE, line


def test_every_command_is_named_in_a_text() -> None:
    told = " ".join((ROOT / text).read_text(encoding="utf-8") for text in TEXTS)
    missing = [
        " ".join(path) for path in TREE if " ".join(path[-2:]) not in told and f"`{path[-1]}`" not in told
    ]
    assert missing == []


def test_other_commands_of_the_texts_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for words in commands():
        if words[0] == "make":
            assert set(words[1:]) <= targets
        elif words[0] == "python":
            assert (ROOT / words[1]).is_file(), words[1]
        else:
            assert words[0] in ("kgrank", *SHELL), words


def test_training_commands_of_the_texts_are_understood() -> None:
    pytest.importorskip("lightning", reason="training needs the extra `learn`")
    for words in [*commands(), ["python", "train.py", "--config", "configs/fashion.yaml"]]:
        if words[:2] in (["python", "train.py"], ["kgrank", "train"]):
            program = [] if words[0] == "python" else ["-m"]
            line = [
                sys.executable,
                *program,
                *(words[1:] if words[0] == "python" else words),
                "--print_config",
            ]
            done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr[-500:]


@pytest.mark.parametrize("name", [" ".join(path) for path in TREE])
def test_every_command_explains_itself_with_an_example_that_works(name: str) -> None:
    _, _, examples = TREE[tuple(name.split())].help.partition("Example:")
    lines = re.findall(r"kgrank [^\n]*(?:\n(?! *kgrank )[^\n]+)*", examples)
    assert lines, f"{name} has no example"
    for line in lines:
        parse(line.split())


@pytest.mark.parametrize("text", TEXTS)
def test_links_lead_to_files_that_exist(text: str) -> None:
    place = ROOT / text
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", place.read_text(encoding="utf-8")):
        if not link.startswith("http"):
            assert (place.parent / link).exists(), link


@pytest.mark.parametrize("text", ["README.md", "CONTRIBUTING.md"])
def test_paths_in_the_texts_exist(text: str) -> None:
    tops = {p.name for p in ROOT.iterdir()}
    for code in re.findall(r"`([^`\n ]+/[^`\n ]*)`", (ROOT / text).read_text(encoding="utf-8")):
        if code.partition("/")[0] in tops and not code.startswith(MADE):
            assert (ROOT / code).exists(), code


def test_the_python_of_the_readme_imports_what_exists() -> None:
    found = blocks((ROOT / "README.md").read_text(encoding="utf-8"), "python")
    assert found
    for block in found:
        tree = ast.parse(block)
        imports = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
        exec(compile(ast.Module(imports, []), "README.md", "exec"), {})


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_a_python_that_is_too_old_is_named_with_what_to_do(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.1" && exit 0\nexit 1\n')
    old.chmod(0o755)
    line = ["make", "demo", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0
    assert "needs Python 3.11 or newer; found: Python 3.9.1" in done.stdout
    assert "make demo PYTHON=" in done.stdout
    assert not (tmp_path / "venv").exists()
