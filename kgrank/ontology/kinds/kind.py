"""What a rule kind is: all that differs between the kinds of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kgrank.ontology.model import Ontology, Rule

LANGUAGES = ("en", "zh")
"""The languages in which every kind has a sentence."""

FIELDS = (
    "attribute",
    "order",
    "values",
    "members",
    "if",
    "then",
    "better",
    "share",
    "within",
    "brand",
    "top",
)
"""The words of the vocabulary that a kind may need, each written ``kg:`` before it."""

IN_SENTENCES = (
    "a",
    "chain",
    "share",
    "within",
    "better",
    "values",
    "members",
    "when",
    "then",
    "then_a",
    "brand",
    "top",
)
"""What ``kgrank.ontology.sentences`` fills in where a sentence has it in braces."""

IN_PHRASINGS = (*IN_SENTENCES, "ranked")
"""What ``kgrank.ontology.parsing`` reads where a phrasing has it in braces; ``ranked`` are values in pairs."""

IN_PAIRS = ("x", "y")
"""What is compared in a pair of a list."""

IN_SHORT_FORMS = ("share", "within", "neighbours", "values", "others", "direction")
"""What ``kgrank.ranking.explain.importance`` fills in where a short form has it in braces."""

INFINITE = float("inf")


class ActsOn(StrEnum):
    """What a rule changes."""

    PART_WORTHS = "part-worths"
    """As evidence about them, with a bounded Bayes factor."""
    PRIOR = "prior"
    """A category's part-worths are drawn towards its parent's."""
    MISSING_VALUES = "missing values"
    """They are filled in when the catalogue is read."""
    ITEMS = "items"
    """Items that contradict the rule are reported when the catalogue is read."""
    RANKED_LISTS = "ranked lists"
    """They are re-ranked."""


class Measure(StrEnum):
    """A function of a category's part-worths that a rule bounds; ``kgrank.choice.rules.statement`` computes it."""

    SHARE = "share"
    """The share of ``Rule.attribute`` in the decision."""
    STEP = "step"
    """The least difference between the shares of neighbours in ``Rule.order``."""
    FALL = "fall"
    """The least difference between the part-worths of neighbours in ``Rule.values``, in logits."""
    DIRECTION = "direction"
    """The least gain along ``Rule.attribute`` from one value to the next ``Rule.better`` one, in logits."""
    ALIKE = "alike"
    """How much closer the part-worths of ``Rule.members`` are than values that count as the same, in logits."""

    @property
    def of_shares(self) -> bool:
        """Whether it is made of shares, not of part-worths."""
        return self in (Measure.SHARE, Measure.STEP)


@dataclass(frozen=True)
class Problem:
    """What is wrong with one rule: a code of the check, the ``kg:`` word at fault, the fault, and what to do."""

    code: str
    word: str
    text: str
    advice: str


def at_least_zero(_rule: Rule) -> tuple[float, float]:
    """The bounds of kinds that state the sign of a difference."""
    return 0.0, INFINITE


def no_problems(_rule: Rule, _ontology: Ontology) -> Iterable[Problem]:
    """The check of kinds of which the fields say everything."""
    return ()


@dataclass(frozen=True, kw_only=True)
class RuleKind:
    """One kind of rule.

    Attributes:
        name: As in the vocabulary, without ``kg:``, and as in ``Rule.kind``.
        needs: Words of ``FIELDS`` that a rule of the kind must have.
        may_have: Words of ``FIELDS`` that it may have.
        acts_on: What it changes.
        may_be_hard: Whether ``kg:must`` is allowed.
        measure: What it bounds, for kinds that act on part-worths; None for the others.
        bounds: The least and the greatest value of ``measure`` for which a rule holds, both included.
        sentences: By language, what the rule states, with words of ``IN_SENTENCES`` in braces.
        short: By language, the same in a few signs beside an attribute's share, for kinds that act on weights,
            with words of ``IN_SHORT_FORMS`` in braces.
        phrasings: By language, what people also write for its sentence, with words of ``IN_PHRASINGS`` in braces.
        pairs: By language, how two neighbours of its list are compared, with ``IN_PAIRS`` in braces.
        check: What is wrong with a rule whose fields are complete, and whose names exist.
    """

    name: str
    needs: tuple[str, ...]
    may_have: tuple[str, ...] = ()
    acts_on: ActsOn
    may_be_hard: bool = True
    measure: Measure | None = None
    bounds: Callable[[Rule], tuple[float, float]] = at_least_zero
    sentences: Mapping[str, str]
    short: Mapping[str, str] = field(default_factory=dict)
    phrasings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pairs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    check: Callable[[Rule, Ontology], Iterable[Problem]] = no_problems

    @property
    def fields(self) -> tuple[str, ...]:
        """The words that a rule of the kind must or may have."""
        return (*self.needs, *self.may_have)

    @property
    def acts_on_weights(self) -> bool:
        """Whether it takes part in learning."""
        return self.acts_on in (ActsOn.PART_WORTHS, ActsOn.PRIOR)


def every_language(text: str) -> Mapping[str, str]:
    """A text that is the same in every language."""
    return dict.fromkeys(LANGUAGES, text)
