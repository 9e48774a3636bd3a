"""A mapping for the files of an unknown shop, with all that was assumed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from kgrank.errors import InputError
from kgrank.ingest.mapping import Items, Mapping, Source
from kgrank.ingest.named import mapped_columns
from kgrank.ingest.read import read_table
from kgrank.ingest.report import Rejects
from kgrank.profiling.doubts import ColumnRole, Findings, first_few
from kgrank.profiling.events.roles import EventRoles, event_roles
from kgrank.profiling.events.sources import event_source
from kgrank.profiling.headings import language_of
from kgrank.profiling.items.attribute_fields import ProposedAttribute
from kgrank.profiling.items.sources import ItemSources
from kgrank.profiling.offers import OfferRoles, offer_roles, offer_source
from kgrank.profiling.source_table import SourceTable, read_source

_S = TypeVar("_S", bound=Source)

_OF_PERSONS = ("user", "session", "list")
"""Roles of a log's columns whose cells say who somebody is; the page shows no examples of them."""

_FEWEST_KNOWN = 0.05
"""Share of a log's items that must be products."""


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
    offered = _offered(products, findings)
    products = [t for t in products if all(t is not table for table, _ in offered)]
    language = language_of([h for t in products or logs for h in t.heads])
    roles = [(t, _roles_of(t, _candidate_ids(products), findings)) for t in logs]
    seen = {text for t, r in roles for text in t.cells(r.item).unique()}
    shop = ItemSources(language, findings)
    items = [source for t in products for source in shop.items(t, seen, alone=len(products) == 1)]
    if not products:
        items = [shop.items_of_log(t, r) for t, r in roles]
    offers = tuple(offer_source(t, r, shop.offered(t, r.by_role.values()), findings) for t, r in offered)
    used = {(s.file, a.column) for s in items for a in s.attributes.values()}
    places = {place for t, r in offered if r.place for place in t.cells(r.place).unique()}
    events = tuple(event_source(t, r, used, findings, places) for t, r in roles)
    _refuse_unknown_items(roles, items)
    items = [_without_left_out(s, findings) for s in items]
    events = tuple(_without_left_out(s, findings) for s in events)
    mapping = Mapping(
        about=f"Proposed by kgrank init for {', '.join(files)}",
        items=tuple(items),
        offers=tuple(_without_left_out(s, findings) for s in offers),
        events=events,
    )
    return Proposal(mapping, tuple(shop.attributes.values()), shop.brand_label, language, findings)


def _offered(products: Sequence[SourceTable], findings: Findings) -> list[tuple[SourceTable, OfferRoles]]:
    """The tables that say what products of other tables cost, and when."""
    offered = []
    for table in products:
        ids = _candidate_ids(t for t in products if t is not table)
        noted = Findings()
        roles = offer_roles(table, ids, noted)
        if roles is not None:
            findings.doubts += noted.doubts
            offered.append((table, roles))
    # Two tables with periods, each of which names the other's products: neither is their catalogue.
    return offered if len(offered) < len(products) else []


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
        ColumnRole(
            table.file,
            head,
            role,
            "",
            table.filled(head),
            () if role in _OF_PERSONS else first_few(table.cells(head)),
        )
        for role, head in roles.by_role.items()
    ]
    return roles
