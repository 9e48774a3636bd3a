"""Plain CSV files of any shop, read by a mapping that names their columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from kgrank.documents import load_yaml
from kgrank.errors import InputError, did_you_mean
from kgrank.ontology.imports.fold import check_tree
from kgrank.ontology.imports.plan import Plan, PlannedAttribute, PlannedCategory, distinct, given, identifier
from kgrank.ontology.imports.rows import read_rows, read_text
from kgrank.ontology.model import BRAND, AttributeType, Need

_SECTIONS = {
    "categories": ({"file", "id"}, {"parent", "name"}),
    "attributes": ({"file", "id"}, {"name", "type", "values", "unit", "separator", "brand"}),
    "links": ({"file", "category", "attribute"}, {"need"}),
}
_Section = Mapping[str, str]


def read_mapped(mapping: Path) -> Plan:
    """The categories, attributes and links in CSV files, by the columns that a YAML mapping names.

    Names in several languages: ``name.en: Title`` and ``name.zh: 标题``. ``brand`` in the section of attributes is
    the id of the one whose values are the brands. Files are read from the mapping's folder.

    Raises:
        InputError: The mapping or a file is not what it should be; a link names what does not exist.
    """
    sections = _read_mapping(mapping)
    folder = mapping.parent
    attributes = _attributes(sections.get("attributes", {}), folder)
    brand = _brand(sections.get("attributes", {}), {a.id for a in attributes}, mapping)
    known = {a.id for a in attributes}
    rows = _rows(sections["categories"], folder)
    section = sections["categories"]
    rows_by_id = [(given(r[section["id"]]), r[section["id"]], where) for where, r in rows]
    distinct("category", rows_by_id)
    uses: dict[str, dict[str, Need]] = {id_: {} for id_, _, _ in rows_by_id}
    if "links" in sections:
        _link(sections["links"], folder, uses, known)
    categories = tuple(
        PlannedCategory(id_, _names(section, row, "name"), _parent(section, row), uses[id_])
        for (id_, _, _), (_, row) in zip(rows_by_id, rows, strict=True)
    )
    named = [*(c.names for c in categories), *(a.names for a in attributes)]
    languages = tuple(dict.fromkeys(language for names in named for language in names)) or ("en",)
    plan = Plan(_unfolded(categories), attributes, languages=languages)
    return plan if brand is None else _with_brands(plan, brand)


def _brand(section: _Section, known: Collection[str], mapping: Path) -> str | None:
    """The id of the attribute whose values are the brands; None where the mapping does not say."""
    id_ = given(section["brand"]) if "brand" in section else None
    if id_ is not None and id_ not in known:
        raise InputError(
            f"there is no attribute {section['brand']} to be the brand",
            where=mapping,
            todo=did_you_mean(section["brand"], known),
        )
    return id_


def _with_brands(plan: Plan, brand: str) -> Plan:
    """The plan with an attribute's values as brands, and the attribute as kgrank calls it."""
    attributes, brands = [], {}
    for attribute in plan.attributes:
        if attribute.id == brand:
            texts = [next(iter(names.values())) for names in attribute.values.values()]
            brands = {identifier(text): text for text in texts}
            attribute = PlannedAttribute(BRAND, attribute.names, AttributeType.CHOICE, brands=True)
        attributes.append(attribute)
    categories = tuple(
        replace(c, uses={BRAND if a == brand else a: need for a, need in c.uses.items()})
        for c in plan.categories
    )
    return replace(plan, attributes=tuple(attributes), categories=categories, brands=brands)


