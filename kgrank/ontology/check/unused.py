"""What nothing uses (codes W212, W318)."""

from __future__ import annotations

from kgrank.ontology.check.graph import Draft
from kgrank.ontology.model import Ontology
from kgrank.ontology.vocabulary import Kind


def check_unused(draft: Draft, ontology: Ontology) -> None:
    """Values that no attribute lists and attributes that no category uses.

    Held back while there are errors: a broken list or a missing category would leave much unused.
    """
    if draft.report.errors():
        return
    listed = {v for a in ontology.attributes.values() for v in a.values}
    for value in ontology.values.values():
        if value.id not in listed and not value.deprecated:
            problem = f"no attribute uses the value {value.id}"
            location = draft.nodes[Kind.VALUE][value.id].location()
            draft.report.add("W212", location, problem, "Add it to an attribute, or deprecate it")
    used = {a for c in ontology.categories.values() for a in c.uses}
    for attribute in ontology.attributes.values():
        if attribute.id not in used and not attribute.deprecated:
            problem = f"no category uses the attribute {attribute.id}"
            location = draft.nodes[Kind.ATTRIBUTE][attribute.id].location()
            draft.report.add("W318", location, problem, "Add it to a category, or deprecate it")
