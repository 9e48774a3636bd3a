"""The ontology as tables of texts, and things rebuilt from their rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyoxigraph import Literal, NamedNode

from kgrank.errors import InputError
from kgrank.ontology.blocks import Block, Bracket, Object, Statement, read_statements
from kgrank.ontology.tables.cells import LIST, NUMBER
from kgrank.ontology.tables.columns import MORE, NEEDS, Sheet, sheets
from kgrank.ontology.tables.names import Names, kind_of
from kgrank.ontology.turtle import tidy
from kgrank.ontology.vocabulary import ALT_LABEL, KG, LANGUAGE, OWL, PREF_LABEL, TITLE, TYPE, Kind

APPLIES = "applies"
APPLIES_COLUMNS = ("need", "values", "min", "max")
_ATTRIBUTE, _VALUES, _MIN, _MAX = (KG + w for w in ("attribute", "values", "min", "max"))
_NARROWS = KG + "narrows"
_NARROWING = (("values", _VALUES, LIST), ("min", _MIN, NUMBER), ("max", _MAX, NUMBER))
_NEED_WORDS = {
    "required": KG + "requires",
    "recommended": KG + "recommends",
    "allowed": KG + "allows",
    "dropped": KG + "drops",
}
_CLASS = {Kind.CATEGORY: KG + "Category", Kind.ATTRIBUTE: KG + "Attribute", Kind.VALUE: KG + "Value"}

Row = dict[str, str]
Key = tuple[str, ...]


@dataclass
class Tables:
    """Rows by sheet and key; the key is the id, in ``applies`` the category and the attribute."""

    languages: tuple[str, ...]
    rows: dict[str, dict[Key, Row]] = field(default_factory=dict)

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """The sheets of things."""
        return sheets(self.languages)

    def columns(self, sheet: str) -> tuple[str, ...]:
        """The names of a sheet's columns, those of the key left out."""
        if sheet == APPLIES:
            return APPLIES_COLUMNS
        named = next(s for s in self.sheets if s.name == sheet)
        return (*(c.name for c in named.columns), MORE)


def used_languages(blocks: Iterable[Block]) -> tuple[str, ...]:
    """The languages of the header, then those that names, reasons and titles use."""
    languages: dict[str, None] = {}
    for block in blocks:
        for term in block.objects(LANGUAGE):
            if isinstance(term, Literal) and kind_of(block) is Kind.HEADER:
                languages[term.value] = None
    for block in blocks:
        for statement in block.statements:
            if statement.word in (PREF_LABEL, ALT_LABEL, TITLE, KG + "because"):
                languages.update(
                    {o.language: None for o in statement.objects if isinstance(o, Literal) and o.language}
                )
    return tuple(languages) or ("en",)


def to_tables(blocks: Sequence[Block], names: Names, languages: Sequence[str]) -> Tables:
    """The rows of all blocks.

    Raises:
        InputError: A block describes something without a name.
    """
    tables = Tables(tuple(languages), {s: {} for s in ("rules", "categories", APPLIES)})
    by_kind = {k: s for s in tables.sheets for k in s.kinds}
    for sheet in tables.sheets:
        tables.rows.setdefault(sheet.name, {})
    others = next(s for s in tables.sheets if s.name == "others")
    for written in blocks:
        block = tidy(written)
        if not block.iri:
            raise InputError(
                "a block without a name cannot stand in a table", todo="Give it a name, like c:shoes"
            )
        kind = kind_of(block)
        sheet = by_kind.get(kind, others) if kind is not None else others
        words = {s.word: list(s.objects) for s in block.statements}
        key = (names.write(block.iri),)
        if kind is Kind.CATEGORY:
            tables.rows[APPLIES].update(_applies(key[0], words, names))
        tables.rows[sheet.name][key] = _row(sheet, words, names, kind)
    return tables


def _row(sheet: Sheet, words: dict[str, list[Object]], names: Names, kind: Kind | None) -> Row:
    row: Row = {}
    implied = _implied(sheet, kind)
    words[TYPE] = [t for t in words.get(TYPE, ()) if not (implied and t == NamedNode(implied))]
    for column in sheet.columns:
        if column.word in words:
            row[column.name], words[column.word] = column.shape.show(words[column.word], names, column.kind)
    left = [Statement(w, tuple(objects)) for w, objects in words.items() if objects]
    row[MORE] = " ; ".join(names.writer.statement(s) for s in left)
    return {name: text for name, text in row.items() if text}


def _implied(sheet: Sheet, kind: Kind | None) -> str:
    """The class that a row has by standing in its sheet."""
    if sheet.name == "ontology":
        return OWL + "Ontology"
    return _CLASS.get(kind, "") if kind is not None else ""


