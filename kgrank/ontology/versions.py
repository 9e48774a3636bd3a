"""Versions of an ontology: a folder, or a folder in a git revision."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from kgrank.errors import InputError
from kgrank.ontology.check.folder import read_model
from kgrank.ontology.check.parse import Parsed, parse_file, parse_text, together, turtle_files
from kgrank.ontology.check.pause import uncollected
from kgrank.ontology.model import Ontology
from kgrank.resources import ontology_folder


@uncollected()
def read_versions(*versions: str) -> list[Ontology]:
    """The ontologies in folders (``my-shop``) or git revisions (``HEAD~1:my-shop``), without rule against rule.

    A name of a shipped ontology (``fashion``) is a folder too.

    Files that two versions have in common are parsed once.

    Raises:
        InputError: A version is not there, or has errors; the first is named.
    """
    parsed: dict[tuple[str, str], Parsed] = {}
    ontologies = []
    for version in versions:
        files = {name: _parsed(name, text, parsed) for name, text in _texts(version).items()}
        ontologies.append(_ontology(version, files))
    return ontologies


def _texts(version: str) -> Mapping[str, str | Path]:
    """The files of a version by name: paths in a folder, texts from git."""
    folder = Path(version) if ":" in version else ontology_folder(version)
    if folder.is_dir():
        paths = turtle_files(folder)
        if not paths:
            raise InputError("no .ttl file in this folder", where=version)
        return {p.name: p for p in paths}
    if ":" not in version:
        raise InputError(
            "no such folder",
            where=version,
            expected="a folder, or a folder in a git revision: HEAD~1:my-shop",
        )
    names = [n for n in _git("ls-tree", "--name-only", version).splitlines() if n.lower().endswith(".ttl")]
    if not names:
        raise InputError("no .ttl file in this folder", where=version)
    return {n: _git("show", f"{version.rstrip('/')}/{n}") for n in names}


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=True)
    except FileNotFoundError:
        raise InputError("git is not installed", todo="Name two folders.") from None
    except subprocess.CalledProcessError as error:
        stderr = error.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"git says: {stderr[-1] if stderr else 'nothing'}", where=arguments[-1]) from None
    return done.stdout.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")


def _parsed(name: str, source: str | Path, cache: dict[tuple[str, str], Parsed]) -> Parsed:
    if isinstance(source, Path):
        try:
            text = source.read_bytes().decode("utf-8").lstrip("\ufeff").replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError):
            return parse_file(source)
    else:
        text = source
    if (name, text) not in cache:
        cache[name, text] = parse_text(name, text)
    return cache[name, text]


def _ontology(version: str, files: Mapping[str, Parsed]) -> Ontology:
    graph, texts, broken = together(files)
    examination = None if broken else read_model(graph, texts)
    messages = broken or (examination.errors if examination is not None else [])
    if examination is None or examination.ontology is None:
        first = messages[0]
        raise InputError(
            f"{first.code} {first.text}",
            where=f"{version}/{first.file}:{first.line}:{first.column}",
            todo=f"{first.advice}. All of them: kgrank ontology check.",
        )
    return examination.ontology
