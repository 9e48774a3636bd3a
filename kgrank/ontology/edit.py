"""Edits to Turtle texts: blocks are put in the place of others, and no other line is touched."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from kgrank.ontology.blocks import Block, Document, read_blocks
from kgrank.ontology.layout import joined
from kgrank.ontology.turtle import Writer, write_document

_PREFIX_LINE = re.compile(r"^[ \t]*@?prefix\b[^\n]*\n", re.MULTILINE | re.IGNORECASE)


def edit_blocks(
    text: str,
    changed: Mapping[str, Block],
    added: Sequence[Block] = (),
    removed: Collection[str] = (),
    prefixes: Mapping[str, str] | None = None,
) -> str:
    """A Turtle text with some blocks replaced, some appended and some removed.

    Args:
        text: Valid Turtle; may be empty.
        changed: The new blocks by the IRI of their thing.
        added: Blocks of things that the text does not describe.
        removed: IRIs of things to take out.
        prefixes: Short names that may be used beside those of the text; declared where they are needed.
    """
    if not text.strip():
        return write_document(Document(prefixes or {}, tuple(added)))
    document = read_blocks(text)
    names = {**(prefixes or {}), **document.prefixes}
    writer = Writer(names)
    whole = {b.iri: b for b in joined(document).blocks}
    done: set[str] = set()
    pieces: list[str] = []
    at = 0
    for block in document.blocks:
        if block.iri not in changed and block.iri not in removed:
            continue
        start, end = block.span
        pieces.append(text[at:start])
        if block.iri in changed and block.iri not in done:
            pieces.append(writer.block(_with_comments(changed[block.iri], whole[block.iri])))
        else:
            end += len(text[end:]) - len(text[end:].lstrip("\n"))
        done.add(block.iri)
        at = end
    pieces.append(text[at:])
    result = "".join(pieces)
    if added:
        result = result.rstrip("\n") + "\n" + "".join(f"\n{writer.block(b)}\n" for b in added)
    return _declared(result, writer, document, names)


def _with_comments(block: Block, before: Block) -> Block:
    """The new block with the comments that the old one had, those of a word with that word."""
    old = {s.word: s for s in before.statements}
    statements = tuple(
        type(s)(s.word, s.objects, s.comments or old[s.word].comments, s.note or old[s.word].note)
        if s.word in old
        else s
        for s in block.statements
    )
    return Block(block.subject, statements, block.comments or before.comments, block.note or before.note)


def _declared(text: str, writer: Writer, document: Document, names: Mapping[str, str]) -> str:
    """The text with ``@prefix`` lines for the short names that it did not have."""
    missing = [p for p in names if p not in document.prefixes and p in writer.used]
    if not missing:
        return text
    lines = "".join(f"@prefix {p}: <{names[p]}> .\n" for p in missing)
    at = max((m.end() for m in _PREFIX_LINE.finditer(text)), default=0)
    return text[:at] + lines + text[at:]
