"""The pages that are generated hold all of what they are generated from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from html import unescape
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer

import kgrank.ranking
import kgrank.weights
from kgrank.cli.main import app
from kgrank.learning.configuration.config import RunConfig
from kgrank.serving.endpoints import ENDPOINTS
from kgrank.serving.openapi import document


def text(site: Path, page: str) -> str:
    """What a reader sees of a page."""
    html = (site / page).read_text(encoding="utf-8")
    return unescape(re.sub(r"<[^>]+>", "", html))


def leaves(command: Any, path: str = "kgrank") -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", {})
    for name, child in children.items():
        yield from leaves(child, f"{path} {name}")
    if not children:
        yield path, command


def keys(kind: type[Any], prefix: str = "") -> Iterator[str]:
    hints = get_type_hints(kind)
    for field in fields(kind):
        yield prefix + field.name
        for hint in (hints[field.name], *get_args(hints[field.name])):
            if is_dataclass(hint) and isinstance(hint, type):
                yield from keys(hint, f"{prefix}{field.name}.")


def test_every_command_stands_with_its_options_and_its_examples(site: Path) -> None:
    html = (site / "commands.html").read_text(encoding="utf-8")
    sections = {re.findall(r"<h2>([a-z -]+)<", part)[0]: part for part in html.split("<section ")[2:]}
    for path, command in leaves(typer.main.get_command(app)):
        section = unescape(re.sub(r"<[^>]+>", "", sections[path]))
        options = [p.opts[0] for p in command.params if p.param_type_name == "option"]
        assert [option for option in options if option not in section] == [], path
        examples = re.split(r"\s*Example: ", command.help)[1:]
        assert examples, path
        assert [e for e in examples if " ".join(e.split()) not in section] == [], path


def test_every_key_of_a_run_stands_in_the_configuration(site: Path) -> None:
    html = (site / "configuration.html").read_text(encoding="utf-8")
    cells = set(
        re.findall(r'<td><p><code class="[^"]*"><span class="pre">([\w.]+)</span></code></p></td>', html)
    )
    assert set(keys(RunConfig)) <= cells


def test_every_operation_and_schema_stands_in_the_http_reference(site: Path) -> None:
    page, described = text(site, "http.html"), document(ENDPOINTS)
    for path, methods in described["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in page
    html = (site / "http.html").read_text(encoding="utf-8")
    assert all(f'id="schema-{name}"' in html for name in described["components"]["schemas"])


@pytest.mark.parametrize("module", [kgrank.ranking, kgrank.weights])
def test_every_public_name_stands_in_the_python_reference(site: Path, module: Any) -> None:
    page = (site / "python.html").read_text(encoding="utf-8")
    assert [name for name in module.__all__ if f'id="{module.__name__}.{name}"' not in page] == []
