"""Tables of prices and promotions with periods, from the names of their columns and what their cells hold."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from kgrank.ingest.mapping import AttributeField, Field, Offers, TimeField
from kgrank.profiling.doubts import ColumnRole, Doubt, Findings, Weight, first_few
from kgrank.profiling.events.roles import SAMPLE, item_column, time_field
from kgrank.profiling.headings import OFFER_HEADS
from kgrank.profiling.items.roles import heads_by_rank
from kgrank.profiling.source_table import SourceTable, written_as


@dataclass(frozen=True)
class OfferRoles:
    """The columns of a table of offers.

    Attributes:
        item: The item's id.
        start: From when on an offer holds.
        end: Until when; None where each holds until the next begins.
        place: Where; None where all hold everywhere.
    """

    item: str
    start: TimeField
    end: TimeField | None = None
    place: str | None = None

    @property
    def by_role(self) -> dict[str, str]:
        """The column of each role that there is."""
        columns = {
            "id": self.item,
            "from": self.start.column,
            "to": self.end.column if self.end is not None else None,
            "place": self.place,
        }
        return {role: head for role, head in columns.items() if head is not None}


def offer_roles(table: SourceTable, item_ids: Collection[str], findings: Findings) -> OfferRoles | None:
    """The roles of a table of offers; None where it is none.

    Args:
        table: The file; no log of events.
        item_ids: Ids of the products of other files.
        findings: Collects what was assumed.
    """
    sample, free = table.rows.head(SAMPLE), list(table.heads)

    def moment(role: str) -> TimeField | None:
        for head in heads_by_rank(free, OFFER_HEADS[role]):
            field = time_field(table, sample, head, findings, sure=True)
            if field is not None:
                free.remove(head)
                return field
        return None

    start, end = moment("start"), moment("end")
    if start is None or not item_ids:
        return None
    item = item_column(table, free, set(item_ids))
    if item is None:
        return None
    free.remove(item)
    place = next(iter(heads_by_rank(free, OFFER_HEADS["place"])), None)
    repeats = table.cells(item).is_duplicated().any()
    if end is None and not repeats:
        # A product's own start of sales is no period.
        return None
    return OfferRoles(item, start, end, place)


def offer_source(
    table: SourceTable, roles: OfferRoles, fields: dict[str, AttributeField], findings: Findings
) -> Offers:
    """The source that reads a table of offers, with the attributes that change."""
    findings.roles += [
        ColumnRole(table.file, head, role, "", table.filled(head), first_few(table.cells(head)))
        for role, head in roles.by_role.items()
    ]
    findings.doubts.append(
        Doubt(
            Weight.ROLE,
            table.file,
            "",
            f"Its rows are taken as offers: what {', '.join(fields)} of a product are from {roles.start.column} "
            + (
                f"to {roles.end.column}." if roles.end is not None else "on, until the next row of it begins."
            ),
            len(table.rows),
            remedy="If they are products of their own, put them under `items` in mapping.yaml.",
        )
    )
    return Offers(
        **written_as(table.source),
        item=Field(column=roles.item),
        start=roles.start,
        end=roles.end or TimeField(column="to"),
        place=Field(column=roles.place),
        attributes=fields,
    )
