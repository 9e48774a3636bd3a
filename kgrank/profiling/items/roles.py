"""A product table's columns by role: id, title, brand, category, description; the rest are attributes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.rows import LINE
from kgrank.profiling.cell_contents import path_separator, unreadable
from kgrank.profiling.doubts import ColumnRole, Doubt, Findings, Weight, first_few
from kgrank.profiling.headings import GROUP_HEADS, ITEM_HEADS, head_key
from kgrank.profiling.source_table import SourceTable

_NEARLY_ALL = 0.9
"""Share of rows from which a column counts as filled."""

_COMPOUND = 6
"""Letters from which a name counts at the end of a longer word too."""

_ENOUGH = 0.5
"""Share of rows that a column must fill to be the id, the title or the category."""

_PARENTS = 1.1
"""Upper categories of a lower one, on average, up to which two columns are levels of one tree."""

_TITLE = 60
"""Characters of an average text up to which it can be a title."""

_MOST_CATEGORIES = 0.5
"""Distinct categories for each row at most, where there are many rows."""


@dataclass(frozen=True)
class ItemRoles:
    """The columns of a product table; None where there is none of the role."""

    id: str
    title: str | None
    brand: str | None
    category: str | None
    description: str | None
    above: tuple[str, ...] = ()
    """The columns of the categories above, from the top."""

    @property
    def heads(self) -> list[str]:
        """The columns that have a role."""
        single = (self.id, self.title, self.brand, self.category, self.description)
        return [*(h for h in single if h), *self.above]


def heads_by_rank(heads: Sequence[str], names: Sequence[str]) -> list[str]:
    """The heads that are among the names, the surest name first; then those that end with one."""
    keys = {head: head_key(head) for head in heads}
    exact = [h for name in names for h in heads if keys[h] == name]
    ends = [h for name in names for h in heads if keys[h].endswith(f" {name}") and len(name) > 2]
    # In German the parts of a name are one word: Produktkategorie.
    ends += [h for name in names for h in heads if keys[h].endswith(name) and len(name) >= _COMPOUND]
    return list(dict.fromkeys([*exact, *ends]))


def item_roles(table: SourceTable, ids_in_events: Collection[str], findings: Findings) -> ItemRoles:
    """The roles of a product table's columns.

    Args:
        table: The file.
        ids_in_events: What the logs call items; empty where there is no log.
        findings: Collects what was assumed.

    Raises:
        InputError: No column names the products.
    """
    id_ = _id(table, ids_in_events, findings)
    free = [h for h in table.heads if h != id_]

    def pick(role: str, accepts: Callable[[str], bool] = lambda _: True) -> str | None:
        ranked = [h for h in heads_by_rank(free, ITEM_HEADS[role]) if table.rows[h].count()]
        chosen = next(filter(accepts, ranked), None)
        if chosen is not None:
            free.remove(chosen)
        return chosen

    brand = pick("brand")
    category = pick("category", lambda h: _is_category(table, h))
    above: tuple[str, ...] = ()
    if category is not None:
        levels = [h for h in heads_by_rank(free, ITEM_HEADS["category"]) if _is_category(table, h)]
        *upper, category = _nested(table, [category, *levels])
        above = tuple(upper)
        free = [h for h in table.heads if h not in (id_, brand, category, *above)]
    title = pick("title", lambda h: table.cells(h).n_unique() > 1 or len(table.rows) < 3)
    description = pick("description", lambda h: table.cells(h).n_unique() > 1 or len(table.rows) < 3)
    if title is None and description is not None and _is_short(table.cells(description)):
        title, description = description, None
    roles = ItemRoles(id_, title, brand, category, description, above)
    findings.roles += [
        ColumnRole(table.file, h, "category above", "", table.filled(h), first_few(table.cells(h)))
        for h in above
    ]
    for role in ("id", "title", "brand", "category", "description"):
        head = getattr(roles, role)
        if head is not None:
            findings.roles.append(
                ColumnRole(table.file, head, role, "", table.filled(head), first_few(table.cells(head)))
            )
    if category is None:
        findings.doubts.append(
            Doubt(
                Weight.ROLE,
                table.file,
                "",
                "No column was found that says the category; all products are in one.",
                len(table.rows),
                remedy="Call the column `category` in the file, and run init into a new folder.",
            )
        )
    if brand is None:
        findings.doubts.append(
            Doubt(
                Weight.DETAIL,
                table.file,
                "",
                "No column was found that says the brand.",
                remedy="Call the column `brand` in the file, and run init into a new folder.",
            )
        )
    return roles


def _nested(table: SourceTable, levels: Sequence[str]) -> list[str]:
    """The first column with those that are its upper or lower levels, from the top.

    Each text of a lower level belongs to one text of the next upper one, as a subcategory does to its category.
    """
    chain = [levels[0]]
    if any(path_separator(table.cells(h)) for h in chain):
        return chain
    for head in levels[1:]:
        several = sorted({*chain, head}, key=lambda h: table.cells(h).n_unique())
        if all(_belongs(table, low, high) for high, low in pairwise(several)):
            chain = several
    return chain


def _belongs(table: SourceTable, low: str, high: str) -> bool:
    rows = table.rows.select(low, high).drop_nulls()
    pairs = rows.unique()
    children, parents = pairs[low].n_unique(), pairs[high].n_unique()
    return bool(len(rows)) and parents < children and len(pairs) <= _PARENTS * children


def _is_short(texts: pl.Series) -> bool:
    return int(texts.str.len_chars().sum()) < _TITLE * len(texts)


def _is_category(table: SourceTable, head: str) -> bool:
    cells = table.cells(head)
    several = len(cells) < 20 or cells.n_unique() <= _MOST_CATEGORIES * len(cells)
    return table.filled(head) >= _ENOUGH / 2 and several and cells.n_unique() > 1 and not unreadable(cells)


def _id(table: SourceTable, ids_in_events: Collection[str], findings: Findings) -> str:
    """The column that names products: the one that logs use, else the first by name that tells rows apart."""
    known = set(ids_in_events)
    if known:
        shares = {h: len(known & set(table.cells(h))) / len(known) for h in table.heads}
        best = max(shares, key=lambda h: shares[h])
        if shares[best] >= 0.2:
            _doubt_strangers(table, best, shares[best], len(known), findings)
            return best
    ranked = [h for h in heads_by_rank(table.heads, ITEM_HEADS["id"]) if table.filled(h) >= _ENOUGH]
    title = next(iter(heads_by_rank(table.heads, ITEM_HEADS["title"])), None)
    handle = next(
        (h for h in table.heads if head_key(h) in GROUP_HEADS and table.filled(h) > _NEARLY_ALL), None
    )
    if handle is not None and title is not None and table.filled(title) < _NEARLY_ALL:
        # Only the first of a product's rows has its title: the product is the item, not each of its variants.
        return handle
    for head in ranked:
        if _tells_apart(table, head) and head != title:
            return head
    unique = [h for h in table.heads if table.filled(h) == 1 and table.rows[h].n_unique() == len(table.rows)]
    if ranked or unique:
        chosen = (ranked or unique)[0]
        findings.doubts.append(
            Doubt(
                Weight.ROLE,
                table.file,
                chosen,
                "No column is called like an id; this one is taken."
                if not ranked
                else "The id does not tell all rows apart.",
                len(table.rows) - table.rows[chosen].n_unique(),
                first_few(table.cells(chosen)),
                "Call the column that is the id `sku` in the file, and run init into a new folder.",
            )
        )
        return chosen
    raise InputError(
        "no column tells the products apart",
        where=table.path,
        expected=f"an id such as sku or product_id, among {', '.join(table.heads)}",
        todo="Give each product an id in a column of its own.",
    )


def _tells_apart(table: SourceTable, head: str) -> bool:
    """Whether rows with the same text in a column are the same throughout, but for a few."""
    rows = table.rows.drop_nulls(head).select(pl.exclude(LINE)).unique()
    return rows[head].n_unique() >= 0.95 * len(rows)


def _doubt_strangers(table: SourceTable, head: str, share: float, count: int, findings: Findings) -> None:
    if share < 0.95:
        findings.doubts.append(
            Doubt(
                Weight.MEANING,
                table.file,
                head,
                f"{1 - share:.0%} of the items in the logs are not among the products; their events are left out.",
                round((1 - share) * count),
                remedy="Export all products, those that are no longer sold too.",
            )
        )
