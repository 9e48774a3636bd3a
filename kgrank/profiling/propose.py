"""A mapping for the files of an unknown shop, with all that was assumed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.items import filled_by_group
from kgrank.ingest.mapping import (
    AttributeField,
    CategoryField,
    Events,
    Field,
    Items,
    KindField,
    Mapping,
    Source,
    UserField,
)
from kgrank.ingest.named import mapped_columns
from kgrank.ingest.read import read_table
from kgrank.ingest.report import Rejects
from kgrank.ingest.rows import LIST
from kgrank.ontology.model import AttributeType
from kgrank.profiling.attribute_fields import Habits, ProposedAttribute, decimal_habit, propose_attribute
from kgrank.profiling.cell_contents import path_separator, several_paths
from kgrank.profiling.doubts import ColumnRole, Doubt, Findings, Weight, first_few
from kgrank.profiling.event_kinds import kinds_by_word
from kgrank.profiling.event_roles import EventRoles, event_roles
from kgrank.profiling.headings import GROUP_HEADS, RATING_HEADS, head_key, language_of
from kgrank.profiling.item_roles import ItemRoles, item_roles
from kgrank.profiling.key_collision import collisions
from kgrank.profiling.name_value_columns import NameValueColumns, name_value_columns
from kgrank.profiling.source_table import SourceTable, read_source

_S = TypeVar("_S", bound=Source)

_FEWEST_KNOWN = 0.05
"""Share of a log's items that must be products."""

_NEARLY_ALL = 0.9
"""Share of rows that the column of groups must fill."""


@dataclass(frozen=True)
class Proposal:
    """What the files are taken as.

    Attributes:
        mapping: Which file and column means what.
        attributes: The attributes, with what people call them.
        brand_label: The head of the column of brands.
        language: Of heads and words, two letters.
        findings: Roles of columns, and doubts.
    """

    mapping: Mapping
    attributes: tuple[ProposedAttribute, ...]
    brand_label: str | None
    language: str
    findings: Findings


def propose(folder: Path, files: Sequence[str]) -> Proposal:
    """A mapping for files of products and of events, which are told apart by their columns.

    Args:
        folder: The data folder.
        files: Files, relative to it.

    Raises:
        InputError: A file cannot be read, or none has products.
    """
    findings = Findings()
    tables = []
    for file in files:
        table, doubts = read_source(folder, file)
        tables.append(table)
        findings.doubts += doubts
    logs = [t for t in tables if event_roles(t, (), Findings()) is not None]
    products = [t for t in tables if t not in logs]
    if products:
        candidates = _candidate_ids(products)
        logs_by_ids = [t for t in tables if t in logs or event_roles(t, candidates, Findings()) is not None]
        if len(logs_by_ids) < len(tables):
            logs = logs_by_ids
            products = [t for t in tables if t not in logs]
    language = language_of([h for t in products or logs for h in t.heads])
    roles = [(t, _roles_of(t, _candidate_ids(products), findings)) for t in logs]
    seen = {text for t, r in roles for text in t.cells(r.item).unique()}
    shop = _Shop(language, findings)
    items = [source for t in products for source in shop.items(t, seen, alone=len(products) == 1)]
    if not products:
        items = [shop.items_of_log(t, r) for t, r in roles]
    used = {(s.file, a.column) for s in items for a in s.attributes.values()}
    events = tuple(_events(t, r, used, findings) for t, r in roles)
    _refuse_unknown_items(roles, items)
    items = [_without_left_out(s, findings) for s in items]
    events = tuple(_without_left_out(s, findings) for s in events)
    mapping = Mapping(
        about=f"Proposed by kgrank init for {', '.join(files)}", items=tuple(items), events=events
    )
    return Proposal(mapping, tuple(shop.attributes.values()), shop.brand_label, language, findings)


def _refuse_unknown_items(roles: Sequence[tuple[SourceTable, EventRoles]], items: Sequence[Items]) -> None:
    """Refuses a log whose items are not among the products.

    Raises:
        InputError: Hardly an item of a log is a product.
    """
    for table, role in roles:
        named = set(table.cells(role.item).unique())
        known = {
            text
            for source in items
            for text in read_table(table.folder, source, Rejects())[source.id.column or "id"].drop_nulls()
        }
        if len(named & known) < _FEWEST_KNOWN * len(named):
            raise InputError(
                f"the items in {role.item!r}, such as {min(named)!r}, are not among the products",
                where=table.path,
                expected=f"ids of the products, such as {min(known, default='')!r}",
                todo="Give the file of the products that this log is about.",
            )


def _without_left_out(source: _S, findings: Findings) -> _S:
    """The source, which names the columns that are left out, so that none is read by its standard name."""
    columns = [r.column for r in findings.roles if r.file == source.file and r.role == "left out"]
    named = mapped_columns(source)
    return replace(source, leave_out=tuple(c for c in dict.fromkeys(columns) if c not in named))