def _applies(category: str, words: dict[str, list[Object]], names: Names) -> dict[Key, Row]:
    """One row for each attribute that a category needs, drops or narrows; takes these objects out."""
    rows: dict[Key, Row] = {}
    for need, word in _NEED_WORDS.items():
        left = []
        for term in words.get(word, ()):
            key = (category, names.write(term.value)) if isinstance(term, NamedNode) else ()
            if not key or key in rows:
                left.append(term)
            else:
                rows[key] = {"need": need}
        if word in words:
            words[word] = left
    left = []
    for term in words.get(_NARROWS, ()):
        narrowed = _narrowed(term, names)
        if narrowed is None or "narrowed" in rows.get((category, narrowed[0]), {}).get("need", ""):
            left.append(term)
            continue
        row = rows.setdefault((category, narrowed[0]), {"need": "narrowed"})
        if set(row) != {"need"}:
            left.append(term)
        else:
            row.update(narrowed[1])
    if _NARROWS in words:
        words[_NARROWS] = left
    return rows


def _narrowed(term: Object, names: Names) -> tuple[str, Row] | None:
    """The attribute of a ``kg:narrows`` bracket and its cells; None for one that cells cannot show."""
    if not isinstance(term, Bracket) or any(len(s.objects) != 1 for s in term.statements):
        return None
    words = {s.word: s.objects for s in term.statements}
    attribute = words.get(_ATTRIBUTE, (None,))[0]
    if (
        not isinstance(attribute, NamedNode)
        or len(words) < 2
        or words.keys() - {_ATTRIBUTE, _VALUES, _MIN, _MAX}
    ):
        return None
    row: Row = {}
    for name, word, shape in _NARROWING:
        if word in words:
            text, left = shape.show(words[word], names, Kind.VALUE)
            if left:
                return None
            row[name] = text
    return names.write(attribute.value), row


class CellError(Exception):
    """A cell that cannot be read; the sheet's reader knows its location."""

    def __init__(self, sheet: str, key: Key, column: str, error: InputError) -> None:
        self.sheet, self.key, self.column, self.error = sheet, key, column, error
        super().__init__(error.sentence())


class Builder:
    """Things from their rows."""

    def __init__(self, tables: Tables, names: Names) -> None:
        self._tables = tables
        self._names = names
        self._uses: dict[str, list[Key]] = {}
        for key in tables.rows[APPLIES]:
            self._uses.setdefault(key[0], []).append(key)

    def block(self, sheet: Sheet, key: Key) -> Block:
        """A thing from its row, and for a category from its rows in ``applies``.

        Raises:
            CellError: A cell cannot be read.
        """
        row = self._tables.rows[sheet.name].get(key, {})
        kind = sheet.kinds[0] if len(sheet.kinds) == 1 else None
        with _naming(sheet.name, key, "id"):
            subject = self._names.read(key[0], kind)
        implied = _implied(sheet, kind)
        statements = [Statement(TYPE, (NamedNode(implied),))] if implied else []
        for column in sheet.columns:
            if row.get(column.name):
                with _naming(sheet.name, key, column.name):
                    objects = column.shape.read(row[column.name], self._names, column.kind)
                statements.append(Statement(column.word, tuple(objects)))
        if row.get(MORE):
            with _naming(sheet.name, key, MORE):
                statements += read_statements(row[MORE], self._names.prefixes)
        if kind is Kind.CATEGORY:
            for use in self._uses.get(key[0], ()):
                statements += self._use(use)
        return tidy(Block(subject, tuple(statements)))

    def _use(self, key: Key) -> list[Statement]:
        """What one row of ``applies`` says."""
        row = self._tables.rows[APPLIES][key]
        with _naming(APPLIES, key, "attribute"):
            attribute = self._names.read(key[1], Kind.ATTRIBUTE)
        need = row.get("need", "")
        with _naming(APPLIES, key, "need"):
            if need and need not in NEEDS:
                raise InputError(f"{need!r} is no need", expected=", ".join(NEEDS))
        statements = [Statement(_NEED_WORDS[need], (attribute,))] if need in _NEED_WORDS else []
        inside: list[Statement] = []
        for column, word, shape in _NARROWING:
            if row.get(column):
                with _naming(APPLIES, key, column):
                    objects = shape.read(row[column], self._names, Kind.VALUE)
                inside.append(Statement(word, tuple(objects)))
        if inside:
            bracket = Bracket((Statement(_ATTRIBUTE, (attribute,)), *inside))
            statements.append(Statement(_NARROWS, (bracket,)))
        elif need == "narrowed":
            with _naming(APPLIES, key, "values"):
                raise InputError("nothing is narrowed", expected="values, min or max")
        return statements


@contextmanager
def _naming(sheet: str, key: Key, column: str) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise CellError(sheet, key, column, error) from None
