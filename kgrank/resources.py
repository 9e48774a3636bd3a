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


@cache
def migrations() -> tuple[tuple[int, str], ...]:
    """Number and text of each file that changes the schema of a Neo4j database, in order."""
    files = sorted((folder("graph") / "schema").glob("[0-9]*.cypher"))
    return tuple((int(f.name.partition("-")[0]), f.read_text(encoding="utf-8")) for f in files)


def schema_version() -> int:
    """The number of the last migration: what a store that is ready carries."""
    return migrations()[-1][0]