def _read_mapping(path: Path) -> dict[str, _Section]:
    try:
        read: Any = load_yaml(read_text(path))
    except yaml.YAMLError as error:
        raise InputError(f"is not YAML ({str(error).splitlines()[0]})", where=path) from None
    if not isinstance(read, dict) or "categories" not in read:
        raise InputError("the mapping has no categories", where=path, expected="categories: {file: …, id: …}")
    for name, section in read.items():
        if name not in _SECTIONS:
            raise InputError(f"there is no section {name}", where=path, todo=did_you_mean(name, _SECTIONS))
        needed, optional = _SECTIONS[name]
        if not isinstance(section, dict):
            raise InputError(f"the section {name} is not a list of columns", where=path)
        for key in section:
            if key.partition(".")[0] not in needed | optional:
                raise InputError(
                    f"{name} has no {key}", where=path, todo=did_you_mean(key, needed | optional)
                )
        for key in needed - section.keys():
            raise InputError(f"{name} does not say its {key}", where=path, expected=f"{key}: …")
    return read


def _rows(section: _Section, folder: Path) -> list[tuple[str, dict[str, str]]]:
    columns = [c for key, c in section.items() if key not in ("file", "separator", "brand")]
    return read_rows(folder / section["file"], columns)


def _names(section: _Section, row: Mapping[str, str], word: str) -> dict[str, str]:
    """The names by language; a plain ``name`` is English, the id where there is none."""
    names = {}
    for key, column in section.items():
        head, _, language = key.partition(".")
        if head == word and row[column]:
            names[language or "en"] = row[column]
    return names or {"en": row[section["id"]]}


def _parent(section: _Section, row: Mapping[str, str]) -> str | None:
    text = row[section["parent"]] if "parent" in section else ""
    return given(text) if text else None


def _attributes(section: _Section, folder: Path) -> tuple[PlannedAttribute, ...]:
    if not section:
        return ()
    attributes = []
    rows = _rows(section, folder)
    distinct("attribute", ((given(r[section["id"]]), r[section["id"]], where) for where, r in rows))
    for where, row in rows:
        id_ = given(row[section["id"]])
        texts = row[section["values"]].split(section.get("separator", "|")) if "values" in section else []
        values = {f"{id_}.{identifier(t.strip())}": {"en": t.strip()} for t in texts if t.strip()}
        type_ = row[section["type"]] if "type" in section else _type(row, section, list(values.values()))
        if type_ not in set(AttributeType):
            raise InputError(
                f"there is no type {type_}", where=where, todo=did_you_mean(type_, AttributeType)
            )
        unit = row[section["unit"]] if "unit" in section else ""
        number = type_ == AttributeType.NUMBER
        attributes.append(
            PlannedAttribute(
                id_,
                _names(section, row, "name"),
                AttributeType(type_),
                values,
                unit=(unit or "1") if number else None,
            )
        )
    return tuple(attributes)


def _type(row: Mapping[str, str], section: _Section, values: list[dict[str, str]]) -> str:
    """The type of an attribute for which the file has no column: by its unit, else by its values."""
    if "unit" in section and row[section["unit"]]:
        return AttributeType.NUMBER
    return AttributeType.CHOICE if values else AttributeType.TEXT


def _link(section: _Section, folder: Path, uses: dict[str, dict[str, Need]], known: set[str]) -> None:
    for where, row in _rows(section, folder):
        category, attribute = given(row[section["category"]]), given(row[section["attribute"]])
        need = row[section["need"]] if "need" in section else Need.ALLOWED
        for what, name, all_ in (("category", category, uses), ("attribute", attribute, known)):
            if name not in all_:
                raise InputError(f"there is no {what} {name}", where=where, todo=did_you_mean(name, all_))
        if need not in set(Need):
            raise InputError(f"{need!r} is no need", where=where, expected=", ".join(Need))
        uses[category][attribute] = Need(need)


def _unfolded(categories: tuple[PlannedCategory, ...]) -> tuple[PlannedCategory, ...]:
    """A link holds below as well, unless a category below says otherwise."""
    by_id = {c.id: c for c in categories}
    check_tree(by_id)
    full: dict[str, dict[str, Need]] = {}

    def uses(category: str) -> dict[str, Need]:
        if category not in full:
            full[category] = dict(by_id[category].uses)
            parent = by_id[category].parent
            if parent in by_id:
                full[category] = {**uses(parent), **by_id[category].uses}
        return full[category]

    return tuple(PlannedCategory(c.id, c.names, c.parent, uses(c.id)) for c in categories)