def _candidate_ids(products: Iterable[SourceTable]) -> set[str]:
    """Texts that may be ids of products: of columns whose cells differ from row to row."""
    columns = [t.cells(h) for t in products for h in t.heads]
    return {
        text
        for cells in columns
        if len(cells)
        and cells.n_unique() >= 0.3 * len(cells)
        and not cells.str.contains(r"^\d+[.,]\d+$").any()
        for text in cells.unique()
    }


def _roles_of(table: SourceTable, item_ids: set[str], findings: Findings) -> EventRoles:
    roles = event_roles(table, item_ids, findings) or event_roles(table, (), findings)
    if roles is None:
        raise InputError(
            "this log names no product of the other files",
            where=table.path,
            expected="a column with the ids of products",
        )
    findings.roles += [
        ColumnRole(table.file, head, role, "", table.filled(head), first_few(table.cells(head)))
        for role, head in roles.by_role.items()
    ]
    return roles


class _Shop:
    """Collects the attributes of all product tables, each head under one id."""

    def __init__(self, language: str, findings: Findings) -> None:
        self.language = language
        self.findings = findings
        self.attributes: dict[str, ProposedAttribute] = {}
        self.brand_label: str | None = None

    def items(self, table: SourceTable, ids_in_events: set[str], *, alone: bool) -> list[Items]:
        """The sources that read a product table: one, and one for each name in columns of names and values."""
        roles = item_roles(table, ids_in_events, self.findings)
        self.brand_label = self.brand_label or roles.brand
        pairs = name_value_columns(table)
        fields = self._fields(table, {*roles.heads, *(h for p in pairs for h in p.heads)}, roles.category)
        main = self._source(table, roles, fields, alone=alone)
        named = [source for pair in pairs for source in self._named_values(table, roles, pair, main)]
        return [main, *named]

    def items_of_log(self, table: SourceTable, roles: EventRoles) -> Items:
        """The products of a log that describes them on each of its rows."""
        others = [h for h in table.heads if h not in roles.heads]
        changing = [h for h in others if _changes(table, roles.item, h)]
        rows = table.rows.drop([h for h in roles.heads if h != roles.item] + changing)
        described = SourceTable(table.folder, table.source, rows)
        item = item_roles(described, set(table.cells(roles.item)), self.findings)
        self.brand_label = item.brand
        fields = self._fields(described, set(item.heads), item.category)
        self.findings.doubts.append(
            Doubt(
                Weight.ROLE,
                table.file,
                roles.item,
                "No file of products was given; they are taken from the log, each with its most frequent texts.",
                table.cells(roles.item).n_unique(),
                remedy="Give a product file too: kgrank init products.csv events.csv.",
            )
        )
        return self._source(described, item, fields, alone=True, in_log=True)

    def _fields(self, table: SourceTable, taken: set[str], category: str | None) -> dict[str, AttributeField]:
        habits = Habits(self.language, decimal_habit(table, self.language))
        fields: dict[str, AttributeField] = {}
        for head in table.heads:
            if head in taken:
                continue
            if category is not None and _same_within(table, head, category):
                self.findings.roles.append(
                    ColumnRole(
                        table.file,
                        head,
                        "left out",
                        "the same on all products of a category",
                        table.filled(head),
                        first_few(table.cells(head)),
                    )
                )
            else:
                self._add(table, head, head, habits, fields, None)
        return fields

    def _add(
        self,
        table: SourceTable,
        head: str,
        label: str,
        habits: Habits,
        fields: dict[str, AttributeField],
        rows: pl.DataFrame | None,
    ) -> None:
        known = next((a for a in self.attributes.values() if a.label == label and a.id not in fields), None)
        ids = {"brand", *self.attributes} - ({known.id} if known is not None else set())
        attribute = propose_attribute(table, head, label, habits, ids, self.findings, rows)
        if attribute is not None:
            fields[attribute.id] = attribute.field
            self.attributes.setdefault(attribute.id, attribute)

    def _named_values(
        self, table: SourceTable, roles: ItemRoles, pair: NameValueColumns, main: Items
    ) -> Iterator[Items]:
        """A source for each name in a pair of columns; several values of one item become Choices."""
        habits = Habits(self.language, decimal_habit(table, self.language))
        for name, rows in pair.rows_by_name(table):
            fields: dict[str, AttributeField] = {}
            self._add(table, pair.value, name, habits, fields, rows)
            values = rows.select(roles.id, pair.value).drop_nulls().unique()
            several = bool(values[roles.id].is_duplicated().any())
            if several:
                joined = AttributeField(column=pair.value, type=AttributeType.CHOICES, separator=LIST)
                fields = dict.fromkeys(fields, joined)
                self.findings.doubts = [d for d in self.findings.doubts if d.column != pair.value]
            if not fields:
                continue
            yield Items(
                **_written_as(table.source),
                group=main.group if pair.constant else None,
                where={} if pair.constant else {pair.name: pair.spellings(table, name)},
                id=Field(column=roles.id),
                attributes=fields,
                from_log=main.from_log and not several,
                join_rows=LIST if several else None,
            )

    def _source(
        self,
        table: SourceTable,
        roles: ItemRoles,
        fields: dict[str, AttributeField],
        *,
        alone: bool,
        in_log: bool = False,
    ) -> Items:
        group = self._group(table, roles)
        return Items(
            **_written_as(table.source),
            group=group,
            id=Field(column=roles.id),
            title=Field(column=roles.title),
            brand=Field(column=roles.brand),
            category=self._category(table, roles, group or roles.id, alone=alone),
            description=Field(column=roles.description),
            attributes=fields,
            from_log=in_log or self._several_rows(table, roles, group),
        )

    def _group(self, table: SourceTable, roles: ItemRoles) -> str | None:
        """The column that names what the rows of several ids belong to, where only its first row has the title."""
        first_row_only = [h for h in (roles.title, roles.category, roles.brand) if h and table.filled(h) < 1]
        handle = next((h for h in table.heads if head_key(h) in GROUP_HEADS and h != roles.id), None)
        if handle is None or not first_row_only or table.filled(handle) < _NEARLY_ALL:
            return None
        self.findings.roles.append(
            ColumnRole(
                table.file, handle, "group", "rows of one product", 1.0, first_few(table.cells(handle))
            )
        )
        return handle

    def _several_rows(self, table: SourceTable, roles: ItemRoles, group: str | None) -> bool:
        """Whether an id has rows that differ; then its most frequent texts count."""
        heads = [h for h in table.heads if h != roles.id]
        rows = filled_by_group(table.rows, group).drop_nulls(roles.id)
        distinct = rows.select(roles.id, *heads).unique()
        several = distinct.filter(pl.col(roles.id).is_duplicated())[roles.id].unique(maintain_order=True)
        doubled = len(rows) - len(distinct)
        if doubled:
            self.findings.doubts.append(
                Doubt(Weight.DETAIL, table.file, roles.id, "Rows that are there twice count once.", doubled)
            )
        if len(several):
            self.findings.doubts.append(
                Doubt(
                    Weight.MEANING,
                    table.file,
                    roles.id,
                    "These items have several rows that differ (variants, or corrections); of each column the "
                    "most frequent text of an item counts.",
                    len(several),
                    first_few(several.sort()),
                    "If a row is an item, name a column in `id` that tells all rows apart.",
                )
            )
        return bool(len(several))

    def _category(
        self, table: SourceTable, roles: ItemRoles, group: str | None, *, alone: bool
    ) -> CategoryField:
        head, above = roles.category, roles.above
        if head is None:
            return (
                CategoryField(constant=_PRODUCTS.get(self.language, "Products")) if alone else CategoryField()
            )
        cells = filled_by_group(table.rows, group)[head].drop_nulls()
        path = path_separator(cells)
        several = several_paths(cells, path)
        if several is not None:
            many = cells.filter(cells.str.contains(several, literal=True))
            self.findings.doubts.append(
                Doubt(
                    Weight.ATTRIBUTE,
                    table.file,
                    head,
                    f"Some cells hold several categories, parted by “{several}”; the first counts.",
                    len(many),
                    first_few(many),
                )
            )
            cells = cells.str.split(several).list.first()
        absent = len(table.rows) - len(cells)
        if absent:
            self.findings.doubts.append(
                Doubt(
                    Weight.ATTRIBUTE,
                    table.file,
                    head,
                    "Rows without a category are left out.",
                    absent,
                    remedy="Fill in the category of these rows.",
                )
            )
        counts = dict(cells.value_counts().iter_rows())
        rename = {old: new for old, new in collisions(counts).items() if old.casefold() != new.casefold()}
        return CategoryField(column=head, path=path, above=above, several=several, rename=rename)


