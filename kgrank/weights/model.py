"""Learned weights as a value: importance to read, utilities to rank by, terms, findings, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True)
class Segment:
    """A piece of a contribution: intercept + slope · number, where low ≤ number < high."""

    start: float
    stop: float
    intercept: float
    slope: float


@dataclass(frozen=True)
class Utility:
    """What one AttributeValue node adds to a score in a category, in logits from the average item.

    A choice value has one segment with slope 0 over every number; a number attribute has its curve.
    ``error`` is the standard error of a choice value's utility, or of the curve's rise over the reference
    range.
    """

    node: str
    segments: tuple[Segment, ...]
    error: float

    def at(self, number: float) -> float:
        """The contribution at a number (0 for a choice value)."""
        for s in self.segments:
            if s.start <= number < s.stop:
                return s.intercept + s.slope * number
        return 0.0


@dataclass(frozen=True)
class AttributeWeight:
    """How much one attribute matters in one category.

    Attributes:
        attribute: Its id.
        share: Its share of the decision for the average shopper; the shares of a category add up to 1.
        lower: Lower end of the 95 % interval of ``share``.
        upper: Upper end.
        spread: Range of its utility over the reference range, in logits.
        reference: What the range is taken over, in words.
        full: Its share when each range runs over all designed levels (the conjoint definition).
        shoppers: Average of the shoppers' own shares; None where tastes of people were not estimated.
        without_rules: The share that the data alone give; None where no rule applies.
    """

    attribute: str
    share: float
    lower: float
    upper: float
    spread: float
    reference: str
    full: float
    shoppers: float | None = None
    without_rules: float | None = None


@dataclass(frozen=True)
class CategoryWeights:
    """All that is learned of one category.

    ``strength`` is the sum of the spreads in logits: how decided shoppers are. ``terms`` are the weights of
    the families of behaviour terms; that of ``attributes`` is of the whole attribute score beside them.
    ``nuisance`` are the part-worths of what is no attribute: ``inside`` (all items against taking none) and places
    on the screen. ``source`` says what it was learned from: ``choices`` (its own) or ``graph`` (other categories).
    """

    category: str
    attributes: tuple[AttributeWeight, ...]
    utilities: tuple[Utility, ...]
    strength: float
    choice_count: int
    person_count: int
    source: str
    terms: Mapping[str, float] = field(default_factory=dict)
    nuisance: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Curve:
    """A function that is straight between its knots and constant outside them.

    Attributes:
        knots: Ascending; one list for a curve over one term value, two for a surface over a pair (bilinear).
        values: At the knots, in logits; of a pair row by row of its first term's values.
    """

    knots: tuple[tuple[float, ...], ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Flow:
    """A transition between brands or categories: how often people took one after the other, decayed."""

    source: str
    target: str
    count: float


@dataclass(frozen=True)
class BehaviourTerm:
    """A named term beside the attributes: how it is computed, in words and numbers.

    It adds its curve's value at the term value (``kgrank.choice.behaviour.terms``), times the weight of its
    family in the category. A term without a curve was left out: it brings nothing.

    Attributes:
        name: Its name.
        about: What it measures, in words.
        settings: The numbers that define it, and ``gain``: the mean log-likelihood that held-out choices lose
            without it.
        curve: From the term value to logits.
        of: For a pair, the names of its two terms.
        counts: Events by item id, for ``popular``.
        flows: The transitions behind a flow.
    """

    name: str
    about: str
    settings: Mapping[str, float] = field(default_factory=dict)
    curve: Curve | None = None
    of: tuple[str, ...] = ()
    counts: Mapping[str, float] = field(default_factory=dict)
    flows: tuple[Flow, ...] = ()


@dataclass(frozen=True)
class RuleText:
    """What an audit says of a rule, or of rules in conflict, in one language."""

    sentence: str
    instead: str


@dataclass(frozen=True)
class RuleFinding:
    """What the data say of one rule.

    Attributes:
        rule: Its id.
        sentence: The rule in words.
        confidence: Its probability before the data, as its author gave it.
        prob_prior: Probability that it holds by chance, under the prior without rules.
        prob_data: Probability that it holds, from the data alone.
        prob_posterior: Probability that it holds in a category, from the data and all rules.
        log_bayes_factor: Natural logarithm of the Bayes factor for the rule, from the data alone; it takes
            ``prob_prior`` to ``prob_data``.
        verdict: ``supported``, ``leans for``, ``silent``, ``leans against`` or ``contradicted``.
        instead: What the data say, in words.
        choice_count: Number of choices it rests on.
        person_count: Number of people behind them.
        prob_rule_right: Probability that the rule is right as a whole, from the choices of all its categories
            and of its author's other rules; it may fail in a few of them. None for a rule about one category, and
            for one without effect.
        prob_rule_right_prior: The same before the choices about the rule itself.
        has_effect: Whether the rule acts; one that is no surer than chance does not.
        translations: ``sentence`` and ``instead`` by language, other than English.
    """

    rule: str
    sentence: str
    confidence: float
    prob_prior: float
    prob_data: float
    prob_posterior: float
    log_bayes_factor: float
    verdict: str
    instead: str
    choice_count: int
    person_count: int
    prob_rule_right: float | None = None
    prob_rule_right_prior: float | None = None
    has_effect: bool = True
    translations: Mapping[str, RuleText] = field(default_factory=dict)


@dataclass(frozen=True)
class RuleConflict:
    """Rules of which each may well hold by the choices alone, but not all of them together.

    Attributes:
        rules: Ids of a smallest set: every part of it may hold together.
        sentence: What is the matter, in words.
        categories: Where they conflict.
        alone: Probability of each by the choices alone, in the order of ``rules``; ``together`` of all at once.
            Both where they conflict most.
        instead: What the choices say there about the subject of the rules, in words.
        translations: ``sentence`` and ``instead`` by language, other than English.
    """

    rules: tuple[str, ...]
    sentence: str
    categories: tuple[str, ...]
    alone: tuple[float, ...]
    together: float
    instead: str
    translations: Mapping[str, RuleText] = field(default_factory=dict)


class Cause(StrEnum):
    """What can be wrong with the data behind weights."""

    SEPARATION = "separation"
    CONSTANT = "constant"
    COLLINEAR = "collinear"
    FEW_CHOICES = "few-choices"
    ONE_PERSON = "one-person"
    MANY_VALUES = "many-values"
    MIXED_UNITS = "mixed-units"
    OUTLIER = "outlier"
    FIXED_POSITION = "placed"


@dataclass(frozen=True)
class Concern:
    """Something in the data of a category that its weights cannot be better than.

    Attributes:
        cause: What kind.
        category: Its id.
        attribute: The attribute that it is about; None where it is about all.
        problem: What was found and what follows, in words.
    """

    cause: Cause
    category: str
    attribute: str | None
    problem: str

    @property
    def sentence(self) -> str:
        """With its place, by ids."""
        location = self.category if self.attribute is None else f"{self.category}, {self.attribute}"
        return f"{location}: {self.problem}"


@dataclass(frozen=True)
class SegmentTastes:
    """How the people of a segment differ on average from the population.

    Attributes:
        mean: Of their deviations, beside the population's own mean.
        covariance: Of its error, row by row.
        people: Number of people behind it.
    """

    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    people: int


@dataclass(frozen=True)
class Population:
    """How shoppers differ from the average.

    Deviations of a number are for one unit of its column in a category's layout (``kgrank.choice.data.design``).
    A shopper's tastes are the same in all categories, or depart in each from what they are in all: ``within``.

    Attributes:
        columns: AttributeValue ids, and ``inside`` for the outside option.
        covariance: Of the deviations, row by row.
        mean: Of the deviations; zeros where empty.
        within: Covariance of one shopper's departures in each category, row by row; empty where there are none.
        scales: Usual scale of each column's number, 0 for other columns: in a category where it varies less, a
            deviation counts by its share of that (``kgrank.choice.tastes.shared_columns``). Empty: in full.
        segments: Mean tastes of segments of people, by id.
        between_segments: The share of the covariance that lies between segments, not between the people of one.
    """

    columns: tuple[str, ...] = ()
    covariance: tuple[tuple[float, ...], ...] = ()
    mean: tuple[float, ...] = ()
    within: tuple[tuple[float, ...], ...] = ()
    scales: tuple[float, ...] = ()
    segments: Mapping[str, SegmentTastes] = field(default_factory=dict)
    between_segments: float = 0.0


@dataclass(frozen=True)
class Reliability:
    """How much each kind of feedback says of tastes (``kgrank.choice.logit.feedback_scales``).

    Attributes:
        scale: Of the utility behind each kind, by its name; 1 for the kind that most lists have.
        noise: Standard deviation of ratings around the utility, in units of a person's spread.
        entry: The kind of response whose first choice in a list has the outside option.
    """

    scale: Mapping[str, float] = field(default_factory=dict)
    noise: float = 1.0
    entry: str = "view"


PRIVACY_NOTICE = (
    "Holds counts of what fewer people did than anybody is told of: keep this as you keep the log of events, "
    "readable by its owner alone."
)


@dataclass(frozen=True)
class Privacy:
    """What is never given out of the counts behind the terms, and whether scores use it.

    Attributes:
        fewest_people: A co-occurrence that rests on fewer different people is named nowhere; 1 names all.
        few_in_scores: Whether such a co-occurrence counts in scores; where not, it is not stored either.
        notice: What a reader of the file must know.
    """

    fewest_people: int = 3
    few_in_scores: bool = True
    notice: str = PRIVACY_NOTICE

    @property
    def fewest_in_scores(self) -> int:
        """The fewest people on whom a co-occurrence in scores rests."""
        return 1 if self.few_in_scores else self.fewest_people


@dataclass(frozen=True)
class LearnedWeights:
    """One version of the weights, as it is stored, served and read."""

    version: str
    created: str
    code: str
    ontology: str
    """Fingerprint of the ontology: what the weights mean."""
    graph: str
    """Fingerprint of the learning data: which graph they were learned from."""
    categories: Mapping[str, CategoryWeights]
    metrics: Mapping[str, float] = field(default_factory=dict)
    terms: tuple[BehaviourTerm, ...] = ()
    findings: tuple[RuleFinding, ...] = ()
    conflicts: tuple[RuleConflict, ...] = ()
    population: Population = field(default_factory=Population)
    reliability: Reliability = field(default_factory=Reliability)
    notes: tuple[str, ...] = ()
    """What a reader must know: sampled choice sets, no positions, inferred ontology."""
    concerns: tuple[Concern, ...] = ()
    """What is wrong with the data of single categories."""
    privacy: Privacy = field(default_factory=Privacy)
    """From how many people on a co-occurrence is named."""
