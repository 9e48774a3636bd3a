"""The ontology as a value: categories, attributes, values, applicability and rules.

Ids are the last part of an IRI (``https://shop.example/id/category/dresses`` is ``dresses``); they are
unique within a kind. Instances are built by ``kgrank.ontology.read`` from Turtle or by an importer from a
mapping file, and are valid by then.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property

BRAND = "brand"
"""The id of the attribute whose values are the brands."""


class AttributeType(StrEnum):
    """What an attribute's values look like."""

    CHOICE = "Choice"
    CHOICES = "Choices"
    ORDERED = "Ordered"
    NUMBER = "Number"
    BOOLEAN = "Boolean"
    TEXT = "Text"


class Need(StrEnum):
    """How strongly a category asks for an attribute."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    ALLOWED = "allowed"


@dataclass(frozen=True)
class Term:
    """What every thing has: an id, its IRI, a notation, names and synonyms by language."""

    id: str
    iri: str = ""
    notation: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deprecated: bool = False
    replaced_by: str | None = None

    def name(self, language: str = "en") -> str:
        """The name in a language, else in any language, else the id."""
        return self.names.get(language) or next(iter(self.names.values()), self.id)


def current(id_: str, terms: Mapping[str, Term]) -> str:
    """What a thing goes by now: what replaces it where it is deprecated, or what replaces that."""
    seen = [id_]
    while (here := terms.get(seen[-1])) is not None and here.deprecated and here.replaced_by in terms:
        assert here.replaced_by is not None
        if here.replaced_by in seen:
            break
        seen.append(here.replaced_by)
    return seen[-1]


@dataclass(frozen=True)
class Narrowing:
    """Fewer values of an attribute, in a category and below."""

    attribute: str
    values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Category(Term):
    """A node of the category tree; ``uses`` and ``drops`` are what is written here, not what is inherited."""

    parent: str | None = None
    also_under: tuple[str, ...] = ()
    uses: Mapping[str, Need] = field(default_factory=dict)
    drops: frozenset[str] = frozenset()
    narrows: tuple[Narrowing, ...] = ()


@dataclass(frozen=True)
class Attribute(Term):
    """Something that items have a value of.

    ``values`` are value ids, least to most for an ordered attribute. ``open`` attributes (brand, and those of
    an ontology inferred from data) accept values that are not listed.
    """

    type: AttributeType = AttributeType.CHOICE
    values: tuple[str, ...] = ()
    open: bool = False
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Condition:
    """One test of an item's attribute: equal to a value, or within a range."""

    attribute: str
    value: str | bool | float | None = None
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Rule:
    """A hypothesis about what matters; ``sure`` is its probability before the data, 1.0 for a hard rule.

    ``kind`` is the name of a row of ``kgrank.ontology.kinds.table``, for example ``AtLeast``.
    """

    id: str
    kind: str
    categories: tuple[str, ...]
    sure: float
    iri: str = ""
    but_not: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    attribute: str | None = None
    order: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    when: tuple[Condition, ...] = ()
    then: Condition | None = None
    better: str | None = None
    """``More`` or ``Less``."""
    share: float | None = None
    within: float | None = None
    brand: str | None = None
    top: int | None = None
    because: Mapping[str, str] = field(default_factory=dict)
    creator: str = ""
    created: str = ""

    @property
    def hard(self) -> bool:
        """Whether the rule must hold."""
        return self.sure >= 1.0

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that the rule is about, in the order it names them."""
        named = [self.attribute, *self.order, *(c.attribute for c in self.when)]
        if self.then is not None:
            named.append(self.then.attribute)
        return tuple(dict.fromkeys(a for a in named if a is not None))


@dataclass(frozen=True)
class Applicability:
    """What a category asks of one attribute, inheritance and narrowing applied."""

    attribute: str
    need: Need
    origin: str
    values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Ontology:
    """Categories, attributes, values, brands, segments, people and rules, by id."""

    version: str
    categories: Mapping[str, Category]
    attributes: Mapping[str, Attribute]
    values: Mapping[str, Term] = field(default_factory=dict)
    brands: Mapping[str, Term] = field(default_factory=dict)
    segments: Mapping[str, Term] = field(default_factory=dict)
    people: Mapping[str, Term] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    languages: tuple[str, ...] = ("en",)
    title: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """The categories right below each category."""
        below: dict[str, list[str]] = {c: [] for c in self.categories}
        for category in self.categories.values():
            if category.parent is not None:
                below[category.parent].append(category.id)
        return {c: tuple(kids) for c, kids in below.items()}

    @property
    def roots(self) -> tuple[str, ...]:
        """The categories without a parent."""
        return tuple(c.id for c in self.categories.values() if c.parent is None)

    def ancestors(self, category: str) -> tuple[str, ...]:
        """The categories above, nearest first."""
        above: list[str] = []
        parent = self.categories[category].parent
        while parent is not None:
            above.append(parent)
            parent = self.categories[parent].parent
        return tuple(above)

    def lineage(self, category: str) -> tuple[str, ...]:
        """The category and those above it, lowest first."""
        return (category, *self.ancestors(category))

    def lowest_common(self, categories: Iterable[str]) -> str | None:
        """The lowest category that holds all of these; None where no category does, or none is given."""
        lineages = [self.lineage(category) for category in categories]
        if not lineages:
            return None
        others = [set(lineage) for lineage in lineages[1:]]
        return next((c for c in lineages[0] if all(c in other for other in others)), None)

    def subtree(self, category: str) -> tuple[str, ...]:
        """The category and all below it, parents first."""
        inside = [category]
        for member in inside:
            inside.extend(self.children[member])
        return tuple(inside)

    @cached_property
    def _applicable(self) -> dict[str, Mapping[str, Applicability]]:
        return {}

    def applicable(self, category: str) -> Mapping[str, Applicability]:
        """The attributes that apply in a category, by id: inherited, dropped and narrowed."""
        if category not in self._applicable:
            here = self.categories[category]
            table = dict(self.applicable(here.parent)) if here.parent is not None else {}
            for attribute in here.drops:
                table.pop(attribute, None)
            for attribute, need in here.uses.items():
                known = self.attributes[attribute]
                table[attribute] = Applicability(
                    attribute=attribute,
                    need=need,
                    origin=category,
                    values=known.values,
                    minimum=known.minimum,
                    maximum=known.maximum,
                )
            for narrow in here.narrows:
                wide = table[narrow.attribute]
                table[narrow.attribute] = Applicability(
                    attribute=narrow.attribute,
                    need=wide.need,
                    origin=wide.origin,
                    values=narrow.values or wide.values,
                    minimum=wide.minimum if narrow.minimum is None else narrow.minimum,
                    maximum=wide.maximum if narrow.maximum is None else narrow.maximum,
                )
            self._applicable[category] = table
        return self._applicable[category]

    def scope(self, rule: Rule) -> tuple[str, ...]:
        """The categories in which a rule holds: its own and those below, exceptions taken away."""
        inside = dict.fromkeys(c for top in rule.categories for c in self.subtree(top))
        outside = {c for top in rule.but_not for c in self.subtree(top)}
        return tuple(c for c in inside if c not in outside)

    @cached_property
    def fingerprint(self) -> str:
        """What weights mean, as 16 hex digits: categories, attributes, types, units, values and rules.

        Names, synonyms, reasons and authors are left out: changing them changes no weight.
        """
        meaning = {
            "categories": {
                c.id: [c.parent, sorted(c.uses.items()), sorted(c.drops), [asdict(n) for n in c.narrows]]
                for c in self.categories.values()
            },
            "attributes": {
                a.id: [a.type, a.values, a.open, a.unit, a.minimum, a.maximum]
                for a in self.attributes.values()
            },
            "rules": {
                r.id: {
                    k: v for k, v in asdict(r).items() if k not in {"because", "creator", "created", "iri"}
                }
                for r in self.rules.values()
            },
        }
        text = json.dumps(meaning, sort_keys=True, ensure_ascii=False, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
