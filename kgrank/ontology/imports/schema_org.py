"""schema.org products in JSON-LD: categories as they are named, attributes proposed from what occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kgrank.documents import load_json
from kgrank.errors import InputError
from kgrank.ontology.imports.plan import Plan, PlannedAttribute, PlannedCategory, distinct, identifier
from kgrank.ontology.imports.rows import read_text
from kgrank.ontology.model import BRAND, AttributeType, Need
from kgrank.ontology.units import known_units, suggest_unit

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
}
_Json = Mapping[str, Any]


@dataclass
class _Seen:
    """What was seen of one attribute."""

    name: str
    texts: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
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
    brands: dict[str, str] = {}
    counts: Counter[str] = Counter()
    names: dict[str, tuple[str, str | None]] = {}
    for product in _products(path):
        category = _category(product, names)
        if category is None:
            continue
        counts[category] += 1
        for name, text, unit in _facts(product):
            occurrences = seen.setdefault(identifier(name), _Seen(name))
            texts = [t for t in (_text(part) for part in _parts(text)) if t]
            if not texts:
                continue
            occurrences.texts.update(texts)
            occurrences.units[unit] += 1
            occurrences.categories[category] += 1
            occurrences.several |= len(texts) > 1
            if name == BRAND:
                brands.setdefault(identifier(texts[0]), texts[0])
    if not counts:
        raise InputError("there is no product with a category in this file", where=path)
    attributes = tuple(_attribute(i, s) for i, s in seen.items())
    distinct("category", ((i, n, path) for i, (n, _) in names.items()))
    categories = tuple(
        PlannedCategory(i, {"en": n}, p, _uses(i, names, counts, seen)) for i, (n, p) in names.items()
    )
    return Plan(categories, attributes, brands, remarks=tuple(_remarks(attributes, seen, counts.total())))


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
    return str(value).strip()


def _unit(value: Any) -> str:
    code = str(value.get("unitCode") or value.get("unitText") or "") if isinstance(value, dict) else ""
    return _UN_CEFACT.get(code, code)


def _attribute(id_: str, seen: _Seen) -> PlannedAttribute:
    names = {"en": seen.name}
    if seen.name == BRAND:
        return PlannedAttribute(BRAND, names, AttributeType.CHOICE, brands=True)
    if all(_is_number(t) for t in seen.texts):
        unit = seen.units.most_common(1)[0][0]
        code = unit if unit in known_units() else suggest_unit(unit) if unit else "1"
        return PlannedAttribute(id_, names, AttributeType.NUMBER, unit=code or "1")
    if {t.lower().removeprefix("https://schema.org/") for t in seen.texts} <= _TRUTHS:
        return PlannedAttribute(id_, names, AttributeType.BOOLEAN)
    if len(seen.texts) <= min(_MOST_VALUES, _REPEATED * seen.texts.total()):
        values = {f"{id_}.{identifier(t)}": {"en": t} for t in seen.texts if t}
        type_ = AttributeType.CHOICES if seen.several else AttributeType.CHOICE
        return PlannedAttribute(id_, names, type_, values)
    return PlannedAttribute(id_, names, AttributeType.TEXT)


_TRUTHS = frozenset({"true", "false", "yes", "no"})


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.lower() not in ("nan", "inf", "-inf", "infinity")


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
