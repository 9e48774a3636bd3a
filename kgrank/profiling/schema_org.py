"""schema.org products in JSON-LD: categories as they are named, attributes proposed from what occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from kgrank.documents import load_json
from kgrank.errors import InputError
from kgrank.ingest.cells.normalise import same
from kgrank.ingest.infer import common_unit, guess_type
from kgrank.ingest.mapping import AttributeField
from kgrank.ingest.raw import RawColumn
from kgrank.ingest.rows import LINE
from kgrank.ontology.imports.plan import Plan, PlannedAttribute, PlannedCategory, distinct, identifier
from kgrank.ontology.imports.rows import read_text
from kgrank.ontology.model import BRAND, AttributeType, Need
from kgrank.ontology.units import find_unit, suggest_unit
from kgrank.profiling.items.attribute_fields import NO_SEPARATOR
from kgrank.profiling.key_collision import collisions

_MOST_VALUES = 200
_REPEATED = 0.5
"""Texts are values to choose from where at most this part of the items has a text of its own."""

_COMMON = 0.5
"""An attribute is recommended where at least this part of a category's items has it."""

_PLAIN = ("color", "size", "material", "pattern", "model", "countryOfOrigin", "itemCondition")
_QUANTITIES = ("weight", "width", "height", "depth")
_UN_CEFACT = {
    "CMT": "cm",
    "MMT": "mm",
    "MTR": "m",
    "INH": "[in_i]",
    "GRM": "g",
    "KGM": "kg",
    "MLT": "mL",
    "LTR": "L",
    "CLT": "cL",
    "FOT": "[ft_i]",
    "ONZ": "[oz_av]",
    "LBR": "[lb_av]",
    "WTT": "W",
    "KWT": "kW",
    "KWH": "kW.h",
    "VLT": "V",
    "AMP": "A",
    "HTZ": "Hz",
    "SEC": "s",
    "MIN": "min",
    "HUR": "h",
    "DAY": "d",
    "MON": "mo",
    "ANN": "a",
    "2N": "dB",
    "P1": "%",
    "CEL": "Cel",
    "C62": "",
}
_Json = Mapping[str, Any]


@dataclass
class _Seen:
    """What was seen of one attribute."""

    name: str
    texts: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    several: bool = False
    """Whether a product has more than one."""


def read_schema_org(path: Path) -> Plan:
    """The products in a JSON or JSON-lines file.

    Categories are the texts of ``category``, levels separated by `` > ``. Attributes are proposed from ``brand``,
    ``offers``, a few properties of Product, and ``additionalProperty``; the remarks say on what grounds.

    Raises:
        InputError: It cannot be read, or holds no product with a category.
    """
    seen: dict[str, _Seen] = {}
    ids: dict[str, str] = {}
    counts: Counter[str] = Counter()
    names: dict[str, tuple[str, str | None]] = {}
    for product in _products(path):
        category = _category(product, names)
        if category is None:
            continue
        counts[category] += 1
        for name, text, unit in _facts(product):
            occurrences = seen.setdefault(ids.setdefault(same(name), identifier(name)), _Seen(name))
            texts = [_with_unit(t, unit) for t in (_text(part) for part in _parts(text)) if t]
            if not texts:
                continue
            occurrences.texts.update(texts)
            occurrences.categories[category] += 1
            occurrences.several |= len(texts) > 1
    if not counts:
        raise InputError("there is no product with a category in this file", where=path)
    brands = seen[BRAND].texts if BRAND in seen else Counter[str]()
    merged = collisions(brands)
    attributes = tuple(_attribute(i, s, path) for i, s in seen.items())
    distinct("category", ((i, n, path) for i, (n, _) in names.items()))
    categories = tuple(
        PlannedCategory(i, {"en": n}, p, _uses(i, names, counts, seen)) for i, (n, p) in names.items()
    )
    return Plan(
        categories,
        attributes,
        {identifier(b): b for b in brands if b not in merged},
        brand_synonyms=_synonyms(merged),
        remarks=tuple(_remarks(attributes, seen, counts.total())),
    )


def _products(path: Path) -> Iterator[_Json]:
    text = read_text(path)
    try:
        documents = [load_json(text)]
    except ValueError:
        documents = list(_lines(path, text))
    queue = documents
    while queue:
        entry = queue.pop(0)
        if isinstance(entry, list):
            queue = [*entry, *queue]
        elif isinstance(entry, dict) and "@graph" in entry:
            queue = [entry["@graph"], *queue]
        elif isinstance(entry, dict) and entry.get("hasVariant"):
            # What a group says holds of each of its variants that does not say otherwise.
            shared = {k: v for k, v in entry.items() if k not in ("hasVariant", "@id", "@type")}
            variants = (v for v in _parts(entry["hasVariant"]) if isinstance(v, dict))
            queue = [*({**shared, "@type": "Product", **v} for v in variants), *queue]
        elif isinstance(entry, dict) and "Product" in str(entry.get("@type", "")):
            yield entry


