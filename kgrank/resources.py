"""Finds the files that are shipped: Cypher, Turtle, configurations and documentation.

They are in the checkout, or in the package where a wheel is installed.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from kgrank.errors import InputError, near_miss

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The shipped folder ``graph``, ``ontology``, ``configs`` or ``docs``."""
    shipped = _PACKAGE / "_shipped" / name
    return shipped if shipped.is_dir() else _PACKAGE.parent / name


def ontology_folder(source: str | Path) -> Path:
    """A folder, or the shipped ontology of this name: ``fashion``.

    Raises:
        InputError: A name that is neither.
    """
    ontologies = {p.name: p for p in folder("ontology").iterdir() if p.is_dir()}
    return _by_name(Path(source), ontologies, "folder", "ontology")


def config_file(source: str | Path) -> Path:
    """A file, or the shipped configuration of a run of this name: ``fashion``.

    Raises:
        InputError: A name that is neither.
    """
    return _by_name(Path(source), _yaml_files(folder("configs")), "file", "configuration")


def mapping_file(source: str | Path) -> Path:
    """A file, or the shipped mapping of columns of this name: ``choice_camera``.

    Raises:
        InputError: A name that is neither.
    """
    return _by_name(Path(source), _yaml_files(folder("configs") / "mappings"), "file", "mapping")


def _yaml_files(place: Path) -> dict[str, Path]:
    return {p.stem: p for p in place.glob("*.yaml")}


def _by_name(path: Path, shipped: dict[str, Path], kind: str, what: str) -> Path:
    """What exists comes first; a path of several parts, or with an ending, is never a name."""
    if path.exists() or len(path.parts) != 1 or path.suffix:
        return path
    if path.name in shipped:
        return shipped[path.name]
    raise InputError(
        f"there is no such {kind}, and no shipped {what} of this name",
        where=path,
        expected=f"a {kind}, or one of {', '.join(sorted(shipped))}",
        todo=near_miss(path.name, shipped),
    )


@cache
def help_pages() -> dict[str, Path]:
    """The pages of documentation that ``kgrank help`` shows, by topic."""
    pages = folder("docs")
    files = [*pages.glob("*.md"), *pages.glob("how-to/*.md"), *pages.glob("start/*.md")]
    # A page with a directive is generated when the site is built, and says nothing without it.
    written = (p for p in files if p.stem != "index" and "```{" not in p.read_text(encoding="utf-8"))
    return {p.stem: p for p in sorted(written, key=lambda p: p.stem)}


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
