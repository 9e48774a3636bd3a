"""Logs as sources of the mapping: their kinds of events, and positions from 1."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from kgrank.ingest.mapping import Events, Field, KindField, UserField
from kgrank.profiling.doubts import ColumnRole, Doubt, Findings, Weight, first_few
from kgrank.profiling.events.kinds import kinds_by_word
from kgrank.profiling.events.roles import EventRoles
from kgrank.profiling.headings import OFFER_HEADS, RATING_HEADS, head_key
from kgrank.profiling.items.roles import heads_by_rank
from kgrank.profiling.source_table import SourceTable, written_as


def event_source(
    table: SourceTable,
    roles: EventRoles,
    used: Collection[tuple[str, str | None]],
    findings: Findings,
    places: Collection[str] = (),
) -> Events:
    """The source that reads a log.

    Args:
        table: The file.
        roles: Its columns.
        used: Files and columns that describe products.
        findings: Collects what was assumed.
        places: Where the offers of other files hold.
    """
    place = _place(table, roles, places, findings)
    kind, where = _kind(table, roles, findings)
    words = table.cells(roles.kind).unique() if roles.kind is not None else [kind.constant]
    kinds = {kind.rename.get(word or "", word) for word in words}
    left_out = [h for h in table.heads if h not in (*roles.heads, place) and (table.file, h) not in used]
    # Without examples: such a column may hold addresses or names of persons.
    findings.roles += [
        ColumnRole(table.file, h, "left out", "not needed for a log", table.filled(h))
        for h in left_out
        if not any(r.file == table.file and r.column == h for r in findings.roles)
    ]
    return Events(
        **written_as(table.source),
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
        place=Field(column=place),
    )


def _place(table: SourceTable, roles: EventRoles, places: Collection[str], findings: Findings) -> str | None:
    """The column that says at which of the offers' places an event was."""
    if not places:
        return None
    free = [h for h in table.heads if h not in roles.heads]
    for head in heads_by_rank(free, OFFER_HEADS["place"]):
        if not set(places).isdisjoint(table.cells(head).unique()):
            findings.roles.append(
                ColumnRole(table.file, head, "place", "", table.filled(head), first_few(table.cells(head)))
            )
            return head
    findings.doubts.append(
        Doubt(
            Weight.MEANING,
            table.file,
            "",
            "The offers hold at places, and no column of the log says where an event was: offers at places do not "
            "count.",
            len(table.rows),
            first_few(sorted(places)),
            "Export the log with the place, or take `place` out of the offers in mapping.yaml.",
        )
    )
    return None


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
