"""The mapping file: which file, which column and which word mean what.

A plain word names a column, except after ``category`` and ``kind``, where it is the same for every row.
A key that is left out means the column of that name, if the file has it and nothing else uses it.
"""

from __future__ import annotations

from collections import abc
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

from kgrank.errors import InputError
from kgrank.ingest.located import read_yaml
from kgrank.ontology.model import AttributeType
from kgrank.ontology.numerals import COMMA, POINT
from kgrank.ontology.units import find_unit
from kgrank.resources import mapping_file
from kgrank.unpacked import MOST_MEGABYTES

ORDER = "order"
"""``time: order``: the log has no clock; its rows are in order."""

ENDINGS: abc.Mapping[str, str] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".dat": "csv",
    ".parquet": "parquet",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
}
"""The format of a file by its ending; ``.gz`` may follow csv, tsv, txt, dat, json, jsonl and ndjson."""


class Form(StrEnum):
    """How a table holds choice tasks."""

    LONG = "long"
    WIDE = "wide"
    DIFFERENCES = "differences"


class Marks(StrEnum):
    """What the numbers of a rated profile are."""

    RATINGS = "ratings"
    PLACES = "places"
    POINTS = "points"


class Format(StrEnum):
    """How a file is written."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"
    JSONL = "jsonl"
    XLSX = "xlsx"


def _check_decimal(mark: str | None) -> None:
    if mark not in (None, POINT, COMMA):
        raise ValueError(f'the decimal mark {mark!r} is neither "." nor ","')


@dataclass(frozen=True)
class Field:
    """Where a text comes from: a column, or the same text on every row."""

    SHORT: ClassVar[str] = "column"

    column: Annotated[str | None, "The column."] = None
    constant: Annotated[str | None, "The same text on every row, instead of a column."] = None
    prefix: Annotated[str, "Put before each text, so that the ids of two files stay apart."] = ""
    rename: Annotated[abc.Mapping[str, str], "Words of the file and what they are called here."] = field(
        default_factory=dict
    )
    missing: Annotated[tuple[str, ...], "Words that mean: not known. An empty cell always does."] = ()

    def __post_init__(self) -> None:
        if self.column is not None and self.constant is not None:
            raise ValueError("a column and a constant at once")


@dataclass(frozen=True)
class CategoryField(Field):
    """The category of a row; a plain word is the category of every row."""

    SHORT: ClassVar[str] = "constant"

    path: Annotated[
        str | None, 'The column holds a path from the top; its parts are parted by this, e.g. "|".'
    ] = None
    under: Annotated[str | None, "A category above all that the column names."] = None
    above: Annotated[
        tuple[str, ...], "Columns with the categories above that of `column`, from the top."
    ] = ()
    several: Annotated[
        str | None, 'The column holds several categories, parted by this, e.g. ","; the first counts.'
    ] = None


@dataclass(frozen=True)
class KindField(Field):
    """The kind of an event; a plain word is the kind of every row."""

    SHORT: ClassVar[str] = "constant"


@dataclass(frozen=True)
class UserField(Field):
    """The user of an event; where it is empty, the visit can be the user."""

    otherwise: Annotated[
        str | None,
        "A column, such as that of the visit or of the cookie, that counts where `column` is empty, for people "
        'who are not signed in: its text after "anonymous:" is the user.',
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.otherwise is not None and self.constant is not None:
            raise ValueError("a constant, which is never empty, and otherwise at once")


@dataclass(frozen=True)
class TimeField:
    """When it happened; the plain word `order` says that there is no clock and the rows are in order."""

    SHORT: ClassVar[str] = "column"

    column: Annotated[str, "The column."] = "time"
    format: Annotated[
        str | None,
        'How the time is written, e.g. "%d/%m/%Y %H:%M"; by default what the times themselves show.',
    ] = None
    zone: Annotated[str, "The time zone of times that name none."] = "UTC"
    clock: Annotated[str | None, "A column with the time of day, where `column` has the day only."] = None


@dataclass(frozen=True)
class AttributeField(Field):
    """Where the values of an attribute come from, and what they are."""

    type: Annotated[AttributeType | None, "Choice, Choices, Ordered, Number, Boolean or Text."] = None
    one_hot: Annotated[
        abc.Mapping[str, str],
        "The value is spread over columns of 0 and 1 (or TRUE and FALSE, yes and no, x and nothing): a list of "
        "columns, or column: value. All zero means: not known; so does an empty cell, where others say 0.",
    ] = field(default_factory=dict)
    one_hot_base: Annotated[
        str | None, "The value where all `one_hot` columns are zero, or, in effects coding, where all are -1."
    ] = None
    values: Annotated[tuple[str, ...], "The values of an Ordered attribute, least to most."] = ()
    separator: Annotated[str, "Parts the values of a Choices cell."] = "|"
    unit: Annotated[str | None, "The unit of plain numbers: a UCUM code or a currency."] = None
    decimal: Annotated[str | None, 'The decimal mark, "." or ","; by default the file\'s.'] = None
    scale: Annotated[float, "Plain numbers are multiplied by this (hundreds of dollars: 100)."] = 1.0
    decimals: Annotated[int | None, "Plain numbers are rounded to this many decimals."] = None
    missing_units: Annotated[
        tuple[str, ...],
        "Units, such as the currency of few prices, in which a cell counts as not known: rates change.",
    ] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_decimal(self.decimal)
        for word in self.missing_units:
            if find_unit(word) is None:
                raise ValueError(f"the unit {word!r} in missing_units is not known")
        if self.one_hot and (self.column is not None or self.constant is not None):
            raise ValueError("one_hot beside a column or a constant")
        if self.one_hot_base is not None and not self.one_hot:
            raise ValueError("one_hot_base without one_hot")
        if self.type is AttributeType.ORDERED and not self.values:
            raise ValueError("an Ordered attribute without its values, least to most")


@dataclass(frozen=True)
class Outside:
    """The outside option, buying nothing: a word, or a table that describes its rows."""

    SHORT: ClassVar[str] = "offered"
    TABLE: ClassVar[str] = "rows"

    offered: Annotated[
        str,
        "`true`: a task in which nothing is chosen is a choice of nothing. "
        "`all_zero`: a row whose attributes are all zero or empty is the outside option. "
        "`false`: there is none.",
    ] = "false"
    rows: Annotated[
        abc.Mapping[str, tuple[str, ...]], "Rows with these values in these columns are the outside option."
    ] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.offered not in ("true", "false", "all_zero"):
            raise ValueError(f"{self.offered!r} is not one of true, false, all_zero, or a table of columns")

    @property
    def exists(self) -> bool:
        """Whether people could choose nothing."""
        return self.offered != "false" or bool(self.rows)


@dataclass(frozen=True)
class Alternative:
    """One alternative of a wide table."""

    SHORT: ClassVar[str] = "name"

    name: Annotated[str | None, "What stands for `{}`; else the alternative's own word."] = None
    values: Annotated[abc.Mapping[str, str], "Attribute values that are the same in every row."] = field(
        default_factory=dict
    )


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file and how to read it."""

    file: Annotated[str, "The file, relative to the data folder."]
    format: Annotated[
        Format | None, "csv, parquet, json, jsonl or xlsx; by default what the file's ending says."
    ] = None
    separator: Annotated[str | None, 'Parts the columns; by default "," and, for .tsv, a tabulator.'] = None
    sheet: Annotated[str | None, "The sheet of a workbook; by default the first."] = None
    header: Annotated[tuple[str, ...], "The columns' names, for a file without a head line."] = ()
    encoding: Annotated[str, "The file's encoding."] = "utf-8"
    unpacked: Annotated[
        int, "Megabytes that a packed file (.gz, xlsx, Parquet) may unpack to: a small one may hold far more."
    ] = MOST_MEGABYTES
    where: Annotated[
        abc.Mapping[str, tuple[str, ...]], "Only rows with these values in these columns are read."
    ] = field(default_factory=dict)
    missing: Annotated[tuple[str, ...], "Words that mean, in every column: not known."] = ()
    leave_out: Annotated[tuple[str, ...], "Columns that are not read, whatever they are called."] = ()
    decimal: Annotated[
        str | None,
        'The decimal mark of its numbers, "." or ","; by default what the numbers themselves show.',
    ] = None

    def __post_init__(self) -> None:
        _check_decimal(self.decimal)
        if self.unpacked < 1:
            raise ValueError(f"unpacked is {self.unpacked}, which is less than 1 MB")