_PRODUCTS = {
    "de": "Produkte",
    "fr": "Produits",
    "es": "Productos",
    "zh": "商品",
    "it": "Prodotti",
    "nl": "Producten",
}


_CHANGING = 0.5
"""Different texts for each row of an item from which a column of a log is about the event, not the item."""


def _changes(table: SourceTable, item: str, head: str) -> bool:
    """Whether a log's column changes from one row of an item to the next, as an order's number does."""
    rows = table.rows.select(item, head).drop_nulls()
    repeated = rows.filter(pl.len().over(item) > 1)
    return repeated.unique().height > _CHANGING * max(len(repeated), 1)


_PER_CATEGORY = 4
"""Rows for each category from which it counts that a column has one text in each."""


def _same_within(table: SourceTable, head: str, category: str) -> bool:
    """Whether a column says what the category says already: one text in each, several in all."""
    rows = table.rows.select(head, category).drop_nulls()
    texts = rows.group_by(category).agg(pl.col(head).str.to_lowercase().n_unique())[head]
    return bool(
        rows[head].n_unique() > 1 and len(rows) >= max(_PER_CATEGORY * len(texts), 8) and (texts == 1).all()
    )


def _written_as(source: Source) -> dict[str, Any]:
    return {
        "file": source.file,
        "separator": source.separator,
        "encoding": source.encoding,
        "missing": source.missing,
    }


