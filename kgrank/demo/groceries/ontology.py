"""The ontology of the groceries: departments above categories, and what decides in each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from kgrank.demo.groceries.choice_sets import CategoryChoices
from kgrank.ontology.imports.plan import Plan, PlannedAttribute, PlannedCategory
from kgrank.ontology.model import BRAND, AttributeType, Need

PROMOTED = {
    "display": {"none": "No display", "elsewhere": "Elsewhere in the store", "end": "End of aisle or front"},
    "mailer": {"none": "Not in the mailer", "inside": "Inside the mailer", "front": "Front or back page"},
}
"""Values of the attributes of promotions, by id and name."""

_ATTRIBUTES = (
    PlannedAttribute(BRAND, {"en": "Manufacturer"}, AttributeType.CHOICE, brands=True),
    PlannedAttribute("price", {"en": "Shelf price"}, AttributeType.NUMBER, unit="USD"),
    PlannedAttribute("discount", {"en": "Loyalty card discount"}, AttributeType.NUMBER, unit="%"),
    PlannedAttribute("size", {"en": "Package size (logarithm)"}, AttributeType.NUMBER, unit="1"),
    PlannedAttribute("private", {"en": "Private label"}, AttributeType.BOOLEAN),
    *(
        PlannedAttribute(
            name,
            {"en": name.capitalize()},
            AttributeType.CHOICE,
            values={f"{name}.{value}": {"en": label} for value, label in values.items()},
        )
        for name, values in PROMOTED.items()
    ),
)


@dataclass(frozen=True)
class GroceryOntology:
    """The ontology as a plan, and the ids that it gives to what the package names.

    Attributes:
        plan: To be written as Turtle.
        categories: Ids by the package's names.
        types: Value ids by the package's names of product types.
    """

    plan: Plan
    categories: Mapping[str, str]
    types: Mapping[str, str]


def grocery_ontology(categories: Sequence[CategoryChoices]) -> GroceryOntology:
    """The ontology of some categories."""
    departments = sorted({c.department for c in categories})
    types = sorted({t for c in categories for t in c.products["type"].unique() if t})
    department_ids = _ids(departments)
    category_ids = _ids((c.name for c in categories), used=department_ids.values())
    type_ids = {name: f"type.{id_}" for name, id_ in _ids(types).items()}
    uses = {a.id: Need.RECOMMENDED for a in _ATTRIBUTES} | {"price": Need.REQUIRED}
    if types:
        uses["type"] = Need.RECOMMENDED
    product_type = PlannedAttribute(
        "type",
        {"en": "Product type"},
        AttributeType.CHOICE,
        values={type_ids[name]: {"en": readable(name)} for name in types},
    )
    plan = Plan(
        categories=(
            *(PlannedCategory(department_ids[d], {"en": readable(d)}, None, uses) for d in departments),
            *(
                PlannedCategory(
                    category_ids[c.name], {"en": readable(c.name)}, department_ids[c.department], uses
                )
                for c in categories
            ),
        ),
        attributes=(*_ATTRIBUTES, *[product_type] * bool(types)),
        title="Groceries of the Complete Journey",
    )
    return GroceryOntology(plan, category_ids, type_ids)


def readable(name: str) -> str:
    """A name of the package without its capitals."""
    return " ".join(name.split()).capitalize()


def _ids(names: Iterable[str], used: Iterable[str] = ()) -> dict[str, str]:
    """A different id for each name, and none of those used: small letters, digits and hyphens."""
    ids: dict[str, str] = {}
    taken = set(used)
    for name in names:
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "x"
        numbered = (plain if n == 1 else f"{plain}-{n}" for n in count(1))
        ids[name] = next(id_ for id_ in numbered if id_ not in taken)
        taken.add(ids[name])
    return ids