@dataclass(frozen=True, kw_only=True)
class Items(Source):
    """A catalogue file. Several files about the same ids are put together."""

    id: Annotated[Field, "The item's id."] = Field()
    category: Annotated[CategoryField, "The item's category."] = CategoryField()
    brand: Annotated[Field, "The item's brand."] = Field()
    title: Annotated[Field, "The item's title."] = Field()
    description: Annotated[Field, "The item's description."] = Field()
    attributes: Annotated[
        abc.Mapping[str, AttributeField], "Attributes and where their values come from."
    ] = field(default_factory=dict)
    rest: Annotated[bool, "Whether every other column is an attribute too."] = False
    group: Annotated[
        str | None,
        "The column that names what several rows belong to, such as a product of several variants: their empty "
        "cells take its first text.",
    ] = None
    join_rows: Annotated[
        str | None, "An id has several rows; their texts are joined by this, in the file's order."
    ] = None
    from_log: Annotated[
        bool, "The rows are those of a log: of each id, the most frequent text of a column counts."
    ] = False


@dataclass(frozen=True, kw_only=True)
class Offers(Source):
    """Attributes that change over time, such as prices and promotions: one row an item, a period and a place."""

    item: Annotated[Field, "The item."] = Field()
    start: Annotated[TimeField, "From when on the offer holds; empty: always."] = TimeField(column="from")
    end: Annotated[
        TimeField, "Until when it holds: a day to its end, a time exclusive; empty: until another begins."
    ] = TimeField(column="to")
    place: Annotated[Field, "Where it holds, such as a store; empty: everywhere."] = Field()
    attributes: Annotated[
        abc.Mapping[str, AttributeField], "Attributes and where their values come from."
    ] = field(default_factory=dict)
    rest: Annotated[bool, "Whether every other column is an attribute too."] = False


