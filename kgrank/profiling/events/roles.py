"""A behaviour log's columns by role, from their names and from what their cells hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.cells.times import EARLIEST, latest, seconds
from kgrank.ingest.mapping import TimeField
from kgrank.ingest.rows import LINE
from kgrank.profiling.doubts import Doubt, Findings, Weight, first_few
from kgrank.profiling.events.kinds import event_kind
from kgrank.profiling.headings import CLOCK_HEADS, EVENT_HEADS
from kgrank.profiling.items.roles import heads_by_rank
from kgrank.profiling.source_table import SourceTable

SAMPLE = 2_000
"""Rows in which times and kinds are looked for."""

_TIMES, _KINDS = 0.8, 0.5
"""Shares of the cells that must be times, and kinds of events."""

_ITEMS = 0.05
"""Share of the texts of a column that must be known items."""

_SIGNED_IN = 0.5
"""Share of the rows that a column of shoppers must fill, unless the visits are known."""

_GUESTS = frozenset(
    {
        "guest",
        "visitor",
        "anonymous",
        "anon",
        "anonym",
        "not logged in",
        "not signed in",
        "not set",
        "(not set)",
        "gast",
        "invité",
        "invite",
        "anonyme",
        "invitado",
        "anónimo",
        "anonimo",
        "ospite",
        "гость",
        "游客",
        "访客",
        "匿名",
        "ゲスト",
    }
)
_ZEROS = ("0", "-1")
"""Words in a column of users that mean that nobody is signed in."""

_MOST_VISITS = 0.1
"""Share of all visits from which a user called 0, who has the most, is nobody."""

_MOST_KINDS = 60
"""Distinct words of a column of kinds at most."""

_YEAR_LAST = re.compile(
    r"^\d{1,2}(?P<mark>[/.-])\d{1,2}[/.-]\d{4}(?P<gap>,? +|T)?"
    r"(?P<clock>\d{1,2}:\d{2})?(?P<second>:\d{2})?(?P<half> ?[AaPp][Mm])?$"
)


@dataclass(frozen=True)
class EventRoles:
    """The columns of a log.

    Attributes:
        time, item, session, position, shown_together, query, value: Columns.
        user: The column of who is signed in; None where nobody is.
        visitor: The column that counts where the user is empty.
        guests: Words in the column of users that mean: not signed in.
        kind: None where all rows are of one kind.
    """

    time: TimeField
    user: str | None
    item: str
    visitor: str | None = None
    guests: tuple[str, ...] = ()
    kind: str | None = None
    session: str | None = None
    position: str | None = None
    shown_together: str | None = None
    query: str | None = None
    value: str | None = None

    @property
    def by_role(self) -> dict[str, str]:
        """The column of each role that there is."""
        columns = {
            "time": self.time.column,
            "time of day": self.time.clock,
            "user": self.user,
            "visitor": self.visitor if self.visitor != self.session else None,
            "session": self.session,
            "kind": self.kind,
            "item": self.item,
            "position": self.position,
            "list": self.shown_together,
            "query": self.query,
            "value": self.value,
        }
        return {role: head for role, head in columns.items() if head is not None}

    @property
    def heads(self) -> list[str]:
        """The columns that have a role."""
        return list(self.by_role.values())


def event_roles(table: SourceTable, item_ids: Collection[str], findings: Findings) -> EventRoles | None:
    """The roles of a log's columns; None where the table is no log.

    Args:
        table: The file.
        item_ids: Texts that may be ids of products; empty where no product table is at hand.
        findings: Collects what was assumed.

    Raises:
        InputError: Most rows of a log have no user and no visit.
    """
    sample = table.rows.head(SAMPLE)
    time = _time(table, sample, findings)
    if time is None:
        return None
    free = [h for h in table.heads if h not in (time.column, time.clock) and table.rows[h].count()]

    def pick(role: str, accepts: Callable[[str], bool] = lambda _: True) -> str | None:
        ranked = heads_by_rank(free, EVENT_HEADS[role])
        chosen = next(filter(accepts, ranked), None)
        if chosen is not None:
            free.remove(chosen)
        return chosen

    kind = pick("kind", lambda h: _is_kind(table, h)) or _kind_by_content(table, free)
    if kind in free:
        free.remove(kind)
    item = item_column(table, free, set(item_ids))
    if item is None:
        return None
    free.remove(item)
    user = pick("user", lambda h: table.filled(h) >= _SIGNED_IN)
    session = pick("session")
    if user is None and (rare := pick("user")) is not None:
        if session is None and kind is not None:
            raise _mostly_nobody(table, rare)
        user = rare if session is not None else None
    if user is None and session is None:
        return None
    if kind is None and not item_ids and not _repeats(table, item):
        return None
    visitor = session
    guests: tuple[str, ...] = ()
    if user is not None:
        guests = guest_words(table, user, session)
        signed_in = _signed_in(user, guests)
        others = [h for h in heads_by_rank(free, EVENT_HEADS["user"]) if _fills(table, h, ~signed_in)]
        visitor = next(iter(others), session)
        if visitor in free:
            free.remove(visitor)
        if bool(table.rows.select(signed_in.all()).item()) or visitor is None:
            visitor, guests = None, ()
    position = pick("position", lambda h: _whole(table, h))
    query = pick("query", lambda h: not _whole(table, h))
    list_ = pick("list")
    value = pick("value", lambda h: table.cells(h).str.contains(r"^-?[\d.,]+$").all())
    roles = EventRoles(time, user, item, visitor, guests, kind, session, position, list_, query, value)
    findings.doubts += _visitors(table, roles)
    return roles


def _mostly_nobody(table: SourceTable, user: str) -> InputError:
    """The error for a log of mostly anonymous rows without a column that tells their visits apart."""
    return InputError(
        f"{table.rows[user].null_count():,} of {len(table.rows):,} rows have no {user}, and no column says "
        "to which visit they belong",
        where=table.path,
        expected="a column of visits, called session, visit_id or the like",
        todo="Export the log with it, or delete the rows of people who are not signed in.",
    )


def guest_words(table: SourceTable, user: str, session: str | None) -> tuple[str, ...]:
    """The words in a column of users that mean that nobody is signed in; a 0 does where most visits have it."""
    words = [w for w in table.cells(user).unique().sort() if w.strip().casefold() in _GUESTS]
    if session is None:
        return tuple(words)
    visits = table.rows.select(user, session).drop_nulls().unique()[user].value_counts(sort=True)
    counts = dict(visits.iter_rows())
    most, total = max(counts.values(), default=0), sum(counts.values())
    zeros = [w for w in _ZEROS if counts.get(w, 0) == most and most > _MOST_VISITS * total]
    return (*words, *(w for w in zeros if len(counts) > 1))


def _signed_in(user: str, guests: tuple[str, ...]) -> pl.Expr:
    return pl.col(user).is_not_null() & ~pl.col(user).is_in(list(guests))


def _fills(table: SourceTable, head: str, rows: pl.Expr) -> bool:
    """Whether a column has cells in most of the rows."""
    cells = table.rows.filter(rows)[head]
    return len(cells) > 0 and cells.count() >= _SIGNED_IN * len(cells)


def _visitors(table: SourceTable, roles: EventRoles) -> list[Doubt]:
    """What was assumed of the people who are not signed in."""
    if roles.visitor is None:
        return []
    cells = table.cells(roles.visitor)
    if roles.user is None:
        text = "No column says who the shopper is; each visit is taken as a shopper."
        remedy = "Write `user: …` for the log in mapping.yaml, if there is a column that says it."
        return [Doubt(Weight.MEANING, table.file, roles.visitor, text, cells.n_unique(), remedy=remedy)]
    anonymous = table.rows.filter(~_signed_in(roles.user, roles.guests))
    words = f" or says {', '.join(f'“{w}”' for w in roles.guests)}" if roles.guests else ""
    visitors = anonymous[roles.visitor].drop_nulls()
    return [
        Doubt(
            Weight.MEANING,
            table.file,
            roles.user,
            f"Where this column is empty{words}, nobody is signed in: each text of {roles.visitor} there is "
            f"taken as a shopper, {visitors.n_unique():,} in all.",
            len(anonymous),
            first_few(visitors),
            "If another column tells them apart, name it in `otherwise` of the log's user in mapping.yaml.",
        )
    ]


def _time(table: SourceTable, sample: pl.DataFrame, findings: Findings) -> TimeField | None:
    """The column of times, and how they are written where that can be read in two ways."""
    named = heads_by_rank(table.heads, EVENT_HEADS["time"])
    others = [
        h for h in table.heads if h not in named and sample[h].str.contains(r"\d{4}.?\d{2}.?\d{2}").mean()
    ]
    for head in [*named, *others]:
        field = time_field(table, sample, head, findings, sure=head in named)
        if field is not None:
            return replace(field, clock=_clock(table, sample, head))
    return None


def _clock(table: SourceTable, sample: pl.DataFrame, day: str) -> str | None:
    """The column with the time of day, where the column of times has days only."""
    if sample[day].str.contains(r"\d:\d").any() or not sample[day].str.contains(r"\d[./-]\d").all():
        return None
    ranked = heads_by_rank([h for h in table.heads if h != day], CLOCK_HEADS)
    return next(
        (h for h in ranked if sample[h].drop_nulls().str.contains(r"^\d{1,2}:\d{2}(:\d{2})?$").all()), None
    )


def time_field(
    table: SourceTable, sample: pl.DataFrame, head: str, findings: Findings, *, sure: bool
) -> TimeField | None:
    """How the times of a column are written; None where it holds none.

    Args:
        table: The file.
        sample: Some of its rows.
        head: The column.
        findings: Collects what was assumed.
        sure: Whether its name says that it holds times.
    """
    field = TimeField(column=head)
    cells = sample[head].drop_nulls()
    if not len(cells) or (not sure and not cells.str.contains(r"[-:/T]").all()):
        return None
    rows = sample.select(head, LINE)
    try:
        if _share_of_times(rows, field, table) >= _TIMES:
            seconds(table.rows.select(head, LINE), field, table.path)
            return field
        return None
    except InputError:
        pass
    match = next((m for text in cells if (m := _YEAR_LAST.match(text))), None)
    if match is None:
        return None
    fields = [TimeField(column=head, format=_format(match, order)) for order in ("dm", "md")]
    day_first, month_first = (_share_of_times(table.rows.select(head, LINE), f, table) for f in fields)
    moments = [seconds(table.rows.select(head, LINE), f, table.path) for f in fields]
    ascending = [float(((m.diff() >= 0).mean()) or 0.0) for m in moments]  # type: ignore[arg-type]
    month = month_first > day_first or (month_first == day_first and ascending[1] > ascending[0])
    findings.doubts.append(
        Doubt(
            Weight.MEANING,
            table.file,
            head,
            f"Dates can be read in two ways; the {'month' if month else 'day'} is taken to be first.",
            len(table.rows),
            first_few(cells),
            "For the other order, change `format` of the time in mapping.yaml.",
        )
    )
    return fields[month]


def _format(match: re.Match[str], order: str) -> str:
    half = match["half"]
    clock = "" if match["clock"] is None else ("%I:%M" if half else "%H:%M")
    seconds_ = "%S" if match["second"] else ""
    text = f"%{order[0]}{match['mark']}%{order[1]}{match['mark']}%Y{match['gap'] or ''}{clock}"
    return text + (f":{seconds_}" if seconds_ else "") + (f"{half[:-2]}%p" if half else "")


def _share_of_times(rows: pl.DataFrame, field: TimeField, table: SourceTable) -> float:
    moments = seconds(rows, field, table.path)
    plausible = moments.is_between(EARLIEST, latest()).fill_null(False)
    return float(plausible.sum()) / max(rows[field.column].count(), 1)


def _is_kind(table: SourceTable, head: str) -> bool:
    words = table.cells(head).unique()
    return 0 < len(words) <= _MOST_KINDS and any(event_kind(w) for w in words)


def _kind_by_content(table: SourceTable, free: list[str]) -> str | None:
    for head in free:
        words = table.cells(head).unique()
        if 0 < len(words) <= _MOST_KINDS and table.filled(head) > 0.9:
            known = sum(event_kind(w) is not None for w in words)
            if known >= _KINDS * len(words) and known >= min(2, len(words)):
                return head
    return None


def item_column(table: SourceTable, free: list[str], item_ids: set[str]) -> str | None:
    """The column whose cells are products' ids; by its name where no product table is at hand."""
    named = heads_by_rank(free, EVENT_HEADS["item"])
    if not item_ids:
        return next(iter(named), None)
    others = {
        h for role in ("position", "value", "user", "session") for h in heads_by_rank(free, EVENT_HEADS[role])
    }
    shares = {}
    for head in free:
        distinct = set(table.cells(head).unique())
        shares[head] = len(distinct & item_ids) / max(len(distinct), 1)
    likely = [h for h in free if shares[h] >= _ITEMS]
    # Small numbers are ids of items as well as positions and quantities: there the names decide.
    return max(
        likely, key=lambda h: shares[h] + (h in named) - (h in others and h not in named), default=None
    )


def _repeats(table: SourceTable, item: str) -> bool:
    return table.cells(item).n_unique() < 0.9 * len(table.cells(item))


def _whole(table: SourceTable, head: str) -> bool:
    return bool(table.cells(head).str.contains(r"^\d+(?:\.0+)?$").all())