def _events(
    table: SourceTable, roles: EventRoles, used: Collection[tuple[str, str | None]], findings: Findings
) -> Events:
    """The source that reads a log."""
    kind, where = _kind(table, roles, findings)
    words = table.cells(roles.kind).unique() if roles.kind is not None else [kind.constant]
    kinds = {kind.rename.get(word or "", word) for word in words}
    left_out = [h for h in table.heads if h not in roles.heads and (table.file, h) not in used]
    findings.roles += [
        ColumnRole(
            table.file, h, "left out", "not needed for a log", table.filled(h), first_few(table.cells(h))
        )
        for h in left_out
        if not any(r.file == table.file and r.column == h for r in findings.roles)
    ]
    return Events(
        **_written_as(table.source),
        where=where,
        time=roles.time,
        user=UserField(column=roles.user, missing=roles.guests, otherwise=roles.visitor),
        session=Field(column=roles.session),
        kind=kind,
        item=Field(column=roles.item),
        position=_position(table, roles.position, findings),
        list=Field(column=roles.shown_together if "impression" in kinds else None),
        query=Field(column=roles.query),
        value=Field(column=roles.value),
    )


def _kind(
    table: SourceTable, roles: EventRoles, findings: Findings
) -> tuple[KindField, dict[str, tuple[str, ...]]]:
    """The kinds of a log's words, and which rows are read where some words are no kind."""
    if roles.kind is None:
        kind = "rating" if roles.value is not None and head_key(roles.value) in RATING_HEADS else "purchase"
        findings.doubts.append(
            Doubt(
                Weight.ROLE,
                table.file,
                "",
                f"No column says what kind of event a row is; all are taken as {kind}s.",
                len(table.rows),
                remedy="For another kind, change `kind` of the log in mapping.yaml.",
            )
        )
        return KindField(constant=kind), {}
    counts = dict(table.cells(roles.kind).value_counts(sort=True).iter_rows())
    kinds = kinds_by_word(counts)
    rename = {word: kind for word, kind in kinds.items() if kind is not None and kind != word}
    unknown = [word for word, kind in kinds.items() if kind is None]
    if unknown:
        findings.doubts.append(
            Doubt(
                Weight.MEANING,
                table.file,
                roles.kind,
                "Events of these kinds are left out: " + ", ".join(f"{w} ({counts[w]:,})" for w in unknown),
                sum(counts[w] for w in unknown),
                first_few(unknown),
                "If one counts, add it to `where` and `rename` of the log in mapping.yaml.",
            )
        )
    if rename:
        findings.doubts.append(
            Doubt(
                Weight.ATTRIBUTE,
                table.file,
                roles.kind,
                "Kinds of events are read as: " + ", ".join(f"{old} = {new}" for old, new in rename.items()),
                sum(counts[w] for w in rename),
                remedy="For another kind, change `rename` of the log's kind in mapping.yaml.",
            )
        )
    known = tuple(word for word, kind in kinds.items() if kind is not None)
    absent = len(table.rows) - sum(counts.values())
    where = {roles.kind: known} if unknown or absent else {}
    return KindField(column=roles.kind, rename=rename), where


def _position(table: SourceTable, head: str | None, findings: Findings) -> Field:
    """The positions; those from 0 are renamed, so that they begin at 1."""
    if head is None:
        return Field()
    numbers = table.cells(head).cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)
    least, most = numbers.min(), numbers.max()
    if least != 0 or not isinstance(most, int):
        return Field(column=head)
    findings.doubts.append(
        Doubt(
            Weight.ATTRIBUTE,
            table.file,
            head,
            "Positions begin at 0; they are read as beginning at 1.",
            int((numbers == 0).sum()),
            remedy='If 0 means: not known, write `missing: ["0"]` instead of `rename` in mapping.yaml.',
        )
    )
    return Field(
        column=head, rename={text: str(int(float(text)) + 1) for text in table.cells(head).unique().sort()}
    )