@dataclass(frozen=True, kw_only=True)
class Events(Source):
    """A behaviour log, one row an event."""

    time: Annotated[TimeField, "When it happened, or `order`."] = TimeField()
    user: Annotated[UserField, "Who."] = UserField()
    session: Annotated[Field, "The visit."] = Field()
    kind: Annotated[KindField, "impression, search, view, cart, purchase, rank or rating."] = KindField()
    item: Annotated[Field, "On which item; empty for a search."] = Field()
    category: Annotated[CategoryField, "The category that a search went to."] = CategoryField()
    position: Annotated[Field, "The place on the page, from 1."] = Field()
    query: Annotated[Field, "The words searched for."] = Field()
    list: Annotated[
        Field,
        "What was shown, or ranked, together. By default, where impressions are logged: user, session, query "
        "and time.",
    ] = Field()
    value: Annotated[
        Field, "A rating, a quantity, or a place in a ranking, 1 the best; empty: below all that have one."
    ] = Field()
    place: Annotated[Field, "Where it happened, such as a store: the place of an offer."] = Field()
    attributes: Annotated[
        abc.Mapping[str, AttributeField],
        "Attributes of the item that change over time: the value that it had in the event.",
    ] = field(default_factory=dict)
    outside: Annotated[
        bool | None,
        "Whether a shopper may leave a list without choosing; by default yes where impressions are logged.",
    ] = None


@dataclass(frozen=True, kw_only=True)
class Sequences(Source):
    """One line a user: the user, then items, oldest first."""

    kind: Annotated[KindField, "The kind of all events."] = KindField(constant="purchase")


