"""The page docs/file-schemas.md, written from the code: ``python -m kgrank.ingest.describe``."""

from __future__ import annotations

import sys
import types
from collections import abc
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from kgrank.ingest import mapping
from kgrank.ingest.columns import EVENTS, ITEMS, KINDS, OFFERS, OTHER_KINDS, PEOPLE, STANDARD, VALUES, Column
from kgrank.ingest.events import ACTIONS_AN_HOUR, IMPRESSIONS_WITHOUT_ACTION
from kgrank.ingest.located import about
from kgrank.ingest.report import MOST, REASONS
from kgrank.ingest.returns import RETURNS

_SECTIONS = (
    mapping.Items,
    mapping.Offers,
    mapping.Events,
    mapping.Sequences,
    mapping.Tasks,
    mapping.Ratings,
    mapping.Pairs,
    mapping.People,
)
_PARTS = (
    mapping.Field,
    mapping.CategoryField,
    mapping.UserField,
    mapping.KindField,
    mapping.TimeField,
    mapping.AttributeField,
    mapping.Outside,
    mapping.Alternative,
)

_HEAD = """# Files that come in

Written by `python -m kgrank.ingest.describe` from the code; a test holds it to the code.

`kgrank load FOLDER` reads CSV, Parquet, JSON, JSON Lines and workbooks
(`.csv`, `.tsv`, `.parquet`, `.json`, `.jsonl`, `.ndjson`, `.xlsx`;
text files also as `.gz`), in UTF-8 unless the mapping says otherwise. Files with standard names and
columns need no mapping. Everything is read as text; what a cell means is decided by the mapping and the
ontology.

## Standard files and columns

| file | columns | further columns |
|---|---|---|
| `items.*` | {items} | attributes: the column's name is the attribute's id, its name or a synonym |
| `offers.*` | {offers} | attributes that change over time |
| `events.*` | {events} | not read, unless the mapping names them as `attributes` |
| `sequences.txt` | none: one line a user, `user item item …`, oldest first; each is a purchase | |
| `tasks.*` | {tasks} | attributes of the alternative |
| `pairs.*` | {pairs} | not read |
| `people.*` | {people} | not read |

- `kind` is one of {kinds}.
- {others} count as the kind in brackets.
- {returns} take back the latest earlier event (of the kind in brackets) of the same user and item, as does a
  purchase or cart with a quantity below 0; of several units, as many as they say. Both are counted among the
  dropped rows, and so is a return of nothing.
- `time` is ISO 8601 (also `2026-03-01 10:00 UTC`), seconds (milli-, micro- or nanoseconds) since 1970, a date
  as digits (`20260301`, `20260301103000`, `202603`, `2026`), a spreadsheet's serial day (`46082.5`), a date
  with the year last (`01.03.2026`: the day first; `13/03/2026`: a row of the column shows which is first, else
  the column is an error that names both readings) or with an English month (`1 Mar 2026`). Of numbers, the
  reading counts that makes the times plausible: from 1990 to tomorrow. A log without a clock needs a mapping
  with `time: order`.
- A row without a user is dropped, unless the mapping names a column that counts instead:
  `user: {{column: customer_id, otherwise: visit_id}}`. People who are not signed in are then `anonymous:` and
  that column's text, each a person of its own; a note counts their rows. Where nobody is signed in, write
  `user: {{otherwise: visit_id}}`.
- A choice task becomes an impression for each alternative and a purchase of the chosen one. The
  alternative becomes an item; its id is its category and a hash of its attributes. Where the column `item`
  names the item, the attributes that differ between an item's rows are values of the choice, not of the item.
- A list's id is the category, person and task; where alternatives name their items, the task alone, if it tells a
  person's tasks apart.
- An offer says what an item has from one time until another, at a place or everywhere: its price, a
  promotion, whether it is in stock. A choice counts with the offer that holds when and where it was made: of
  the event's `place`, else of everywhere; in a gap, the last one before. A day in `to` counts to its end, a
  time does not. Where offers overlap, the one that begins last counts, and the other again when it ends. An
  empty cell means: as in the catalogue. Items that are in no offers file are always on offer; the others,
  where the log does not say what was shown, are alternatives of a purchase only while an offer holds.
- Attributes that the mapping names in the event log are what the item had in that event; other events take
  the last value seen before. What the catalogue does not say of an item is what its last offer says.
- A row of `people` says in which segment of the ontology (`kg:Segment`: age groups, kinds of households) a
  person is. A person is in one segment at most; where two kinds of segments matter, name segments that combine
  them. Who is in none counts with everybody else. A file of people is whole: who is in the log of the same load
  and not in the file has left their segment; a load without a file of people changes no membership.
- Where impressions are logged without `list`, what one user saw in one session, for one query, at one
  time is a list. A view, cart or purchase without `list` belongs to the list in which its user last saw
  the item: in the session, or where no session is logged, within half an hour.
- What people did to the items of a list is read as a ranking by deeds: what was bought, then what went
  into the cart, then what was viewed, then the rest. How much each kind says is learned
  ([training](training.md#feedback)).
- A ranking is a `rank` event for each of its items, with the `list` that was ranked and the place as
  `value`, 1 the best; an item without a place is below all that have one. A row of `pairs` is a ranking of
  two items of the catalogue. Rankings of alternatives that are no items stand in `tasks`, with `rank` instead
  of `chosen`.
- The worst alternative of a task (best-worst scaling: `worst`, or -1 in `chosen`) is read as rankings of
  two, below each alternative that is neither worst nor chosen. An alternative with 0 in `available` was not
  on offer.
- `NULL`, `\\N`, `#N/A` and `<NA>` mean: not known; in a column of numbers so do `NaN`, `N/A`, `-` and the
  like. A note counts them. Characters that cannot be seen do not count, and every text is in Unicode's
  normal form C. Brands and values that differ only in case, width or form are one, with a note.
- A JSON file is a list of objects (`[{{…}}, {{…}}]`), an object with one such list (`{{"products": [{{…}}]}}`; a
  note names what is beside it), or one object a line.
- Records of JSON and Parquet files are read where the mapping names their parts (`price.value`). A note
  names every column with cells that is not read.
- Cells may carry units (`4 cm`, `EUR 15`, `€15`), names or synonyms of values in any language of the
  ontology, and any case.
- Numbers may have a decimal point or comma, and thousands parted by the other mark, a space, an apostrophe or
  as in India (`1,234.5`, `1.234,5`, `1 234,5`, `1'234.5`, `12,34,567`). The cells of a column that have one
  reading decide for the others; where all have two (`1,234` and `2.500`), the column is an error that names
  both, until `decimal` in the mapping says the mark.

## The mapping file

A YAML file says which file, which column and which word mean what. A plain word names a column, except
after `category` and `kind`, where it is the same for every row. A key that is left out means the column
of that name, if the file has it and nothing else in the mapping uses it. Words stay as they are
written: `no` is the word no. A list of words stands for a table in which each word names itself:
`attributes: [color, size]`. An unknown key is an error that names the line and the nearest key.
Worked examples stand in `configs/mappings/`.

```yaml
{example}```

"""

