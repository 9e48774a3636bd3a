"""Akeneo families: the CSV export of families, with those of attributes and options where they are there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from kgrank.errors import InputError
from kgrank.ontology.imports.plan import Plan, PlannedAttribute, PlannedCategory, distinct, given
from kgrank.ontology.imports.rows import read_rows
from kgrank.ontology.model import AttributeType, Need
from kgrank.ontology.units import suggest_unit

_LABEL = re.compile(r"label-([a-z]{2})(?:[_-]\w+)?")
_TYPES = {
    "pim_catalog_simpleselect": AttributeType.CHOICE,
    "pim_catalog_multiselect": AttributeType.CHOICES,
    "pim_catalog_boolean": AttributeType.BOOLEAN,
    "pim_catalog_number": AttributeType.NUMBER,
    "pim_catalog_metric": AttributeType.NUMBER,
    "pim_catalog_price_collection": AttributeType.NUMBER,
}
_Row = Mapping[str, str]


def read_akeneo(path: Path, currency: str = "EUR") -> Plan:
    """The families in a ``families.csv``; types and options from the files beside it.

    The other files are ``attributes.csv`` and ``attribute_options.csv``; each may be a workbook (.xlsx). A
    family is a category; what a channel requires is required, the other attributes are allowed. Prices are taken
    to be in ``currency``.

    Raises:
        InputError: A file cannot be read, a required attribute is not in its family, two things have one id.
    """
    folder = path if path.is_dir() else path.parent
    families = _table(path, "families") if path.is_dir() else path
    rows = read_rows(families, ("code", "attributes"))
    distinct("family", ((given(r["code"]), r["code"], where) for where, r in rows))
    categories = tuple(_category(where, row) for where, row in rows)
    used = dict.fromkeys(a for _, r in rows for a in _codes(r["attributes"]))
    described = _optional(_table(folder, "attributes"), ("code", "type"))
    distinct("attribute", ((given(r["code"]), r["code"], where) for where, r in described))
    options: dict[str, dict[str, dict[str, str]]] = {}
    for _, row in _optional(_table(folder, "attribute_options"), ("code", "attribute")):
        id_ = f"{given(row['attribute'])}.{given(row['code'])}"
        options.setdefault(row["attribute"], {})[id_] = _names(row)
    known = {r["code"]: r for _, r in described}
    attributes = tuple(_attribute(c, known.get(c, {}), options.get(c, {}), currency) for c in used | known)
    named = [*(c.names for c in categories), *(a.names for a in attributes)]
    languages = tuple(dict.fromkeys(language for names in named for language in names)) or ("en",)
    texts = sum(a.type is AttributeType.TEXT for a in attributes)
    remarks = (
        (f"{texts} attributes are taken as Text: no type, or no options, is given for them",) if texts else ()
    )
    return Plan(categories, attributes, languages=languages, remarks=remarks)


def _table(folder: Path, name: str) -> Path:
    """The CSV file of a name, or the workbook where there is no CSV file."""
    csv, workbook = folder / f"{name}.csv", folder / f"{name}.xlsx"
    return workbook if workbook.is_file() and not csv.is_file() else csv


def _optional(path: Path, needed: tuple[str, ...]) -> list[tuple[str, dict[str, str]]]:
    return read_rows(path, needed) if path.is_file() else []


def _codes(cell: str) -> list[str]:
    return [c.strip() for c in cell.split(",") if c.strip()]


def _names(row: _Row) -> dict[str, str]:
    """The labels by language, the first of each; the code where there is none."""
    names: dict[str, str] = {}
    for column, text in row.items():
        match = _LABEL.fullmatch(column)
        if match and text:
            names.setdefault(match.group(1), text)
    return names or {"en": row["code"]}


def _category(where: str, row: _Row) -> PlannedCategory:
    uses = dict.fromkeys((given(a) for a in _codes(row["attributes"])), Need.ALLOWED)
    for attribute in _required(row):
        if given(attribute) not in uses:
            raise InputError(
                f"the family {row['code']} requires {attribute}, which is not one of its attributes",
                where=where,
            )
        uses[given(attribute)] = Need.REQUIRED
    return PlannedCategory(given(row["code"]), _names(row), None, uses)


def _required(row: _Row) -> Iterator[str]:
    for column, cell in row.items():
        if column.startswith("requirements-"):
            yield from _codes(cell)


def _attribute(code: str, row: _Row, options: dict[str, dict[str, str]], currency: str) -> PlannedAttribute:
    type_ = _TYPES.get(row.get("type", ""), AttributeType.TEXT)
    names = _names(row) if row else {"en": code}
    if type_ in (AttributeType.CHOICE, AttributeType.CHOICES):
        if options:
            return PlannedAttribute(given(code), names, type_, options)
        type_ = AttributeType.TEXT
    if type_ is not AttributeType.NUMBER:
        return PlannedAttribute(given(code), names, type_)
    unit = currency if row["type"].endswith("price_collection") else "1"
    if row["type"].endswith("metric"):
        unit = suggest_unit(row.get("default_metric_unit", "").replace("_", " ").lower()) or "1"
    return PlannedAttribute(given(code), names, type_, unit=unit)
