"""The table of rule kinds: one row a kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from string import Formatter

from kgrank.errors import InputError, did_you_mean
from kgrank.ontology.kinds.items import EXCLUDES, IMPLIES
from kgrank.ontology.kinds.kind import (
    FIELDS,
    IN_PAIRS,
    IN_PHRASINGS,
    IN_SENTENCES,
    IN_SHORT_FORMS,
    LANGUAGES,
    ActsOn,
    Measure,
    RuleKind,
)
from kgrank.ontology.kinds.prior import INHERITS
from kgrank.ontology.kinds.ranked_lists import EXPOSURE
from kgrank.ontology.kinds.shares import ABOUT, AT_LEAST, AT_MOST, IRRELEVANT, ORDER
from kgrank.ontology.kinds.values import MONOTONE, PREFERS, SAME_AS
from kgrank.ontology.model import Rule

SHIPPED = (
    ORDER,
    AT_LEAST,
    AT_MOST,
    ABOUT,
    IRRELEVANT,
    MONOTONE,
    PREFERS,
    IMPLIES,
    EXCLUDES,
    INHERITS,
    SAME_AS,
    EXPOSURE,
)
"""The kinds of the shipped vocabulary, ``ontology/kgrank.ttl``."""

_kinds: dict[str, RuleKind] = {kind.name: kind for kind in SHIPPED}


def rule_kinds() -> Mapping[str, RuleKind]:
    """All kinds by name, the shipped ones first."""
    return _kinds


def rule_kind(name: str) -> RuleKind:
    """The kind of a name.

    Raises:
        InputError: There is no such kind.
    """
    if name not in _kinds:
        raise InputError(f"there is no kind of rule called {name}", todo=did_you_mean(name, _kinds))
    return _kinds[name]


def share_bounds(rule: Rule) -> tuple[float, float] | None:
    """The least and the greatest share that a rule allows its attribute; None for kinds that bound none."""
    kind = rule_kind(rule.kind)
    if kind.measure is not Measure.SHARE:
        return None
    lower, upper = kind.bounds(rule)
    return max(lower, 0.0), min(upper, 1.0)


def register(kind: RuleKind) -> RuleKind:
    """Adds a kind to the table for the rest of the process, and returns it.

    Raises:
        InputError: The name is taken, or the row is incomplete.
    """
    _refuse(kind.name in _kinds, kind, "is registered already", "a name of its own")
    unknown = [word for word in kind.fields if word not in FIELDS]
    _refuse(bool(unknown), kind, f"has the field {' and '.join(unknown)}", f"some of {', '.join(FIELDS)}")
    texts = [kind.sentences, kind.short] if kind.acts_on_weights else [kind.sentences]
    missing = [language for language in LANGUAGES if not all(language in text for text in texts)]
    _refuse(bool(missing), kind, f"has no words in {' and '.join(missing)}", "a sentence and a short form")
    for template, words in _templates(kind):
        odd = [
            word for _, word, _, _ in Formatter().parse(template) if word is not None and word not in words
        ]
        _refuse(bool(odd), kind, f"has {{{odd[0]}}} in a text" if odd else "", f"some of {', '.join(words)}")
    measured = kind.measure is not None
    acts = kind.acts_on is ActsOn.PART_WORTHS
    _refuse(measured != acts, kind, f"acts on {kind.acts_on}", "a measure, for part-worths and only for them")
    _kinds[kind.name] = kind
    return kind


def _templates(kind: RuleKind) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The texts of a kind, each with the words that may be filled in."""
    yield from ((text, IN_SENTENCES) for text in kind.sentences.values())
    yield from ((text, IN_SHORT_FORMS) for text in kind.short.values())
    yield from ((text, IN_PHRASINGS) for texts in kind.phrasings.values() for text in texts)
    yield from ((text, IN_PAIRS) for texts in kind.pairs.values() for text in texts)


def _refuse(wrong: bool, kind: RuleKind, problem: str, expected: str) -> None:
    if wrong:
        raise InputError(f"the rule kind {kind.name} {problem}", expected=expected)