_EXAMPLE = """about: Choice-based conjoint, four cameras or none.
tasks:
  - file: camera.csv
    category: camera
    person: respondent
    task: task
    alternative: alt
    chosen: chosen
    outside: {alt: 5}
    attributes:
      brand: {one_hot: {canon: Canon, sony: Sony}, one_hot_base: Nikon}
      zoom: {type: Boolean}
      price: {type: Number, unit: USD, scale: 100}
"""

_INFERRED = """## Words that the ontology does not have

Categories, brands, values and kinds of events match by id, name, synonym and notation, in any case, width
and Unicode form; a note names other spellings. All other words are named in one answer, with their rows and
the nearest name, and nothing is loaded. `kgrank load … --unknown words.xlsx` writes them to fill in
(`.csv`, `.xlsx`: the column `means`; `.yaml`: a block to paste into the mapping, in which words without a
proposal are comments), and `--words words.xlsx` takes the file back. In the mapping it is `rename`; for
several values in a cell, and for steps of a path, it applies to each.

## Without an ontology

One is inferred, and the load says so. Categories come from `category` and its `path`; the id of a step
is its name in lower case with hyphens, and the ids of the steps above stand before it:
`beauty.hair-care`. An attribute is Boolean where all its texts are yes or no, Text where all are codes
(digits of one length, each on one item, or with leading zeros), a Number where all are numbers, Choices
where any holds the separator `|`, else a Choice, unless the mapping gives its `type`. The unit of a Number
is the one that most of its cells name. A column with few cells that are no numbers is a Number still: nine
in ten cells must be numbers, or three in four where the odd ones are all alike (`n/a`); the odd cells are
dropped, and a note names the first.
Attributes are open: they take every value that the data have. An attribute applies in the highest
category in all of whose branches the data have it.

"""