@dataclass(frozen=True, kw_only=True)
class Tasks(Source):
    """Choice tasks: alternatives that were offered together, and what was chosen."""

    form: Annotated[
        Form,
        "long: one row an alternative. wide: one row a task. "
        "differences: one row a pair, its columns first minus second alternative.",
    ] = Form.LONG
    category: Annotated[CategoryField, "The category of the alternatives."] = CategoryField()
    person: Annotated[Field, "Who chose; without it each task is a person of its own."] = Field()
    task: Annotated[Field, "The task, numbered within the person or throughout; by default, one a row."] = (
        Field()
    )
    alternative: Annotated[Field, "The alternative within the task."] = Field()
    item: Annotated[
        Field,
        "long: the item that the alternative is. What varies between the rows of an item is a value of the "
        "choice; without it, each combination of attributes is an item.",
    ] = Field()
    chosen: Annotated[
        Field,
        "long: 1 on the chosen row (and -1 on the worst), or the chosen alternative on every row of the task. "
        "wide: the chosen alternative. differences: 1 for the first.",
    ] = Field()
    worst: Annotated[
        Field, "The alternative that was named the worst (best-worst scaling), written like `chosen`."
    ] = Field()
    available: Annotated[
        Field,
        "1 where the alternative was on offer, else 0; in a wide table a column with `{}`, such as `av_{}`. "
        "An alternative that always was: `values: {available: 1}`.",
    ] = Field()
    units: Annotated[Field, "How many units were bought, instead of `chosen`."] = Field()
    rank: Annotated[
        Field,
        "long: the alternative's place, 1 the best, instead of `chosen`; empty: below all that have one.",
    ] = Field()
    time: Annotated[TimeField | None, "When; by default the order of a person's tasks."] = None
    outside: Annotated[Outside, "The outside option: true, false, all_zero, or a table: {column: value}."] = (
        Outside()
    )
    attributes: Annotated[
        abc.Mapping[str, AttributeField],
        "Attributes; `{}` in a column or a constant is the alternative (wide).",
    ] = field(default_factory=dict)
    rest: Annotated[bool, "Whether every other column is an attribute too."] = False
    alternatives: Annotated[abc.Mapping[str, Alternative], "The alternatives of a wide table."] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.form is Form.WIDE and not self.alternatives:
            raise ValueError("a wide table without its alternatives")
        if self.worst != Field() and (self.form is Form.DIFFERENCES or self.rank != Field()):
            raise ValueError("the worst alternative stands in the long or wide form, beside the chosen one")
        if self.available != Field() and self.form is Form.DIFFERENCES:
            raise ValueError("in the form differences, both alternatives are on offer")
        if self.item != Field() and self.form is not Form.LONG:
            raise ValueError("the item of an alternative stands in the long form")
        if self.rank != Field() and (self.form is not Form.LONG or self.outside.exists):
            raise ValueError("ranks stand in the long form, without an outside option")


@dataclass(frozen=True, kw_only=True)
class Ratings(Source):
    """Rated or ranked profiles: one row a person, one column a profile."""

    profiles: Annotated[str, "The file of the profiles, one row each, in the order of the columns."]
    marks: Annotated[
        Marks,
        "ratings: the higher, the better. places: a ranking, 1 the best. points: a ranking, the highest number "
        "the best.",
    ] = Marks.RATINGS
    category: Annotated[CategoryField, "The category of the profiles."] = CategoryField()
    person: Annotated[Field, "Who rated; by default each row is a person."] = Field()
    attributes: Annotated[
        abc.Mapping[str, AttributeField], "Attributes and where their values stand in the profiles."
    ] = field(default_factory=dict)
    rest: Annotated[bool, "Whether every other column of the profiles is an attribute too."] = False


