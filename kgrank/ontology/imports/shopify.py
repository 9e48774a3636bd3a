"""Shopify's product taxonomy: its JSON files, or the text file of its categories."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kgrank.documents import load_json
from kgrank.errors import InputError
from kgrank.ontology.imports.plan import Plan, PlannedAttribute, PlannedCategory, distinct, given, identifier
from kgrank.ontology.model import AttributeType, Need

_LINE = re.compile(r"gid://shopify/TaxonomyCategory/(\S+)\s*:\s*(.+)")
_VERSION = re.compile(r"# Shopify Product Taxonomy[^:]*: *(\S+)")
_Json = Mapping[str, Any]


def read_shopify(path: Path) -> Plan:
    """The taxonomy in a folder with ``categories.json`` and ``attributes.json``, or in a ``categories.txt``.

    Raises:
        InputError: A file is missing or is not what it should be; two things have one id.
    """
    if path.is_dir():
        return _from_json(path)
    if path.suffix == ".json":
        return _from_json(path.parent)
    return _from_text(path)


def _from_json(folder: Path) -> Plan:
    categories_file, attributes_file = folder / "categories.json", folder / "attributes.json"
    entries, version = _categories(_load(categories_file))
    listed, _ = _rows(_load(attributes_file), "attributes")
    try:
        attributes = tuple(_attributes(listed, attributes_file))
        categories = tuple(_category(c) for c in entries)
    except KeyError as error:
        raise InputError(
            f"an entry has no {error}", where=folder, expected="the JSON files of Shopify's product taxonomy"
        ) from None
    distinct("category", ((c.id, c.names["en"], categories_file) for c in categories))
    distinct("attribute", ((a.id, a.names["en"], attributes_file) for a in attributes))
    known = {a.id for a in attributes}
    for category in categories:
        for attribute in category.uses:
            if attribute not in known:
                raise InputError(
                    f"the category {category.id} has the attribute {attribute}, which is not listed",
                    where=attributes_file,
                )
    return Plan(categories, attributes, version=version)


def _load(path: Path) -> Any:
    try:
        return load_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=path) from None
    except ValueError as error:
        raise InputError(f"is not JSON ({error})", where=path) from None


def _categories(document: Any) -> tuple[list[_Json], str]:
    """The categories of all verticals; a flat list is taken as it is."""
    verticals, version = _rows(document, "verticals")
    if verticals and "categories" in verticals[0]:
        return [c for v in verticals for c in v["categories"]], version
    return list(verticals), version


def _rows(document: Any, name: str) -> tuple[list[_Json], str]:
    rows = document.get(name) if isinstance(document, dict) else document
    if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
        raise InputError(f"the JSON has no list of {name}", expected="Shopify's product taxonomy")
    return rows, str(document.get("version", "1")) if isinstance(document, dict) else "1"


def _handle(entry: _Json) -> str:
    """The id of an attribute in any of the published forms."""
    return given(str(entry.get("friendly_id") or entry.get("handle") or entry["id"]))


def _attributes(listed: Iterable[_Json], path: Path) -> Iterator[PlannedAttribute]:
    for entry in listed:
        handle = _handle(entry)
        names = {"en": str(entry["name"])}
        source = entry.get("values_from")
        if source:
            yield PlannedAttribute(handle, names, AttributeType.CHOICES, values_of=given(source))
            continue
        values = [v["name"] if isinstance(v, dict) else str(v) for v in entry.get("values") or ()]
        ids = [f"{handle}.{identifier(v)}" for v in values]
        distinct("value", zip(ids, values, [f"{path}, attribute {handle}"] * len(ids), strict=True))
        type_ = AttributeType.CHOICES if values else AttributeType.TEXT
        yield PlannedAttribute(handle, names, type_, {i: {"en": v} for i, v in zip(ids, values, strict=True)})
        for extended in entry.get("extended_attributes") or ():
            name = {"en": str(extended["name"])}
            yield PlannedAttribute(_handle(extended), name, type_, values_of=handle if values else None)


def _category(entry: _Json) -> PlannedCategory:
    parent = entry.get("parent") or entry.get("parent_id")
    uses = [given(a) if isinstance(a, str) else _handle(a) for a in entry.get("attributes") or ()]
    return PlannedCategory(
        _last(str(entry["id"])),
        {"en": str(entry["name"])},
        _last(str(parent)) if parent else None,
        dict.fromkeys(uses, Need.ALLOWED),
    )


def _last(gid: str) -> str:
    return given(gid.rsplit("/", 1)[-1])


def _from_text(path: Path) -> Plan:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=path) from None
    categories = []
    version = _VERSION.search(text)
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise InputError(
                f"cannot read {line.strip()!r}",
                where=f"{path}:{number}",
                expected="gid://shopify/TaxonomyCategory/aa-1 : Apparel & Accessories > Clothing",
            )
        id_, name = match.group(1), match.group(2).split(" > ")[-1].strip()
        categories.append(PlannedCategory(id_, {"en": name}, id_.rpartition("-")[0] or None))
    distinct("category", ((c.id, c.names["en"], path) for c in categories))
    return Plan(tuple(categories), version=version.group(1) if version else "1")
