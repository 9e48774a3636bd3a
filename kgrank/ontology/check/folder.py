"""The whole check of a folder, in the order in which one finding would hide another."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kgrank.ontology.check.applicability import check_applicability
from kgrank.ontology.check.attributes import read_attributes
from kgrank.ontology.check.conflicts import check_conflicts
from kgrank.ontology.check.editors import check_editors_words
from kgrank.ontology.check.graph import Draft, Graph
from kgrank.ontology.check.messages import Message, Report
from kgrank.ontology.check.parse import parse_folder, unread_files
from kgrank.ontology.check.pause import uncollected
from kgrank.ontology.check.rules import read_rules
from kgrank.ontology.check.terms import (
    Header,
    check_notations,
    check_replacements,
    read_header,
    read_term,
    sort_terms,
)
from kgrank.ontology.check.tree import read_categories
from kgrank.ontology.check.unused import check_unused
from kgrank.ontology.model import Ontology, Term
from kgrank.ontology.vocabulary import Kind


@dataclass(frozen=True)
class Examination:
    """What a check found, and the ontology where there is no error."""

    messages: list[Message]
    ontology: Ontology | None
    draft: Draft | None = None
    """The things as they are written; None where a file does not parse."""

    @property
    def errors(self) -> list[Message]:
        """The findings that are errors."""
        return [m for m in self.messages if m.severity == "error"]


@uncollected()
def examine(folder: Path) -> Examination:
    """Checks the Turtle files of a folder and reads the ontology in them.

    Raises:
        InputError: There is no such folder, or no Turtle file in it.
    """
    graph, texts, broken = parse_folder(folder)
    unread = unread_files(folder)
    if broken:
        return Examination([*broken, *unread], None)
    examination = examine_graph(graph, texts)
    return replace(examination, messages=[*examination.messages, *unread])


def examine_graph(
    graph: Graph,
    texts: Mapping[str, str],
    only: Container[str] | None = None,
    languages: Collection[str] | None = None,
) -> Examination:
    """Checks statements that parse.

    Args:
        graph: The statements.
        texts: Their files, by name.
        only: Messages about other things than these are left out.
        languages: The languages in which anything has a name, where the statements are a part of more.
    """
    draft = Draft(graph, Report(), only=only, languages=languages)
    ontology = _read(draft)
    messages = draft.report.messages(texts, only)
    return Examination(messages, None if draft.report.errors() else ontology, draft)


def read_model(graph: Graph, texts: Mapping[str, str]) -> Examination:
    """Reads statements that parse, each thing checked by itself: rules are not compared with each other."""
    draft = Draft(graph, Report())
    ontology = _read_things(draft)
    if not draft.report.errors():
        return Examination([], ontology, draft)
    return Examination(draft.report.messages(texts), None, draft)


def check_folder(folder: Path) -> list[Message]:
    """Everything that is wrong with the Turtle files of a folder, in the order of the files.

    Raises:
        InputError: There is no such folder, or no Turtle file in it.
    """
    return examine(folder).messages


def _read(draft: Draft) -> Ontology:
    ontology = _read_things(draft)
    check_unused(draft, ontology)
    check_conflicts(draft, ontology)
    return ontology


def _read_things(draft: Draft) -> Ontology:
    sort_terms(draft)
    header = read_header(draft)
    check_notations(draft)
    check_replacements(draft)
    check_editors_words(draft)
    attributes = read_attributes(draft, header)
    written = Ontology(
        version=header.version,
        categories=read_categories(draft, header),
        attributes=attributes,
        values=_terms(draft, Kind.VALUE, header),
        brands=_terms(draft, Kind.BRAND, header),
        segments=_terms(draft, Kind.SEGMENT, header),
        people=_terms(draft, Kind.PERSON, header),
        languages=header.languages,
        title=header.title,
    )
    whole = check_applicability(draft, written)
    return replace(whole, rules=read_rules(draft, whole))


def _terms(draft: Draft, kind: Kind, header: Header) -> dict[str, Term]:
    """The things of a kind; of those that no message is wanted about nothing but that they exist."""
    return {
        node.id: Term(**read_term(draft, node, header))
        if draft.only is None or node.iri in draft.only
        else Term(node.id, node.iri)
        for node in draft.nodes[kind].values()
    }
