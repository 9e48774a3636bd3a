"""A three-way merge of one Turtle file, thing by thing and word by word."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace

from pyoxigraph import Literal

from kgrank.errors import InputError
from kgrank.ontology.blocks import Block, Document, Object, Statement, read_blocks
from kgrank.ontology.check.parse import parse_text
from kgrank.ontology.edit import edit_blocks
from kgrank.ontology.layout import joined
from kgrank.ontology.turtle import SETS, Writer, tidy
from kgrank.ontology.vocabulary import ALT_LABEL, CREATOR, KG, PREF_LABEL, TITLE, short

_BY_OBJECT = SETS | {ALT_LABEL, CREATOR, KG + "narrows", KG + "if"}
"""Words with several objects, each of which is added and taken out by itself."""

_BY_LANGUAGE = frozenset({PREF_LABEL, TITLE, KG + "because"})
"""Words with one text in each language."""


@dataclass(frozen=True)
class Merged:
    """The merged text; conflicts are blocks marked in it as git does, and named here with their words."""

    text: str
    conflicts: tuple[str, ...]


def merge_texts(base: str, ours: str, theirs: str) -> Merged:
    """Brings the changes from ``base`` to ``theirs`` into ``ours``.

    Raises:
        InputError: One of the three is no Turtle, or a prefix has two namespaces.
    """
    documents = [_read(t, n) for t, n in ((base, "base"), (ours, "ours"), (theirs, "theirs"))]
    prefixes = _common_prefixes(documents[1], documents[2])
    old, mine, other = ({b.iri: b for b in d.blocks} for d in documents)
    changed: dict[str, Block] = {}
    added: list[Block] = []
    removed: list[str] = []
    clashes: dict[str, list[str]] = {}
    for iri in dict.fromkeys([*mine, *other]):
        merged = _merged(old.get(iri), mine.get(iri), other.get(iri))
        if isinstance(merged, list):
            clashes[iri] = merged
        elif merged is None:
            removed.append(iri)
        elif iri not in mine:
            added.append(merged)
        elif merged is not mine[iri]:
            changed[iri] = merged
    text = edit_blocks(ours, changed, added, removed, prefixes) if changed or added or removed else ours
    writer = Writer(prefixes)
    versions = {iri: (mine.get(iri), other.get(iri)) for iri in clashes}
    text = _marked(text, versions, writer)
    conflicts = (f"{writer.name(iri)}: {', '.join(words)}" for iri, words in clashes.items())
    return Merged(text, tuple(conflicts))


def _read(text: str, name: str) -> Document:
    problems = parse_text(name, text).problems if text.strip() else []
    if problems:
        raise InputError(f"{problems[0].code} {problems[0].text}", where=f"{name}:{problems[0].line}")
    return joined(read_blocks(text))


def _common_prefixes(ours: Document, theirs: Document) -> Mapping[str, str]:
    for name, iri in theirs.prefixes.items():
        if ours.prefixes.get(name, iri) != iri:
            raise InputError(
                f"the short name {name}: stands for <{ours.prefixes[name]}> and for <{iri}>",
                todo="Make the @prefix lines the same.",
            )
    return {**theirs.prefixes, **ours.prefixes}


def _merged(base: Block | None, ours: Block | None, theirs: Block | None) -> Block | list[str] | None:
    """The merged block, None where the thing is taken out, or the words in conflict."""
    if _key(base) == _key(theirs) or _key(ours) == _key(theirs):
        return ours
    if _key(base) == _key(ours):
        return theirs
    if ours is None or theirs is None:
        return ["taken out by one side and changed by the other"]
    return _by_word(base or Block(ours.subject, ()), ours, theirs)


def _key(block: Block | None) -> Hashable:
    """What two versions of a block are compared by: what they say, and their comments."""
    if block is None:
        return None
    tidied = tidy(block)
    return tidied, block.comments, block.note, tuple((s.comments, s.note) for s in tidied.statements)


def _by_word(base: Block, ours: Block, theirs: Block) -> Block | list[str]:
    sides = [{s.word: s for s in tidy(b).statements} for b in (base, ours, theirs)]
    statements, clashes = [], []
    for word in dict.fromkeys([*sides[1], *sides[2]]):
        old, mine, other = (s.get(word) for s in sides)
        objects = _merged_objects(word, *(s.objects if s else () for s in (old, mine, other)))
        if objects is None:
            clashes.append(short(word))
        elif objects:
            statements.append(replace(mine or other or Statement(word, ()), objects=objects))
    if clashes:
        return clashes
    comments = ours.comments if ours.comments != base.comments else theirs.comments
    return replace(ours, statements=tuple(statements), comments=comments, note=ours.note or theirs.note)


def _merged_objects(
    word: str, base: tuple[Object, ...], ours: tuple[Object, ...], theirs: tuple[Object, ...]
) -> tuple[Object, ...] | None:
    """The objects of one word; None where both sides changed the same one."""
    if base == theirs or ours == theirs:
        return ours
    if base == ours:
        return theirs
    if word in _BY_OBJECT:
        kept = [o for o in ours if o in theirs or o not in base]
        return tuple(dict.fromkeys([*kept, *(o for o in theirs if o not in base)]))
    if word in _BY_LANGUAGE:
        return _one_each(base, ours, theirs, lambda o: o.language if isinstance(o, Literal) else o)
    return None


def _one_each(
    base: tuple[Object, ...],
    ours: tuple[Object, ...],
    theirs: tuple[Object, ...],
    slot: Callable[[Object], Hashable],
) -> tuple[Object, ...] | None:
    old, mine, other = ({slot(o): o for o in side} for side in (base, ours, theirs))
    objects = []
    for key in dict.fromkeys([*mine, *other]):
        before, here, there = (side.get(key) for side in (old, mine, other))
        if here != there and before not in (here, there):
            return None
        chosen = here if before == there else there
        if chosen is not None:
            objects.append(chosen)
    return tuple(objects)


def _marked(text: str, versions: Mapping[str, tuple[Block | None, Block | None]], writer: Writer) -> str:
    """The text with both versions of some blocks between the marks of git."""
    spans = {b.iri: b.span for b in read_blocks(text).blocks} if versions else {}
    for iri in sorted(versions, key=lambda i: spans.get(i, (len(text), 0)), reverse=True):
        start, end = spans.get(iri, (len(text), len(text)))
        here, there = (writer.block(b) + "\n" if b is not None else "" for b in versions[iri])
        marks = f"<<<<<<< ours\n{here}=======\n{there}>>>>>>> theirs"
        text = f"{text[:start]}{marks}{text[end:] or chr(10)}"
    return text