@dataclass(frozen=True, kw_only=True)
class Pairs(Source):
    """Pairwise preferences: one row a pair of items, the better and the worse."""

    person: Annotated[Field, "Who prefers; by default each row is a person."] = Field()
    better: Annotated[Field, "The item that is preferred."] = Field()
    worse: Annotated[Field, "The item that it is preferred to."] = Field()
    time: Annotated[TimeField | None, "When; by default the order of the rows."] = None


@dataclass(frozen=True, kw_only=True)
class People(Source):
    """Who is in which segment of the ontology: one row a person."""

    person: Annotated[Field, "Who, as the events, tasks or ratings name them."] = Field()
    segment: Annotated[Field, "Their segment; empty: not known."] = Field()


@dataclass(frozen=True)
class Mapping:
    """All sections of a mapping file."""

    about: Annotated[str, "What the data are; repeated among the notes of the load."] = ""
    items: Annotated[tuple[Items, ...], "Catalogue files."] = ()
    offers: Annotated[tuple[Offers, ...], "What items cost, when and where, and what else changes."] = ()
    events: Annotated[tuple[Events, ...], "Behaviour logs."] = ()
    sequences: Annotated[tuple[Sequences, ...], "Logs with one line a user."] = ()
    tasks: Annotated[tuple[Tasks, ...], "Choice tasks."] = ()
    ratings: Annotated[tuple[Ratings, ...], "Rated or ranked profiles."] = ()
    pairs: Annotated[tuple[Pairs, ...], "Pairwise preferences between items."] = ()
    people: Annotated[tuple[People, ...], "Who is in which segment."] = ()

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files of all sections."""
        return (
            *self.items,
            *self.offers,
            *self.events,
            *self.sequences,
            *self.tasks,
            *self.ratings,
            *self.pairs,
            *self.people,
        )


def read_mapping(source: Path | str) -> Mapping:
    """The mapping of a YAML file, or the shipped one of this name (``choice_camera``).

    Raises:
        InputError: Not YAML, an unknown key, a value of the wrong kind; with the line.
    """
    path = mapping_file(source)
    mapping: Mapping = read_yaml(path, Mapping)
    if not mapping.sources:
        raise InputError(
            "the mapping names no file",
            where=path,
            expected="items, offers, events, sequences, tasks, ratings, pairs or people",
        )
    return mapping


def default_mapping(folder: Path) -> Mapping:
    """The mapping of a folder whose files and columns have the standard names.

    Raises:
        InputError: The folder has none of the standard files.
    """
    if not folder.is_dir():
        raise InputError(
            "there is no such folder", where=folder, expected="a folder with items and events, or tasks"
        )
    names = ("items", "offers", "events", "sequences", "tasks", "pairs", "people")
    files = {name: _standard(folder, name) for name in names}
    if not any(files.values()):
        raise InputError(
            "no file with a standard name",
            where=folder,
            expected="items.*, offers.*, events.*, sequences.txt, tasks.*, pairs.* or people.* "
            "(csv, tsv, parquet, json, jsonl, xlsx; .gz)",
            todo="Name the files in a mapping and pass it with --mapping: kgrank help file-schemas.",
        )
    return Mapping(
        items=tuple(Items(file=f, rest=True) for f in files["items"]),
        offers=tuple(Offers(file=f, rest=True) for f in files["offers"]),
        events=tuple(Events(file=f) for f in files["events"]),
        sequences=tuple(Sequences(file=f) for f in files["sequences"]),
        tasks=tuple(Tasks(file=f, rest=True) for f in files["tasks"]),
        pairs=tuple(Pairs(file=f) for f in files["pairs"]),
        people=tuple(People(file=f) for f in files["people"]),
    )


def _standard(folder: Path, name: str) -> list[str]:
    """The folder's file of a standard name; two of them are an error."""
    endings = {f"{name}{e}{z}" for e in ENDINGS for z in ("", ".gz")}
    files = sorted(f.name for f in folder.iterdir() if f.name in endings)
    if len(files) > 1:
        raise InputError(
            f"{' and '.join(files)} stand beside each other", where=folder, expected=f"one {name} file"
        )
    return files
