"""Finds the Cypher and Turtle files, in a checkout and in an installed wheel alike."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The shipped folder ``graph`` or ``ontology``."""
    shipped = _PACKAGE / "_shipped" / name
    return shipped if shipped.is_dir() else _PACKAGE.parent / name


@cache
def cypher(name: str) -> str:
    """The text of one statement, for example ``rank/top_items``."""
    return (folder("graph") / f"{name}.cypher").read_text(encoding="utf-8")
