"""What the things of an ontology are called: ids, short names, notations, names and synonyms in every language."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from kgrank.errors import did_you_mean
from kgrank.ontology.model import BRAND, Applicability, Ontology, Term
from kgrank.ontology.parsing.folded import folded_name
from kgrank.ontology.tables.names import DEFAULT_PREFIX
from kgrank.ontology.vocabulary import Kind, terms_by_kind

_ARTICLES = ("the ", "a ", "an ")


@dataclass(frozen=True)
class Vocabulary:
    """The things of an ontology by what they are called, folded."""

    ontology: Ontology
    ids: Mapping[Kind, Mapping[str, tuple[str, ...]]]
    _attributes: dict[tuple[str, ...], Mapping[str, Applicability]] = field(default_factory=dict, repr=False)

    def terms(self, kind: Kind) -> Mapping[str, Term]:
        """The things of a kind by id."""
        return terms_by_kind(self.ontology)[kind]

    def find(self, kind: Kind, name: str, among: Collection[str] | None = None) -> tuple[str, ...]:
        """The ids of what is called so: several where a name is not clear, none where it is unknown.

        Args:
            kind: What is named.
            name: A folded name; may be in quotes, or have an article before it.
            among: Of several with this name, those of these ids count, where there are any.
        """
        known = self.ids[kind]
        for text in _unquoted(name):
            ids = known.get(text, ())
            near = tuple(i for i in ids if among is not None and i in among)
            ids = near or ids
            current = tuple(i for i in ids if not self.terms(kind)[i].deprecated)
            if ids:
                return current or ids
        return ()

    def attributes_of(self, categories: Iterable[str]) -> Mapping[str, Applicability]:
        """The attributes that apply in one of the categories or below, by id; all where none is given."""
        tops = tuple(categories) or self.ontology.roots
        if tops not in self._attributes:
            inside = (c for top in tops for c in self.ontology.subtree(top))
            self._attributes[tops] = {a: x for c in inside for a, x in self.ontology.applicable(c).items()}
        return self._attributes[tops]

    def value_kind(self, attribute: str) -> Kind:
        """What the values of an attribute are: brands, or values."""
        return Kind.BRAND if attribute == BRAND else Kind.VALUE

    def values_of(self, attribute: str) -> Collection[str]:
        """The ids that an attribute may have."""
        return self.ontology.brands if attribute == BRAND else self.ontology.attributes[attribute].values

    def suggestion(self, kind: Kind, name: str, among: Collection[str] | None = None) -> str:
        """The nearest known names."""
        terms = self.terms(kind)
        names = [n for i in (terms if among is None else among) if i in terms for n in _shown_names(terms[i])]
        lower = {folded_name(n): n for n in reversed(names)}
        hint = did_you_mean(name, lower)
        if not hint.startswith("Did you mean"):
            return did_you_mean(
                name, {terms[i].name() for i in (terms if among is None else among) if i in terms}
            )
        close = hint.removeprefix("Did you mean ").removesuffix("?").split(" or ")
        return f"Did you mean {' or '.join(lower.get(c, c) for c in close)}?"


def vocabulary_of(ontology: Ontology) -> Vocabulary:
    """The names of an ontology's things."""
    return Vocabulary(
        ontology, {kind: _by_name(kind, terms) for kind, terms in terms_by_kind(ontology).items()}
    )


def _by_name(kind: Kind, terms: Mapping[str, Term]) -> dict[str, tuple[str, ...]]:
    ids: dict[str, dict[str, None]] = {}
    for term in terms.values():
        texts = [term.id, f"{DEFAULT_PREFIX[kind]}:{term.id}", f"<{term.iri}>", term.notation]
        for text in (*texts, *_shown_names(term)):
            if text:
                ids.setdefault(folded_name(text), {})[term.id] = None
    return {name: tuple(ids_) for name, ids_ in ids.items()}


def _shown_names(term: Term) -> list[str]:
    return [*term.names.values(), *(s for texts in term.synonyms.values() for s in texts)] or [term.id]


def _unquoted(name: str) -> list[str]:
    """The readings of a name: as it is, without quotes, without an article."""
    names = [name]
    for quote in ('"', "'"):
        if len(name) > 2 and name[0] == name[-1] == quote:
            names.append(name[1:-1].strip())
    names += [name.removeprefix(a) for a in _ARTICLES if name.startswith(a)]
    return names
