"""Every dependency has a lower and an upper bound: a release of somebody else breaks no installation."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
LISTS = {
    "build": PROJECT["build-system"]["requires"],
    "core": PROJECT["project"]["dependencies"],
    **PROJECT["project"]["optional-dependencies"],
}


@pytest.mark.parametrize("name", LISTS)
def test_every_dependency_is_bounded_below_and_above(name: str) -> None:
    others = [line for line in LISTS[name] if not line.startswith("kgrank[")]
    unbounded = [
        line for line in others if not re.fullmatch(r"[\w-]+(\[[\w,]+\])?>=[\w.]+,<[\w.]+(;.*)?", line)
    ]
    assert unbounded == []
