"""An ontology as one RDF file in another syntax, for tools that read no folder of Turtle; by rdflib."""

from __future__ import annotations

from pathlib import Path

from rdflib import Graph

from kgrank.errors import InputError
from kgrank.files import write_bytes
from kgrank.ontology.check import examine
from kgrank.ontology.check.parse import turtle_files
from kgrank.ontology.read import refuse_errors

SYNTAXES = {".jsonld": "json-ld", ".rdf": "xml", ".nt": "nt", ".ttl": "turtle"}
"""What a file's ending means to rdflib."""


def write_rdf(folder: Path, path: Path) -> int:
    """Writes all statements of a folder into one file, in the syntax of its ending; answers how many.

    Raises:
        InputError: The ending is unknown, the ontology has errors, or the file cannot be written.
    """
    syntax = SYNTAXES.get(path.suffix.lower())
    if syntax is None:
        raise InputError(
            f"no RDF syntax is known by the ending {path.suffix or '(none)'}",
            where=path,
            expected=f"one of {', '.join(SYNTAXES)}",
        )
    refuse_errors(folder, examine(folder))
    graph = Graph()
    for file in turtle_files(folder):
        graph.parse(file, format="turtle")
    write_bytes(path, graph.serialize(format=syntax, encoding="utf-8"))
    return len(graph)
