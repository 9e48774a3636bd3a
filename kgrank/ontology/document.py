"""The whole ontology as one JSON document, and back: what a graph store keeps of it."""

from __future__ import annotations

import json

from kgrank.codec import DocumentError, decode, encode
from kgrank.documents import load_json
from kgrank.errors import InputError
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import Ontology

FORMAT = "kgrank-ontology/1"


def dump(ontology: Ontology) -> str:
    """The ontology as JSON text: fields in their declared order, those at their default left out."""
    body = encode(ontology, defaults=False)
    return json.dumps({"format": FORMAT, **body}, ensure_ascii=False, allow_nan=False)


def load(text: str) -> Ontology:
    """The ontology in a text that ``dump`` wrote.

    Raises:
        InputError: The text is no such document, or one of a format that this version does not read.
    """
    try:
        document = load_json(text)
    except ValueError as error:
        raise InputError(f"the ontology document is not JSON ({error})", expected=f"{FORMAT} text") from None
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        raise InputError(
            "this is not an ontology document of a known format",
            expected=FORMAT,
            todo="Load the graph again with this version of kgrank.",
        )
    try:
        ontology = decode(Ontology, document)
    except DocumentError as error:
        location = f" at {error.path_text}" if error.path else ""
        raise InputError(
            f"the ontology document is damaged ({error.problem}{location})", todo="Load the graph again."
        ) from None
    for rule in ontology.rules.values():
        try:
            rule_kind(rule.kind)
        except InputError as error:
            raise InputError(
                f"the ontology document is damaged ({error.problem} at rules.{rule.id})",
                todo="Load the graph again.",
            ) from None
    return ontology
