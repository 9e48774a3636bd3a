"""Product tables as sources of the mapping, with their attributes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from kgrank.ingest.items import filled_by_group
from kgrank.ingest.mapping import AttributeField, CategoryField, Field, Items
from kgrank.ingest.rows import LIST
from kgrank.ontology.model import AttributeType
from kgrank.profiling.cell_contents import path_separator, several_paths
from kgrank.profiling.doubts import ColumnRole, Doubt, Findings, Weight, first_few
from kgrank.profiling.events.roles import EventRoles
from kgrank.profiling.headings import GROUP_HEADS, head_key
from kgrank.profiling.items.attribute_fields import (
    Habits,
    ProposedAttribute,
    decimal_habit,
    propose_attribute,
)
from kgrank.profiling.items.name_value_columns import NameValueColumns, name_value_columns
from kgrank.profiling.items.roles import ItemRoles, item_roles
from kgrank.profiling.key_collision import collisions
from kgrank.profiling.source_table import SourceTable, written_as

_NEARLY_ALL = 0.9
"""Share of rows that the column of groups must fill."""


class ItemSources:
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

    def offered(self, table: SourceTable, taken: Iterable[str]) -> dict[str, AttributeField]:
        """The attributes of a table of offers: all columns without a role."""
        return self._fields(table, set(taken), None)

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
                **written_as(table.source),
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
            **written_as(table.source),
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
