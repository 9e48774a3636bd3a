"""``kgrank ontology fmt``: one layout for every file, which says exactly what it said before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kgrank.errors import InputError
from kgrank.ontology.blocks import Block, Document, Heading, Object, read_blocks
from kgrank.ontology.check.parse import parse_folder
from kgrank.ontology.triples import comparable_triples
from kgrank.ontology.turtle import natural, write_document
from kgrank.ontology.vocabulary import NOTATION, local


def format_folder(folder: Path, *, sort: bool = False) -> dict[Path, tuple[str, str]]:
    """The texts, as they are and as they should be, of the files whose layout is another one.

    Raises:
        InputError: There is no such folder, or a file of it is no Turtle.
    """
    texts = sound_texts(folder)
    tidy = {name: format_text(text, sort=sort) for name, text in texts.items()}
    return {folder / name: (texts[name], tidy[name]) for name in texts if texts[name] != tidy[name]}


def format_text(text: str, *, sort: bool = False) -> str:
    """A Turtle text in the fixed layout; with ``sort``, things by notation and name below each heading."""
    document = joined(read_blocks(text))
    tidy = write_document(_sorted(document) if sort else document)
    if comparable_triples([tidy]) != comparable_triples([text]):
        raise InputError("this file cannot be laid out without changing what it says")
    return tidy


def sound_texts(folder: Path) -> Mapping[str, str]:
    """The texts of a folder's files by name.

    Raises:
        InputError: There is no such folder, or a file of it is no Turtle; the first mistake is named.
    """
    _, texts, broken = parse_folder(folder)
    if broken:
        first = broken[0]
        raise InputError(
            f"{first.code} {first.text}",
            where=f"{folder / first.file}:{first.line}:{first.column}",
            todo=f"{first.advice.rstrip('.')}. All of them: kgrank ontology check {folder}",
        )
    return texts


def joined(document: Document) -> Document:
    """The document with one block for each term, at the position of its first."""
    first: dict[str, int] = {}
    parts: list[Block | Heading] = []
    for part in document.parts:
        iri = part.iri if isinstance(part, Block) else ""
        if not iri or iri not in first or not isinstance(part, Block):
            first.setdefault(iri, len(parts))
            parts.append(part)
            continue
        before = parts[first[iri]]
        assert isinstance(before, Block)
        note = (part.note,) if part.note else ()
        parts[first[iri]] = Block(
            before.subject,
            before.statements + part.statements,
            before.comments + part.comments + note,
            before.note,
        )
    return Document(document.prefixes, tuple(parts), document.top)


def _sorted(document: Document) -> Document:
    parts: list[Block | Heading] = []
    section: list[Block] = []
    for part in (*document.parts, None):
        if isinstance(part, Block):
            section.append(part)
            continue
        section.sort(key=_place)
        parts += section
        section = []
        if part is not None:
            parts.append(part)
    return Document(document.prefixes, tuple(parts), document.top)


def _place(block: Block) -> tuple[object, ...]:
    notations: tuple[Object, ...] = block.objects(NOTATION)
    notation = str(getattr(notations[0], "value", "")) if notations else ""
    return natural(notation), natural(local(block.iri)), block.iri