def _lines(path: Path, text: str) -> Iterator[Any]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield load_json(line)
            except ValueError as error:
                raise InputError(f"is not JSON ({error})", where=f"{path}:{number}") from None


def _category(product: _Json, names: dict[str, tuple[str, str | None]]) -> str | None:
    """The id of the product's category; those on the way to it are noted."""
    written = next(iter(_parts(product.get("category"))), None)
    text = written.get("name", "") if isinstance(written, dict) else written
    parts = [p.strip() for p in str(text or "").replace("/", ">").split(">") if p.strip()]
    parent: str | None = None
    for part in parts:
        id_ = f"{parent}.{identifier(part)}" if parent else identifier(part)
        names.setdefault(id_, (part, parent))
        parent = id_
    return parent


def _facts(product: _Json) -> Iterator[tuple[str, Any, str]]:
    """Name, what is said (a text, a thing with a value or name, or a list of these) and unit."""
    if product.get("brand"):
        yield BRAND, product["brand"], ""
    offer = next(iter(_parts(product.get("offers"))), None)
    if isinstance(offer, dict):
        price = offer.get("price", offer.get("lowPrice"))
        if price is not None:
            yield "price", price, str(offer.get("priceCurrency", ""))
    for name in (*_PLAIN, *_QUANTITIES):
        if product.get(name) not in (None, ""):
            yield name, product[name], _unit(product[name])
    for entry in _parts(product.get("additionalProperty")):
        if isinstance(entry, dict) and entry.get("name") and entry.get("value") is not None:
            yield str(entry["name"]).strip(), entry["value"], _unit(entry)


def _parts(value: Any) -> list[Any]:
    """JSON-LD writes one thing by itself and several as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("value", value.get("name", ""))
    return str(value).strip().removeprefix("https://schema.org/").removeprefix("http://schema.org/")


def _with_unit(text: str, unit: str) -> str:
    """The text with its unit, where it is a number that names none itself."""
    return f"{text} {unit}" if unit and text[-1:].isdigit() else text


def _unit(value: Any) -> str:
    code = str(value.get("unitCode") or value.get("unitText") or "") if isinstance(value, dict) else ""
    code = _UN_CEFACT.get(code, code)
    return code if not code or find_unit(code) else suggest_unit(code) or ""


def _attribute(id_: str, seen: _Seen, path: Path) -> PlannedAttribute:
    """An attribute with the type and unit that ``load`` would infer from the same cells."""
    names = {"en": seen.name}
    if seen.name == BRAND:
        return PlannedAttribute(BRAND, names, AttributeType.CHOICE, brands=True)
    texts = list(seen.texts.elements())
    cells = pl.DataFrame({"item": [""] * len(texts), "text": texts, LINE: range(1, len(texts) + 1)})
    column = RawColumn(id_, AttributeField(), path, cells)
    kind = guess_type(seen.name, [column], NO_SEPARATOR)
    if kind is AttributeType.NUMBER:
        return PlannedAttribute(id_, names, kind, unit=common_unit([column]) or "1")
    if kind in (AttributeType.BOOLEAN, AttributeType.TEXT):
        return PlannedAttribute(id_, names, kind)
    if len(seen.texts) > min(_MOST_VALUES, _REPEATED * seen.texts.total()):
        return PlannedAttribute(id_, names, AttributeType.TEXT)
    merged = collisions(seen.texts)
    values = {f"{id_}.{identifier(t)}": {"en": t} for t in seen.texts if t not in merged}
    type_ = AttributeType.CHOICES if seen.several else AttributeType.CHOICE
    return PlannedAttribute(id_, names, type_, values, value_synonyms=_synonyms(merged, f"{id_}."))


def _synonyms(merged: Mapping[str, str], prefix: str = "") -> dict[str, tuple[str, ...]]:
    """The other spellings of each text, by its id; those that differ in case only are found without."""
    spellings: dict[str, list[str]] = {}
    for other, text in merged.items():
        if same(other) != same(text):
            spellings.setdefault(f"{prefix}{identifier(text)}", []).append(other)
    return {id_: tuple(texts) for id_, texts in spellings.items()}


def _uses(
    category: str, names: Mapping[str, object], counts: Counter[str], seen: Mapping[str, _Seen]
) -> dict[str, Need]:
    """The attributes of a category: those of the items in it and below it."""
    below = [c for c in counts if c == category or c.startswith(category + ".")]
    total = sum(counts[c] for c in below)
    uses = {}
    for attribute, occurrences in seen.items():
        having = sum(occurrences.categories[c] for c in below)
        if having:
            uses[attribute] = Need.RECOMMENDED if having >= _COMMON * total else Need.ALLOWED
    return uses


def _remarks(
    attributes: tuple[PlannedAttribute, ...], seen: Mapping[str, _Seen], total: int
) -> Iterator[str]:
    for attribute in attributes:
        occurrences = seen[attribute.id]
        share = occurrences.categories.total() / total
        texts = len(occurrences.texts)
        yield f"{attribute.id} is proposed as {attribute.type}: {share:.0%} of products, {texts} texts"
