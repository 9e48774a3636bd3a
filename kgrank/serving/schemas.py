"""JSON Schemas of the answers, made from their types: for OpenAPI, and as files for everybody else.

``python -m kgrank.serving.schemas FOLDER`` writes a file for each answer; a test holds those in ``docs/schemas``
equal to the types.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from kgrank.files import make_folder, write_text
from kgrank.ranking.answers import (
    Audit,
    Comparison,
    Counterfactuals,
    DeletedVersions,
    Explanation,
    Facets,
    Health,
    Importance,
    Ranking,
    ServedVersion,
    SessionState,
    StoredVersions,
)
from kgrank.ranking.explain.what_if import WhatIfAudit
from kgrank.survey.next_questions import NextQuestions

ANSWERS: Mapping[str, type] = {
    "rank": Ranking,
    "facets": Facets,
    "importance": Importance,
    "explain": Explanation,
    "compare": Comparison,
    "counterfactuals": Counterfactuals,
    "session": SessionState,
    "audit": Audit,
    "audit-what-if": WhatIfAudit,
    "ask": NextQuestions,
    "weights-list": StoredVersions,
    "weights-serve": ServedVersion,
    "weights-prune": DeletedVersions,
    "health": Health,
}
"""The type of each answer, by the question."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas(kinds: Iterable[Any], template: str) -> tuple[dict[Any, Any], dict[str, Any]]:
    """The schemas of some types, and those of all types inside them, by name.

    A dataclass is written with all its fields, so that all are required; what a field means is taken from the
    ``Attributes`` of its docstring.

    Args:
        kinds: Types.
        template: Of a reference, with ``{name}``.
    """
    wanted = list(dict.fromkeys(kinds))
    references, components = msgspec.json.schema_components(wanted, ref_template=template)
    for kind in _dataclasses(wanted):
        schema = components[kind.__name__]
        schema["required"] = list(schema["properties"])
        for name, meaning in _meanings(kind.__doc__ or "").items():
            schema["properties"][name].setdefault("description", meaning)
        schema["description"] = (kind.__doc__ or "").partition("\n\n")[0].replace("\n    ", " ")
    return dict(zip(wanted, references, strict=True)), components


def answer_schema(question: str) -> dict[str, Any]:
    """The JSON Schema of the answer to a question of ``ANSWERS``."""
    kind = ANSWERS[question]
    references, components = schemas([kind], "#/$defs/{name}")
    return {"$schema": DIALECT, "$ref": references[kind]["$ref"], "$defs": components}


def schema_files() -> Iterator[tuple[str, str]]:
    """Name and text of the file of each answer."""
    for question in ANSWERS:
        yield f"{question}.json", json.dumps(answer_schema(question), indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> None:
    """Writes the files into a folder, which is made where it is missing."""
    make_folder(folder)
    for name, text in schema_files():
        write_text(folder / name, text)


def _dataclasses(kinds: Iterable[Any]) -> Iterator[type]:
    """The dataclasses among some types and inside them, each once."""
    seen: set[Any] = set()
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        if kind in seen:
            continue
        seen.add(kind)
        waiting += get_args(kind)
        if isinstance(kind, type) and is_dataclass(kind):
            waiting += [get_type_hints(kind)[f.name] for f in fields(kind)]
            yield kind


def _meanings(docstring: str) -> dict[str, str]:
    """What each field means, by its name, from the ``Attributes`` of a docstring."""
    _, _, attributes = docstring.partition("Attributes:\n")
    entries = re.findall(r"^ {8}(\w+): (.*(?:\n {12}.*)*)", attributes, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/schemas"))
