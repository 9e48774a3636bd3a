"""Words of files that mean nothing in the ontology: collected, named in one answer, and renamed by a mapping.

They are given out as a block of the mapping, or as a sheet to fill in, and taken back in either form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from kgrank.documents import load_yaml
from kgrank.errors import InputError, did_you_mean
from kgrank.files import write_text
from kgrank.ingest.mapping import AttributeField, Field, Source
from kgrank.ingest.mapping import Mapping as FileMapping
from kgrank.ontology.characters import visible
from kgrank.ontology.tables.files import read_sheet, write_sheet
from kgrank.ontology.tables.incoming import cell_text

HEADS = ("file", "field", "word", "rows", "line", "means")
"""The columns of a sheet of unknown words."""

_SECTIONS = ("items", "events", "sequences", "tasks", "ratings", "pairs")
_FIELDS = ("category", "brand", "kind")
_SHEETS = (".csv", ".tsv", ".xlsx")


@dataclass(frozen=True)
class UnknownWord:
    """A word that is no category, value, unit or kind of event.

    Attributes:
        file: Its name.
        field: ``category``, ``kind``, or the name of an attribute.
        word: As in the file.
        rows: How many rows have it.
        line: The first of them.
        means: What it most likely means here; empty where nothing is near.
        column: The column of an attribute that the mapping does not name.
    """

    file: str
    field: str
    word: str
    rows: int
    line: int
    means: str = ""
    column: str | None = None


class UnknownWordsError(InputError):
    """Words that the ontology does not have, all of them; a single one has its whole message.

    Args:
        errors: One for each file and column.
        words: The words themselves.
        columns: Those of ``errors`` that are about a column as a whole.
    """

    def __init__(
        self,
        errors: Sequence[InputError],
        words: Sequence[UnknownWord],
        columns: Sequence[InputError] = (),
    ) -> None:
        first = errors[0]
        self.errors, self.words, self.columns = tuple(errors), tuple(words), tuple(columns)
        super().__init__(first.problem, where=first.where, expected=first.expected, todo=first.todo)

    def sentence(self) -> str:
        """All of them, one column a line."""
        return "\n".join(error.sentence() for error in self.errors)


def nearest(word: str, known: Mapping[str, str]) -> str:
    """What a word most likely means: a name that is alike, or of which it is a part; empty where none is.

    Args:
        word: The unknown word.
        known: Names as they are written, by how they are compared.
    """
    plain = visible(word).casefold()
    close = get_close_matches(plain[:100], list(known), n=1, cutoff=0.75)
    if close:
        return known[close[0]]
    words = set(plain.replace("-", " ").split())
    parts = {known[k] for k in known if words and (words < set(k.split()) or set(k.split()) < words) and k}
    if len(parts) == 1:
        return next(iter(parts))
    close = get_close_matches(plain[:100], list(known), n=1, cutoff=0.6)
    return known[close[0]] if close else ""


def mapping_block(words: Iterable[UnknownWord], mapping: FileMapping) -> str:
    """The words as YAML in the keys of the mapping; those without a proposal are comments to fill in."""
    lines: list[str] = []
    left = list(words)
    for section in _SECTIONS:
        sources: Sequence[Source] = getattr(mapping, section)
        inside = [(s, [w for w in left if w.file == _file(s)]) for s in sources]
        inside = [(s, of_source) for s, of_source in inside if of_source]
        if inside:
            lines.append(f"{section}:")
        for source, of_source in inside:
            lines.append(f"- file: {_scalar(source.file)}")
            if getattr(source, "rest", False):
                lines.append("  rest: true")
            attributes = [w for w in of_source if w.field not in _FIELDS]
            for field in dict.fromkeys(w.field for w in of_source if w.field in _FIELDS):
                lines += _field_block(source, field, [w for w in of_source if w.field == field], "  ")
            if attributes:
                lines.append("  attributes:")
            for field in dict.fromkeys(w.field for w in attributes):
                lines += _field_block(source, field, [w for w in attributes if w.field == field], "    ")
    return "\n".join(lines) + "\n" if lines else ""


def write_words(path: Path, words: Sequence[UnknownWord], mapping: FileMapping) -> None:
    """Writes the words as a sheet (.csv, .xlsx) or as a block of the mapping (.yaml).

    Raises:
        InputError: The file cannot be written, or has another ending.
    """
    if path.suffix.lower() in (".yaml", ".yml"):
        write_text(path, mapping_block(words, mapping))
    elif path.suffix.lower() in (".csv", ".xlsx"):
        rows: list[list[str | float | None]] = [list(HEADS)]
        rows += [[w.file, w.field, w.word, w.rows, w.line, w.means] for w in words]
        write_sheet(path, rows)
    else:
        raise InputError(
            f"unknown words are not written as {path.name}", expected="a .yaml, .csv or .xlsx file"
        )


def with_words(mapping: FileMapping, path: Path) -> FileMapping:
    """The mapping with the meanings of a sheet or block of words that was filled in.

    Raises:
        InputError: The file cannot be read, or names a file or field that the mapping does not have.
    """
    meanings = _of_sheet(path) if path.suffix.lower() in _SHEETS else _of_block(path)
    for where, named, field, renames in meanings:
        file = Path(named).name
        section = next((s for s in _SECTIONS if any(_file(x) == file for x in getattr(mapping, s))), None)
        if section is None:
            files = [_file(s) for s in mapping.sources]
            raise InputError(
                f"the mapping has no file {named!r}", where=where, todo=did_you_mean(file, files)
            )
        sources = tuple(
            _renaming(s, field, renames, where) if _file(s) == file else s for s in getattr(mapping, section)
        )
        changed: Any = {section: sources}
        mapping = replace(mapping, **changed)
    return mapping


def _file(source: Source) -> str:
    """The name of the file of a source in which words of items are."""
    return Path(str(getattr(source, "profiles", source.file))).name


def _field_block(source: Source, field: str, words: Sequence[UnknownWord], indent: str) -> Iterator[str]:
    yield f"{indent}{_scalar(field)}:"
    known = getattr(source, field, None) if field in _FIELDS else getattr(source, "attributes", {}).get(field)
    column = known.column if isinstance(known, Field) else words[0].column
    if column is not None:
        yield f"{indent}  column: {_scalar(column)}"
    yield f"{indent}  rename:"
    renames = dict(known.rename) if isinstance(known, Field) else {}
    for old, means in renames.items():
        yield f"{indent}    {_scalar(old)}: {_scalar(means)}"
    for word in words:
        head = "" if word.means else "# "
        rows = f"{word.rows:,} row{'' if word.rows == 1 else 's'}, first in line {word.line}"
        yield f"{indent}    {head}{_scalar(word.word)}: {_scalar(word.means) if word.means else ''}  # {rows}"


def _scalar(text: str) -> str:
    """A text as YAML on one line, in quotes where it would be read as something else."""
    return (
        str(yaml.safe_dump(text, allow_unicode=True, width=10**6)).removesuffix("\n...\n").strip("\n")
        if ("\n" not in text)
        else str(yaml.safe_dump(text, default_style='"', width=10**6)).strip()
    )


def _renaming(source: Source, field: str, renames: Mapping[str, str], where: object) -> Source:
    """The source with more words renamed in one of its fields."""
    if field in _FIELDS and isinstance(getattr(source, field, None), Field):
        known: Field = getattr(source, field)
        column = known if known.column or known.constant else replace(known, column=field)
        changed: Any = {field: replace(column, rename={**known.rename, **renames})}
        return replace(source, **changed)
    attributes: Mapping[str, AttributeField] | None = getattr(source, "attributes", None)
    if attributes is None or (field not in attributes and not getattr(source, "rest", False)):
        known_fields = [*(f for f in _FIELDS if hasattr(source, f)), *(attributes or ())]
        raise InputError(
            f"{_file(source)} has no field {field!r}", where=where, todo=did_you_mean(field, known_fields)
        )
    attribute = attributes.get(field, AttributeField())
    renamed = replace(attribute, rename={**attribute.rename, **renames})
    return replace(source, attributes={**attributes, field: renamed})  # type: ignore[call-arg]


_Meaning = tuple[str, str, str, dict[str, str]]


def _of_sheet(path: Path) -> Iterator[_Meaning]:
    grid = [[cell_text(c) for c in row] for row in read_sheet(path)]
    heads = grid[0] if grid else []
    for head in ("file", "field", "word", "means"):
        if head not in heads:
            raise InputError(
                f"there is no column {head}", where=path, expected=f"the columns {', '.join(HEADS)}"
            )
    at = {head: heads.index(head) for head in heads}
    for number, row in enumerate(grid[1:], 2):
        if row[at["word"]] and row[at["means"]]:
            yield f"{path}:{number}", row[at["file"]], row[at["field"]], {row[at["word"]]: row[at["means"]]}


def _of_block(path: Path) -> Iterator[_Meaning]:
    try:
        document = load_yaml(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=path) from None
    except (UnicodeDecodeError, yaml.YAMLError):
        raise InputError("not YAML in UTF-8", where=path, expected="the block that --unknown wrote") from None
    for section, sources in (document or {}).items() if isinstance(document, dict | None) else ():
        for source in sources if section in _SECTIONS and isinstance(sources, list) else ():
            if isinstance(source, dict):
                yield from _of_source(source, path)


def _of_source(source: Mapping[str, Any], path: Path) -> Iterator[_Meaning]:
    attributes = source.get("attributes") or {}
    for field, said in [*((f, source.get(f)) for f in _FIELDS), *attributes.items()]:
        renames = said.get("rename") if isinstance(said, dict) else None
        if renames:
            words = {str(w): str(m) for w, m in renames.items() if m is not None}
            yield str(path), str(source.get("file", "")), str(field), words
