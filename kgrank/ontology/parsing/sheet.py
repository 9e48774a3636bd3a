"""Rules in a sheet: one a row, as a sentence, or in columns with names or ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kgrank.errors import InputError, did_you_mean
from kgrank.ontology.kinds.kind import FIELDS, RuleKind
from kgrank.ontology.kinds.table import rule_kinds
from kgrank.ontology.model import Rule
from kgrank.ontology.parsing.confidence import DEFAULT, sure_of
from kgrank.ontology.parsing.fields import FieldReader, Reading
from kgrank.ontology.parsing.folded import fold, folded_name
from kgrank.ontology.parsing.names import Vocabulary
from kgrank.ontology.parsing.template import Span
from kgrank.ontology.parsing.text import Mistake, StatedRule, read_text, reason_language
from kgrank.ontology.tables.cell_hashes import SHEET
from kgrank.ontology.tables.columns import LABEL
from kgrank.ontology.tables.files import Grid, read_csv_file, read_workbook
from kgrank.ontology.tables.incoming import cell_text
from kgrank.ontology.tables.pages import cell_name
from kgrank.ontology.vocabulary import DIRECTIONS, Kind, article

SHEETS = (".csv", ".tsv", ".xlsx", ".xlsm", ".xls", ".ods")
"""Endings of sheets; every other file is read as a text of sentences."""

_SENTENCE = ("sentence", "rule", "says")
_CELLS = ("kind", "in", "but not", "segment", *FIELDS)
_COMMON = ("id", "sure", "must", "because", "by", "author", "on")


def read_rule_sheet(vocabulary: Vocabulary, path: Path) -> tuple[list[StatedRule], list[Mistake]]:
    """The rules of a sheet, and all that is wrong in it, each with its cell.

    Raises:
        InputError: The file cannot be read, or no column holds rules.
    """
    if path.suffix.lower() in (".csv", ".tsv"):
        grids = {"": read_csv_file(path)}
    else:
        grids = {f"{n}!": g for n, g in read_workbook(path).items() if n != SHEET and g}
        grids = {n: g for n, g in grids.items() if len(grids) == 1 or _columns(g)}
    rules: list[StatedRule] = []
    mistakes: list[Mistake] = []
    for name, grid in grids.items():
        columns = _columns(grid)
        if not columns:
            raise InputError(
                "no column holds rules", where=path, expected="a column sentence, or kind and in"
            )
        for number, cells in enumerate(grid[1:], 1):
            row = {c: cell_text(cells[n]) for c, n in columns.items()}
            if any(row.values()):
                where = {c: f"{path}:{name}{cell_name(n, number)}" for c, n in columns.items()}
                read, wrong = _Row(vocabulary, row, where).rules()
                rules += read
                mistakes += wrong
    return rules, mistakes


def _columns(grid: Grid) -> dict[str, int]:
    """The columns to read by name; empty where the sheet has no rules."""
    heads = [folded_name(cell_text(c)) for c in grid[0]] if grid else []
    columns = {
        head: n for n, head in enumerate(heads) if head and not head.endswith(LABEL) and head not in heads[:n]
    }
    known = {c: n for c, n in columns.items() if c.partition(".")[0] in (*_SENTENCE, *_CELLS, *_COMMON)}
    complete = any(c in known for c in _SENTENCE) or {"kind", "in"} <= set(known)
    return known if complete else {}


@dataclass(frozen=True)
class _Row:
    vocabulary: Vocabulary
    cells: Mapping[str, str]
    where: Mapping[str, str]

    def rules(self) -> tuple[list[StatedRule], list[Mistake]]:
        """The rules of the row; its columns of confidence, reason, author and id go before its sentence."""
        if self.cells.get("kind"):
            rule, mistakes = self._from_columns()
            stated = [StatedRule(rule, self._place("kind"), "")] if rule is not None else []
        else:
            column = next((c for c in _SENTENCE if self.cells.get(c)), None)
            if column is None:
                first = next(c for c, text in self.cells.items() if text)
                return [], [
                    Mistake(self._place(first), "this row has no rule", "Write a sentence, or a kind")
                ]
            stated, mistakes = read_text(self.vocabulary, self.cells[column], "cell")
            stated = [replace(s, where=self._place(column)) for s in stated]
            mistakes = [replace(m, where=self._place(column)) for m in mistakes]
        sure, wrong = self._sure()
        mistakes += wrong
        because = self._because()
        creator = self.cells.get("by") or self.cells.get("author") or ""
        id_ = self.cells.get("id", "") if len(stated) == 1 else ""
        stated = [
            replace(
                s,
                rule=replace(
                    s.rule,
                    sure=s.rule.sure if sure is None else sure,
                    because=because or s.rule.because,
                    created=self.cells.get("on", "")[:10],
                ),
                creator=creator,
                id=id_.removeprefix("r:"),
            )
            for s in stated
        ]
        return ([] if mistakes else stated), mistakes

    def _place(self, column: str) -> str:
        return self.where[column]

    def _sure(self) -> tuple[float | None, list[Mistake]]:
        """The confidence in the columns ``sure`` and ``must``; None where they are empty."""
        if folded_name(self.cells.get("must", "")) in ("true", "yes", "1", "x"):
            return 1.0, []
        text = self.cells.get("sure", "")
        if not text:
            return None, []
        sure = sure_of(text)
        try:
            sure = float(text.replace(",", ".")) if sure is None else sure
        except ValueError:
            sure = 0.0
        if 1 < sure <= 100:
            sure /= 100
        if not 0 < sure <= 1:
            return None, [Mistake(self._place("sure"), f'"{text}" is no confidence', "Write 0.8 or 80%")]
        return sure, []

    def _because(self) -> dict[str, str]:
        reasons = {}
        for column, text in self.cells.items():
            name, _, language = column.partition(".")
            if name == "because" and text:
                reasons[language or reason_language(self.vocabulary.ontology, text)] = text
        return reasons

    def _from_columns(self) -> tuple[Rule | None, list[Mistake]]:
        """The rule that columns like those of ``kgrank ontology export`` say, with names for ids."""
        by_name = {folded_name(n): k for n, k in rule_kinds().items()}
        kind = by_name.get(folded_name(self.cells["kind"]).removeprefix("kg:"))
        if kind is None:
            todo = did_you_mean(self.cells["kind"], rule_kinds())
            return None, [
                Mistake(self._place("kind"), f'there is no kind of rule "{self.cells["kind"]}"', todo)
            ]
        mistakes: list[Mistake] = []
        scope = {
            field: self._read(kind, (), column, mistakes)
            for field, column in (("categories", "in"), ("but_not", "but not"), ("segments", "segment"))
        }
        if not self.cells.get("in"):
            mistakes.append(
                Mistake(self._place("in"), "this row does not say where the rule holds", "Name a category")
            )
        categories = tuple(c for c in scope["categories"] or () if c)
        fields: dict[str, Any] = {}
        for column in kind.fields:
            if not self.cells.get(column):
                if column in kind.needs:
                    problem = f"{article(kind.name)} rule has no {column}"
                    mistakes.append(Mistake(self._place("kind"), problem, f"Fill in the column {column}"))
                continue
            field = {"if": "when"}.get(column, column)
            fields[field] = self._read(kind, categories, column, mistakes, fields.get("attribute"))
        odd = [c for c in FIELDS if self.cells.get(c) and c not in kind.fields]
        for column in odd:
            problem = f"the column {column} has no place in {article(kind.name)} rule"
            mistakes.append(
                Mistake(self._place(column), problem, f"Empty it; this kind has {', '.join(kind.fields)}")
            )
        if mistakes:
            return None, mistakes
        rule = Rule(
            id="",
            kind=kind.name,
            categories=categories,
            but_not=scope["but_not"] or (),
            segments=scope["segments"] or (),
            sure=DEFAULT,
            **fields,
        )
        return rule, []

    def _read(
        self,
        kind: RuleKind,
        categories: tuple[str, ...],
        column: str,
        mistakes: list[Mistake],
        attribute: object = None,
    ) -> Any:
        """What a cell says; what is wrong with it goes to ``mistakes``."""
        text = self.cells.get(column, "")
        if not text:
            return None
        folded = fold(text)
        span = (0, len(folded.text))
        strict = FieldReader(self.vocabulary, folded, "en", False, kind, categories)
        readings = _cell(strict, column, span, attribute) or _cell(
            replace(strict, language="zh"), column, span, attribute
        )
        distinct = [r for n, r in enumerate(readings) if r.value not in [o.value for o in readings[:n]]]
        if len(distinct) == 1:
            return distinct[0].value
        where = self._place(column)
        if distinct:
            ids = " and ".join(str(r.value) for r in distinct[:2])
            mistakes.append(Mistake(where, f'"{text}" can be {ids}', "Write the id"))
            return None
        lenient = _cell(replace(strict, lenient=True), column, span, attribute)
        unknown = lenient[0].unknown if lenient else ()
        for mention in unknown:
            name = folded.original(*mention.span)
            todo = self.vocabulary.suggestion(mention.kind, name, mention.among)
            mistakes.append(Mistake(where, f'there is no {mention.kind} called "{name}"', todo))
        if not unknown:
            mistakes.append(
                Mistake(where, f'"{text}" cannot be read as {column}', _EXAMPLES.get(column, "Write names"))
            )
        return None


_EXAMPLES = {
    "if": "Write Material = Leather, or Weight <= 300",
    "then": "Write Material = Leather, or Weight <= 300",
    "better": "Write More or Less",
    "share": "Write 0.25 or 25%",
    "within": "Write 0.05 or 5%",
    "top": "Write a whole number",
    "order": "Write attributes with > between them",
    "values": "Write values with > between them",
    "members": "Write names with = between them",
}


def _cell(reader: FieldReader, column: str, span: Span, attribute: object) -> Sequence[Reading]:
    """All readings of a cell of a column."""
    if column in ("in", "but not", "segment"):
        kind = Kind.SEGMENT if column == "segment" else Kind.CATEGORY
        return reader.list_of(span, ("|",), lambda s: reader.named(kind, s)) or reader.things(kind, span)
    if column == "attribute":
        return reader.a(span)
    if column == "order":
        return reader.list_of(span, (">",), reader.a)
    if column == "values":
        return reader.values(span, str(attribute) if attribute else None)
    if column == "members":
        return reader.list_of(span, ("=", "|"), reader.a) or reader.list_of(
            span, ("=", "|"), reader.any_value
        )
    if column == "if":
        return reader.list_of(span, ("&",), reader.condition) or reader.when(span)
    if column == "then":
        return reader.condition(span)
    if column == "brand":
        return reader.named(Kind.BRAND, span)
    text = reader.folded.text[slice(*span)].strip()
    if column == "better":
        words = {d.casefold(): d for d in DIRECTIONS.values()}
        word = text.removeprefix("kg:")
        return [Reading(words[word])] if word in words else reader.better(span)
    if column == "top":
        return reader.top(span)
    shares = reader.share(span)
    return shares or (
        [Reading(float(text.replace(",", ".")))] if text.replace(".", "").replace(",", "").isdecimal() else []
    )
