"""New and changed things in the files of a folder, and the errors that they would bring in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from kgrank.ontology.blocks import Block, read_blocks
from kgrank.ontology.check.folder import Examination, examine_graph
from kgrank.ontology.check.messages import Message
from kgrank.ontology.check.parse import parse_text, together
from kgrank.ontology.edit import edit_blocks
from kgrank.ontology.layout import joined
from kgrank.ontology.tables.folder import Source
from kgrank.ontology.tables.names import Names
from kgrank.ontology.vocabulary import BROADER

_FILES = {
    "category": "categories.ttl",
    "attribute": "attributes.ttl",
    "value": "values.ttl",
    "rule": "rules.ttl",
}


def texts_with(
    source: Source,
    names: Names,
    changed: Mapping[str, Block],
    added: Mapping[str, Block],
    homes: Mapping[str, str],
) -> dict[str, str]:
    """The new texts of the files that change.

    Args:
        source: The folder as it is.
        names: Short names; they learn the added things.
        changed: New blocks of things that the folder describes, by IRI.
        added: Blocks of other things, by IRI.
        homes: The files of added things, where they are known.
    """
    files: dict[str, tuple[dict[str, Block], list[Block]]] = {}
    for iri, block in changed.items():
        files.setdefault(source.file_of[iri], ({}, []))[0][iri] = block
    usual = _usual_files(source, names)
    placed = dict(source.file_of)
    names.add(added.values())
    for iri, block in added.items():
        placed[iri] = homes.get(iri) or _home(block, placed, usual, names)
        files.setdefault(placed[iri], ({}, []))[1].append(block)
    return {
        name: edit_blocks(source.texts.get(name, ""), blocks, new, prefixes=names.prefixes)
        for name, (blocks, new) in files.items()
    }


def _usual_files(source: Source, names: Names) -> dict[str, str]:
    """For each kind of thing the file that describes most of them."""
    counts: dict[str, Counter[str]] = {}
    for iri, file in source.file_of.items():
        if iri in names.kinds:
            counts.setdefault(names.kinds[iri], Counter())[file] += 1
    return {kind: files.most_common(1)[0][0] for kind, files in counts.items()}


def _home(block: Block, placed: Mapping[str, str], usual: Mapping[str, str], names: Names) -> str:
    """The file for a new thing: its parent's, else that of its kind."""
    for parent in block.objects(BROADER):
        if str(getattr(parent, "value", "")) in placed:
            return placed[str(getattr(parent, "value", ""))]
    kind = names.kinds.get(block.iri)
    return usual.get(kind or "") or _FILES.get(kind or "", "ontology.ttl")


def errors_brought_in(source: Source, texts: Mapping[str, str]) -> Iterator[tuple[Message, str]]:
    """Errors that the folder does not have yet, each with the IRI of the thing that it is about."""
    after = _examined({**source.texts, **texts})
    if not after.errors:
        return
    known = {(m.code, m.text) for m in _examined(source.texts).errors} if source.texts else set()
    for message in after.errors:
        if (message.code, message.text) not in known:
            yield message, _thing_at(message, {**source.texts, **texts})


def _examined(texts: Mapping[str, str]) -> Examination:
    graph, read, broken = together({name: parse_text(name, text) for name, text in texts.items()})
    return Examination(broken, None) if broken else examine_graph(graph, read)


def _thing_at(message: Message, texts: Mapping[str, str]) -> str:
    """The IRI of the thing whose block a message points into."""
    text = texts.get(message.file, "")
    offset = sum(len(line) + 1 for line in text.split("\n")[: message.line - 1]) + message.column - 1
    blocks = joined(read_blocks(text)).blocks
    return next((b.iri for b in blocks if b.span[0] <= offset < b.span[1]), "")
