"""A folder of Turtle files as blocks, names and tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kgrank.ontology.blocks import Block, Document, read_blocks
from kgrank.ontology.check.parse import turtle_files
from kgrank.ontology.imports.write import shop_prefixes
from kgrank.ontology.layout import joined, sound_texts
from kgrank.ontology.tables.names import Names
from kgrank.ontology.tables.table import APPLIES, Key, Tables, to_tables, used_languages
from kgrank.ontology.vocabulary import PREFIXES


@dataclass(frozen=True)
class Source:
    """The texts of a folder and their contents; a missing folder is empty."""

    texts: Mapping[str, str]

    @cached_property
    def documents(self) -> Mapping[str, Document]:
        """The files as blocks."""
        return {name: joined(read_blocks(text)) for name, text in self.texts.items()}

    @cached_property
    def blocks(self) -> Mapping[str, Block]:
        """The blocks by IRI."""
        return {b.iri: b for d in self.documents.values() for b in d.blocks}

    @cached_property
    def file_of(self) -> Mapping[str, str]:
        """The file in which each thing is described."""
        return {b.iri: name for name, d in self.documents.items() for b in d.blocks}

    def names(self, more: Mapping[str, str] | None = None) -> Names:
        """The short names of the files, of the sheets, and kgrank's own."""
        prefixes = {p: iri for d in self.documents.values() for p, iri in d.prefixes.items()}
        fallback = PREFIXES if prefixes or more else shop_prefixes()
        names = Names({**fallback, **(more or {}), **prefixes})
        names.add(self.blocks.values())
        return names

    def tables(self, names: Names, languages: Iterable[str] = ()) -> Tables:
        """All rows, in the languages of the files and those given."""
        used = used_languages(self.blocks.values()) if self.blocks else ()
        return to_tables(tuple(self.blocks.values()), names, tuple(dict.fromkeys([*used, *languages])))

    def files(self, tables: Tables, names: Names) -> dict[tuple[str, Key], str]:
        """The file of every row."""
        short = {names.write(iri): name for iri, name in self.file_of.items()}
        return {(s, k): short[k[0]] for s, rows in tables.rows.items() if s != APPLIES for k in rows}


def open_source(folder: Path) -> Source:
    """The files of a folder; none where it does not exist or is empty.

    Raises:
        InputError: A file is no Turtle.
    """
    return Source(sound_texts(folder) if turtle_files(folder) else {})