def file_schemas() -> str:
    """The whole page."""
    head = _HEAD.format(
        **{name: ", ".join(f"`{c}`" for c in columns) for name, columns in STANDARD.items()},
        kinds=", ".join(f"`{k}`" for k in KINDS),
        others=", ".join(f"`{k}` ({v})" for k, v in OTHER_KINDS.items()),
        returns=", ".join(f"`{k}` ({v})" for k, v in RETURNS.items()),
        example=_EXAMPLE,
    )
    parts = [head, _keys("The file", mapping.Mapping, level=3)]
    parts.append(_keys("Every file of every section", mapping.Source, level=3))
    shared = {f.name for f in fields(mapping.Source)}
    parts += [_keys(f"`{_section(kind)}`", kind, level=3, leave_out=shared) for kind in _SECTIONS]
    inherited = {f.name for f in fields(mapping.Field)}
    for kind in _PARTS:
        more = issubclass(kind, mapping.Field) and kind is not mapping.Field
        parts.append(_keys(_name(kind), kind, level=3, leave_out=inherited if more else set()))
    parts += [_INFERRED, _cleaning(), _tables()]
    return "".join(parts).rstrip() + "\n"


def _cleaning() -> str:
    rows = "".join(f"| {reason} | {what} |\n" for reason, what in REASONS.items())
    return f"""## Cleaning

Each row that is dropped is counted by its reason, and listed with file, line, id and what was found by
`--rejects FILE`. With `--strict`, the first one is an error and nothing is written.

| reason | what becomes of it |
|---|---|
{rows}
A bot is a user with more than {ACTIONS_AN_HOUR} searches, views and carts within one hour of the clock
(where the log tells hours from days), or with more than {IMPRESSIONS_WITHOUT_ACTION} impressions and no
other event. Choice tasks are never looked at for bots.

These are errors, and nothing is written: a missing file or column, an empty file, another encoding, an
unknown category, attribute, unit, kind of event or value of an attribute that is not open, two rows of
one item that differ, an attribute all of whose values are missing, an unknown key in the mapping, and a
mistake that takes more than
{MOST:.0%} of a file's rows, for then the mapping is wrong and not the rows.

`Implies` rules fill in values that are missing where the rule is more likely right than wrong; they are
marked as imputed, and never change a value that is there.

"""


def _tables() -> str:
    return "## Clean tables\n\n" + "".join(
        _columns(name, columns)
        for name, columns in (
            ("items", ITEMS),
            ("values", VALUES),
            ("offers", OFFERS),
            ("events", EVENTS),
            ("people", PEOPLE),
        )
    )


def _columns(name: str, columns: abc.Mapping[str, Column]) -> str:
    rows = "".join(f"| `{c}` | {column.type} | {column.about} |\n" for c, column in columns.items())
    return f"### {name}\n\n| column | type | what it holds |\n|---|---|---|\n{rows}\n"


def _keys(title: str, kind: type[Any], *, level: int, leave_out: abc.Collection[str] = ()) -> str:
    hints = get_type_hints(kind)
    rows = "".join(
        f"| `{f.name}` | {_kind(hints[f.name])} | {_cell(about(kind, f.name))}{_default(f)} |\n"
        for f in fields(kind)
        if f.name not in leave_out
    )
    text = f"{'#' * level} {title}\n\n{(kind.__doc__ or '').splitlines()[0]}\n\n"
    if hasattr(kind, "TABLE"):
        text += f"A plain word is `{kind.SHORT}`; a table is `{kind.TABLE}`, which is not written itself.\n\n"
    if leave_out and issubclass(kind, mapping.Field):
        text += f"As {_name(mapping.Field)}{', and:' if rows else '.'}\n\n"
    return text + (f"| key | holds | what for |\n|---|---|---|\n{rows}\n" if rows else "")


def _default(field: Field[Any]) -> str:
    value = field.default
    if value is MISSING or value in (None, "", (), False) or is_dataclass(value) or value == 1.0:
        return ""
    return f" Default: `{_cell(str(value.value if isinstance(value, Enum) else value))}`."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _section(kind: type[Any]) -> str:
    hints = get_type_hints(mapping.Mapping)
    return next(name for name, hint in hints.items() if kind in get_args(hint))


def _name(kind: type[Any]) -> str:
    return {
        "Field": "a field",
        "CategoryField": "a category",
        "UserField": "a user",
        "KindField": "a kind",
        "TimeField": "a time",
        "AttributeField": "an attribute",
        "Outside": "an outside option",
        "Alternative": "an alternative",
    }.get(kind.__name__, kind.__name__)


def _kind(hint: Any) -> str:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _kind(next(t for t in inner if t is not type(None)))
    if origin is tuple:
        section = isinstance(inner[0], type) and issubclass(inner[0], mapping.Source)
        return "a list of files" if section else "words"
    if origin is abc.Mapping:
        return f"a table: word: {_kind(inner[1])}"
    plain = {str: "a word", bool: "true or false", float: "a number", int: "a whole number"}
    if hint in plain:
        return plain[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "one of the words"
    return _name(hint)


if __name__ == "__main__":
    sys.stdout.write(file_schemas())
