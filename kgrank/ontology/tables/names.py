"""Short names in cells: written with their prefix, read with or without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pyoxigraph import NamedNode

from kgrank.errors import InputError
from kgrank.ontology.blocks import Block
from kgrank.ontology.turtle import Writer
from kgrank.ontology.vocabulary import TYPE, Kind, class_kind, local

DEFAULT_PREFIX: Mapping[Kind, str] = {
    Kind.CATEGORY: "c",
    Kind.ATTRIBUTE: "a",
    Kind.VALUE: "v",
    Kind.BRAND: "b",
    Kind.SEGMENT: "s",
    Kind.PERSON: "p",
    Kind.RULE: "r",
}


@dataclass
class Names:
    """The short names of a folder, its things by kind, and what they are called."""

    prefixes: Mapping[str, str]
    kinds: dict[str, Kind] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.writer = Writer(self.prefixes)
        self._namespaces: dict[Kind, str] = {}

    def add(self, blocks: Iterable[Block]) -> None:
        """Learns what the things of some blocks are."""
        counts: dict[Kind, Counter[str]] = {k: Counter() for k in Kind}
        for block in blocks:
            kind = kind_of(block)
            if kind is not None:
                self.kinds[block.iri] = kind
                counts[kind][block.iri.removesuffix(local(block.iri))] += 1
        for kind, namespaces in counts.items():
            if namespaces:
                self._namespaces[kind] = namespaces.most_common(1)[0][0]

    def write(self, iri: str) -> str:
        """``c:dresses``, or ``<iri>`` where no prefix fits."""
        return self.writer.name(iri)

    def read(self, text: str, kind: Kind | None = None) -> NamedNode:
        """The thing that a cell names; without a prefix, the one of the column's kind.

        Raises:
            InputError: The prefix is not known, or the text is no name.
        """
        if text.startswith("<") and text.endswith(">"):
            return NamedNode(text[1:-1])
        prefix, colon, rest = text.partition(":")
        if not text or any(c in text for c in " \t\n\"'<>|{}^`\\"):
            raise InputError(f"{text!r} is not a name", expected="a short name like c:dresses")
        if colon:
            if prefix not in self.prefixes:
                known = ", ".join(f"{p}:" for p in self.prefixes)
                raise InputError(f"the short name {prefix}: is not known", expected=f"one of {known}")
            return NamedNode(self.prefixes[prefix] + rest)
        if kind is None:
            raise InputError(f"{text!r} has no prefix", expected="a short name like c:dresses")
        return NamedNode(self.namespace(kind) + text)

    def namespace(self, kind: Kind) -> str:
        """Where the ids of a kind of thing are."""
        known = self._namespaces.get(kind) or self.prefixes.get(DEFAULT_PREFIX.get(kind, ""))
        return known or self._beside(kind)

    def _beside(self, kind: Kind) -> str:
        """The namespace of a kind that has no thing yet, made like those of the others; empty where none is."""
        for other, namespace in self._namespaces.items():
            stem, word = namespace[:-1], other.value
            if stem.endswith(word) and other is not Kind.HEADER:
                return stem.removesuffix(word) + kind.value + namespace[-1:]
        return next((n for k, n in self._namespaces.items() if k is not Kind.HEADER), "")


def kind_of(block: Block) -> Kind | None:
    """What a block says its thing is."""
    types = (t for t in block.objects(TYPE) if isinstance(t, NamedNode))
    return next((kind for t in types if (kind := class_kind(t.value)) is not None), None)
