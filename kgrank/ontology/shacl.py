"""The SHACL shapes over an ontology, with a line for each result; needs the extra ``shacl``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rdflib import Graph, Literal, URIRef
from rdflib.namespace import RDF, SH

from kgrank.errors import InputError
from kgrank.ontology.check.messages import Message, Report, SourceLocation
from kgrank.ontology.check.parse import parse_folder
from kgrank.ontology.check.positions import literal_key
from kgrank.ontology.vocabulary import local
from kgrank.resources import folder as shipped

CODE = "SHACL"


def check_shapes(folder: Path, shapes: Path | None = None) -> list[Message]:
    """What the shapes (by default the shipped ones) object to; syntax errors where there are any.

    Raises:
        InputError: pySHACL is not installed, there is no such folder, or the shapes cannot be read.
    """
    try:
        from pyshacl import validate
    except ImportError:
        raise InputError("pySHACL is not installed", todo="Install it: pip install 'kgrank[shacl]'") from None
    statements, texts, broken = parse_folder(folder)
    if broken:
        return broken
    data = Graph()
    for name, text in texts.items():
        try:
            data.parse(data=text, format="turtle")
        except Exception as error:  # rdflib's parser raises many kinds.
            problem = f"rdflib cannot read this file ({type(error).__name__})"
            raise InputError(
                problem, where=folder / name, todo="Write what its words name in plain Turtle."
            ) from None
    _, results, _ = validate(data, shacl_graph=_shapes(shapes), inference="none")
    files = {s.value: names[0] for s, names in statements.files.items()}
    report = Report()
    for result in results.subjects(RDF.type, SH.ValidationResult):
        _add(report, results, result, files)
    return report.messages(texts)


def _shapes(path: Path | None) -> Graph:
    source = path or shipped("ontology") / "shapes.ttl"
    try:
        return Graph().parse(source, format="turtle")
    except Exception as error:  # rdflib's parser raises many kinds.
        raise InputError(f"the shapes cannot be read ({type(error).__name__})", where=source) from None


def _add(report: Report, results: Graph, result: Any, files: dict[str, str]) -> None:
    focus, path, value = (results.value(result, p) for p in (SH.focusNode, SH.resultPath, SH.value))
    message = results.value(result, SH.resultMessage)
    warning = results.value(result, SH.resultSeverity) != SH.Violation
    name = str(focus)
    location = SourceLocation(
        files.get(name, next(iter(files.values()), "")),
        name,
        str(path) if isinstance(path, URIRef) else None,
        literal_key(str(value)) if isinstance(value, Literal) else str(value) if value else None,
    )
    text = f"{local(name)}: {message}" if isinstance(focus, URIRef) else str(message)
    report.add(CODE, location, text, "See the shape", severity="warning" if warning else "error")
