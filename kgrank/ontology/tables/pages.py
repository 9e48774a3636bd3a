"""Sheets as they are shown: ids, what they are called in grey beside them, rules as sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kgrank.ontology.blocks import Block
from kgrank.ontology.model import Ontology
from kgrank.ontology.sentences import sentence
from kgrank.ontology.tables.cells import LIST, MEMBERS, NAME, NAMES, NUMBER
from kgrank.ontology.tables.columns import LABEL, MORE, NEEDS, SAYS, Column, Sheet
from kgrank.ontology.tables.names import Names
from kgrank.ontology.tables.table import APPLIES, APPLIES_COLUMNS, Tables
from kgrank.ontology.vocabulary import PREF_LABEL, Kind

_SINGLE = (NAME,)
_LABELLED = (NAME, NAMES, LIST, MEMBERS)
_SHEET_OF = {
    Kind.CATEGORY: "categories",
    Kind.ATTRIBUTE: "attributes",
    Kind.VALUE: "values",
    Kind.RULE: "rules",
    Kind.BRAND: "others",
    Kind.SEGMENT: "others",
    Kind.PERSON: "others",
}


@dataclass(frozen=True)
class Head:
    """One column: its name, and what helps to fill it in.

    ``choices`` are the words to choose from, ``of`` is the sheet whose ids they are; ``several``: a cell may
    hold more than one of them.
    """

    name: str
    grey: bool = False
    number: bool = False
    choices: tuple[str, ...] = ()
    of: str | None = None
    several: bool = False


@dataclass
class Page:
    """One sheet with its heads and rows of texts."""

    name: str
    heads: list[Head]
    rows: list[list[str]] = field(default_factory=list)


def labels_of(blocks: Mapping[str, Block], names: Names) -> dict[str, str]:
    """What each short name is called, in the first language that it has a name in."""
    labels = {}
    for iri, block in blocks.items():
        called = block.objects(PREF_LABEL)
        if called:
            labels[names.write(iri)] = str(getattr(called[0], "value", ""))
    return labels


def pages(tables: Tables, labels: Mapping[str, str], rule_sentences: Mapping[str, str]) -> Iterator[Page]:
    """All sheets; ``rule_sentences`` are sentences by the short name of a rule."""
    by_name = {s.name: s for s in tables.sheets}
    for name in ("rules", "categories", APPLIES, "attributes", "values", "others", "ontology"):
        yield (
            _applies(tables, labels)
            if name == APPLIES
            else _page(by_name[name], tables, labels, rule_sentences)
        )


def _page(sheet: Sheet, tables: Tables, labels: Mapping[str, str], says: Mapping[str, str]) -> Page:
    page = Page(sheet.name, [Head("id")])
    if sheet.name == "rules":
        page.heads.append(Head(SAYS, grey=True))
    for column in sheet.columns:
        page.heads.append(_head(column))
        if _is_labelled(column):
            page.heads.append(Head(column.name + LABEL, grey=True))
    page.heads.append(Head(MORE))
    for key, row in tables.rows[sheet.name].items():
        cells = {"id": key[0], SAYS: says.get(key[0], ""), **row}
        cells.update(
            {c.name + LABEL: _called(row.get(c.name, ""), labels) for c in sheet.columns if _is_labelled(c)}
        )
        page.rows.append([cells.get(h.name, "") for h in page.heads])
    return page


def _applies(tables: Tables, labels: Mapping[str, str]) -> Page:
    of = {"category": "categories", "attribute": "attributes"}
    heads = []
    for name, sheet in of.items():
        heads += [Head(name, of=sheet), Head(name + LABEL, grey=True)]
    heads.append(Head("need", choices=NEEDS))
    heads += [Head(c, number=c in ("min", "max")) for c in APPLIES_COLUMNS[1:]]
    rows = [
        [
            key[0],
            labels.get(key[0], ""),
            key[1],
            labels.get(key[1], ""),
            *(row.get(c, "") for c in APPLIES_COLUMNS),
        ]
        for key, row in tables.rows[APPLIES].items()
    ]
    return Page(APPLIES, heads, rows)


def _head(column: Column) -> Head:
    return Head(
        column.name,
        number=column.shape is NUMBER,
        choices=column.choices,
        of=_SHEET_OF.get(column.kind) if column.kind is not None else None,
        several=column.shape not in _SINGLE,
    )


def _is_labelled(column: Column) -> bool:
    return column.shape in _LABELLED


def _called(text: str, labels: Mapping[str, str]) -> str:
    """A cell with names for ids: ``a:size > a:color`` is "Size > Color"."""
    return re.sub(r"[^\s|>=]+", lambda m: labels.get(m.group(), m.group()), text) if text else ""


def sentences_of(ontology: Ontology | None, names: Names) -> dict[str, str]:
    """Each rule as a sentence, by its short name; none where the ontology has errors."""
    if ontology is None:
        return {}
    return {names.write(r.iri): sentence(r, ontology) for r in ontology.rules.values()}


def cell_name(column: int, row: int) -> str:
    """A cell as a spreadsheet names it, both numbers from 0: (1, 11) is B12."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


def column_letters(heads: Sequence[Head], name: str) -> str:
    """The letters of a column."""
    index = next(n for n, h in enumerate(heads) if h.name == name)
    return cell_name(index, 0)[:-1]
