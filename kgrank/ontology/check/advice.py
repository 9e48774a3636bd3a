"""Advice on an ontology without errors: what is right by the rules and may still be better (codes L)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from pathlib import Path

from pyoxigraph import NamedNode

from kgrank.ontology.check.folder import Examination
from kgrank.ontology.check.graph import Draft, Node
from kgrank.ontology.check.messages import Message, Report
from kgrank.ontology.check.parse import parse_folder
from kgrank.ontology.model import Attribute, Ontology, Term
from kgrank.ontology.vocabulary import ALT_LABEL, KG, PREF_LABEL, Kind

_ALIKE = 0.8
"""Two lists of values are nearly the same where this part of the names of both is in common."""

_FEW = 3
"""Lists this short (low, middle, high) are alike by chance."""

_VALUES_OF = KG + "valuesOf"
_CHECKED = ((Kind.CATEGORY, "categories"), (Kind.ATTRIBUTE, "attributes"), (Kind.VALUE, "values"))


def advise(folder: Path, examination: Examination) -> list[Message]:
    """Advice on a folder that was examined without errors; nothing where there are errors."""
    if examination.ontology is None or examination.draft is None:
        return []
    advice = _Advice(examination.draft, examination.ontology)
    advice.untidy_names()
    advice.same_names()
    advice.every_child()
    advice.base_and_extended()
    advice.alike_values()
    _, texts, _ = parse_folder(folder)
    return advice.report.messages(texts)


class _Advice:
    def __init__(self, draft: Draft, ontology: Ontology) -> None:
        self._draft = draft
        self._ontology = ontology
        self.report = Report()

    def untidy_names(self) -> None:
        """Names and synonyms with spaces at an end or two in a row."""
        for kind, terms in self._terms():
            for term in terms:
                for word, text in _texts(term):
                    if text != " ".join(text.split()):
                        problem = f'"{text}" of {term.id} has spaces too many, or unusual ones'
                        self._say("L501", kind, term.id, word, problem, f'Write "{" ".join(text.split())}"')

    def same_names(self) -> None:
        """Two things of one kind that share a synonym; values are compared within their attribute."""
        listed = {v for a in self._ontology.attributes.values() for v in a.values}
        self._shared(Kind.CATEGORY, self._ontology.categories.values(), "")
        self._shared(Kind.ATTRIBUTE, self._ontology.attributes.values(), "")
        for attribute in self._ontology.attributes.values():
            if not attribute.open and not self._source(attribute):
                values = [self._ontology.values[v] for v in attribute.values]
                self._shared(Kind.VALUE, values, f" of {attribute.id}")
        loose = [v for v in self._ontology.values.values() if v.id not in listed]
        self._shared(Kind.VALUE, loose, "")

    def every_child(self) -> None:
        """Attributes that all children add and the parent does not have."""
        for category, children in self._ontology.children.items():
            living = [c for c in children if not self._ontology.categories[c].deprecated]
            if len(living) < 2:
                continue
            counts = Counter(a for c in living for a in self._ontology.categories[c].uses)
            here = self._ontology.applicable(category)
            for attribute, count in counts.items():
                if count == len(living) and attribute not in here:
                    problem = (
                        f"all {count} categories below {category} add {attribute}, and {category} does not"
                    )
                    advice = f"Move it to {category}; they inherit it"
                    self._say("L503", Kind.CATEGORY, category, None, problem, advice)

    def base_and_extended(self) -> None:
        """A category that adds an attribute beside the one whose values it takes."""
        for category in self._ontology.categories.values():
            here = self._ontology.applicable(category.id)
            for attribute in category.uses:
                source = self._source(self._ontology.attributes[attribute])
                if source in here:
                    problem = f"{category.id} has {attribute} and {source}, which share their values"
                    self._say("L504", Kind.CATEGORY, category.id, None, problem, f"Drop {source} here")

    def alike_values(self) -> None:
        """Attributes whose lists of values are nearly the same."""
        listed = [
            a for a in self._ontology.attributes.values() if a.values and not a.open and not a.deprecated
        ]
        names = {a.id: self._value_names(a) for a in listed if len(a.values) > _FEW and not self._source(a)}
        common: Counter[tuple[str, str]] = Counter()
        for sharing in _by_name(names).values():
            # A name that a great many attributes have ("Other") says nothing about any two of them.
            if len(sharing) <= 60:
                common.update(combinations(sharing, 2))
        same = {frozenset(r.members) for r in self._ontology.rules.values() if r.members}
        for (first, second), count in common.items():
            largest = max(len(names[first]), len(names[second]))
            if count >= _ALIKE * largest and frozenset((first, second)) not in same:
                problem = f"{second} and {first} have {count} of {largest} values in common"
                advice = "If they mean the same, say so with a kg:SameAs rule, or use kg:valuesOf"
                self._say("L505", Kind.ATTRIBUTE, second, KG + "values", problem, advice)

    def _shared(self, kind: Kind, terms: Iterable[Term], where: str) -> None:
        """Same names alone are no matter, only a synonym that is also a name or synonym of another."""
        owners: dict[tuple[str, str], tuple[Term, str]] = {}
        for term in terms:
            if term.deprecated:
                continue
            for word, text, language in _spoken(term):
                owner, owner_word = owners.setdefault((language, text.casefold()), (term, word))
                names_only = word == owner_word == PREF_LABEL
                if owner is not term and (kind is not Kind.CATEGORY or not names_only):
                    problem = f'{term.id} and {owner.id}{where} are both called "{text}"'
                    self._say("L502", kind, term.id, word, problem, "Take it from one, or merge the two")

    def _value_names(self, attribute: Attribute) -> frozenset[str]:
        return frozenset(self._ontology.values[v].name().casefold() for v in attribute.values)

    def _source(self, attribute: Attribute) -> str | None:
        """The attribute whose values it takes."""
        for term in self._node(Kind.ATTRIBUTE, attribute.id).all(_VALUES_OF):
            target = self._draft.by_iri.get(term.value) if isinstance(term, NamedNode) else None
            return target.id if target is not None else None
        return None

    def _terms(self) -> Iterator[tuple[Kind, Iterable[Term]]]:
        for kind, name in _CHECKED:
            yield kind, getattr(self._ontology, name).values()

    def _node(self, kind: Kind, id_: str) -> Node:
        return self._draft.nodes[kind][id_]

    def _say(self, code: str, kind: Kind, id_: str, word: str | None, problem: str, advice: str) -> None:
        self.report.add(code, self._node(kind, id_).location(word), problem, advice, severity="warning")


def _texts(term: Term) -> Iterator[tuple[str, str]]:
    yield from ((word, text) for word, text, _ in _spoken(term))


def _spoken(term: Term) -> Iterator[tuple[str, str, str]]:
    """Names and synonyms with their word and language."""
    yield from ((PREF_LABEL, text, language) for language, text in term.names.items())
    yield from ((ALT_LABEL, t, language) for language, texts in term.synonyms.items() for t in texts)


def _by_name(names: Mapping[str, Iterable[str]]) -> Mapping[str, list[str]]:
    attributes_of: dict[str, list[str]] = defaultdict(list)
    for attribute, texts in names.items():
        for text in texts:
            attributes_of[text].append(attribute)
    return attributes_of
