"""What every question is answered with: one type for Python, ``--json`` and HTTP alike.

All answers have the same frame: ``version`` is the version of the weights and comes first; ``items`` is always a
list of items and ``item_count`` the number of items on all pages; ``notes`` are sentences that a reader must
know; ``user`` and ``user_choice_count`` say whose tastes were used, and are None where nobody was named. The JSON
document of an answer has these fields in this order; ``docs/schemas`` describes it.

The answer to ``kgrank audit --what-if`` is in ``kgrank.ranking.explain.what_if``, which needs more of the package.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar, final

from kgrank.weights.model import Concern, RuleConflict, RuleFinding

if TYPE_CHECKING:
    from kgrank.choice.tastes.person import PersonTastes


@dataclass(frozen=True)
class Contribution:
    """One summand of a score.

    Attributes:
        name: The attribute's id, the term's name, or ``boost``.
        kind: ``attribute``, ``term`` or ``boost``.
        logits: In logits, against the average item of the category.
        value: The item's value ids joined by ``|``, or its number; None where it has none. For a term, the
            item of the history, or of the purchases, that adds most to it, of those with enough people behind.
        words: The same for a reader.
    """

    name: str
    kind: str
    logits: float
    value: str | None
    words: str


@dataclass(frozen=True)
class RankedItem:
    """An item of a ranking.

    Attributes:
        position: In the whole ranking, from 1.
        item: Its id.
        title: Its title.
        score: In logits, rounded to 9 decimals.
        contributions: They add up to the score (to 1e-9), the largest first.
        reasons: Why it is not where its score alone would put it: pinned, buried, capped, diverse.
    """

    position: int
    item: str
    title: str
    score: float
    contributions: tuple[Contribution, ...]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """What was excluded: an item or a value, how many items of this ranking that concerns, and why."""

    target: str
    item_count: int
    reason: str


@dataclass(frozen=True)
class Shift:
    """How a session moved one attribute in a category.

    Attributes:
        attribute: Its id.
        name: Its name.
        share_before: Its share before the session.
        share_after: Its share now.
        value: The value whose utility rose most against what events chose from; None for a number.
        utility: By how much that value, or a number at the upper end of its range against the lower, rose, in
            logits.
        taken_count: Events on items with the value.
        event_count: Events on items of the category with a known value.
        usual: Share of the category's items with a known value that have it; for a number, the average.
        average: For a number, the average over the events' items; else None.
        sentence: All of it in words.
    """

    attribute: str
    name: str
    share_before: float
    share_after: float
    value: str | None
    utility: float
    taken_count: int
    event_count: int
    usual: float
    average: float | None
    sentence: str


@dataclass(frozen=True)
class Ranking:
    """One page of a ranking.

    Attributes:
        version: Of the weights.
        category: By whose weights.
        page: Its number, from 1.
        size: Items on a full page.
        item_count: Items on all pages.
        items: The items, first to last.
        left_out: What was excluded.
        shifts: What the session moved in the category, where that was asked and can be noticed.
        notes: What a reader must know: whose tastes these are, what the words did not find.
        user: The shopper that was named; None for nobody.
        user_choice_count: Number of the shopper's own choices behind their tastes.
    """

    version: str
    category: str
    page: int
    size: int
    item_count: int
    items: tuple[RankedItem, ...]
    left_out: tuple[LeftOut, ...]
    shifts: tuple[Shift, ...]
    notes: tuple[str, ...]
    user: str | None = None
    user_choice_count: int | None = None


@dataclass(frozen=True)
class FacetValue:
    """One value of a filter, or one range of a number.

    Attributes:
        value: Its id; None for a range.
        minimum: Lower end of a range.
        maximum: Upper end of a range.
        name: In words.
        item_count: Items that have it.
        share: Part of the choice mass that has it.
        reason: In words.
    """

    value: str | None
    minimum: float | None
    maximum: float | None
    name: str
    item_count: int
    share: float
    reason: str


@dataclass(frozen=True)
class Facet:
    """One filter; ``decides`` = ``importance`` · ``divides`` · ``coverage`` (``kgrank.ranking.page.facets``)."""

    attribute: str
    name: str
    decides: float
    importance: float
    divides: float
    coverage: float
    values: tuple[FacetValue, ...]
    reason: str


@dataclass(frozen=True)
class OmittedFacet:
    """A filter that is left out, and why."""

    attribute: str
    name: str
    reason: str


@dataclass(frozen=True)
class Facets:
    """The filters of a category, the most decisive first, and those left out.

    Attributes:
        version: Of the weights.
        category: Its id.
        item_count: Items that are left after the query's filters.
        facets: The filters.
        left_out: Filters with one value, or of a low coverage.
        notes: What a reader must know.
        user: The shopper that was named; None for nobody.
        user_choice_count: Number of the shopper's own choices behind their tastes.
    """

    version: str
    category: str
    item_count: int
    facets: tuple[Facet, ...]
    left_out: tuple[OmittedFacet, ...]
    notes: tuple[str, ...]
    user: str | None = None
    user_choice_count: int | None = None


@dataclass(frozen=True)
class RuleStatement:
    """What one rule says of one attribute in a category.

    Attributes:
        rule: Its id.
        short: In a few signs, ``≥ 25%`` or ``> price``.
        sentence: In words.
        lower: Smallest share that it allows; None where it sets no bounds.
        upper: Largest share that it allows.
        finding: What the data say of it; None where no audit was made.
    """

    rule: str
    short: str
    sentence: str
    lower: float | None
    upper: float | None
    finding: RuleFinding | None


@dataclass(frozen=True)
class AttributeImportance:
    """One attribute's share of the decision, in a category; the fields are those of ``AttributeWeight``."""

    attribute: str
    name: str
    share: float
    lower: float
    upper: float
    spread: float
    reference: str
    shoppers: float | None
    without_rules: float | None
    rules: tuple[RuleStatement, ...]
    person: float | None = None
    """One person's own share; None where nobody is named."""
    segment: float | None = None
    """The share for the mean tastes of a segment; None where none is named."""
    segment_lower: float | None = None
    """Lower end of its 95 % interval."""
    segment_upper: float | None = None
    """Upper end."""


@dataclass(frozen=True)
class Importance:
    """What matters in a category, most important first; the fields are those of ``CategoryWeights``.

    Attributes:
        version: Of the weights.
        category: Its id.
        name: Its name.
        strength: Sum of the attributes' spreads, in logits.
        choice_count: Choices behind the weights.
        person_count: People behind them.
        source: ``choices`` or ``graph``.
        attributes: The attributes.
        concerns: What is wrong with the data of this category and of those below it.
        notes: What a reader must know.
        user: The shopper that was named; None for nobody.
        user_choice_count: Number of the shopper's own choices behind their tastes.
        segment: Id of the segment that was named; None for none.
        segment_person_count: Number of people behind its mean tastes.
    """

    version: str
    category: str
    name: str
    strength: float
    choice_count: int
    person_count: int
    source: str
    attributes: tuple[AttributeImportance, ...]
    concerns: tuple[Concern, ...]
    notes: tuple[str, ...]
    user: str | None = None
    user_choice_count: int | None = None
    segment: str | None = None
    segment_person_count: int | None = None


@dataclass(frozen=True)
class Difference:
    """One summand of the difference of two scores.

    Attributes:
        name: The attribute's id, or the term's name.
        kind: ``attribute`` or ``term``.
        first: What the first item has, in words.
        second: What the second has.
        logits: What it adds to the difference, in logits.
        lower: Lower end of its 95 % interval; the amount itself for a term, whose error is not known.
        upper: Upper end.
        sentence: All of it in words.
    """

    name: str
    kind: str
    first: str
    second: str
    logits: float
    lower: float
    upper: float
    sentence: str


@dataclass(frozen=True)
class Comparison:
    """Two items of a category; the logits of ``parts`` add up to the difference of their scores (to 1e-9).

    The interval takes the errors of values to be independent of each other, and adds the uncertainty of a
    person's own tastes.

    Attributes:
        version: Of the weights.
        category: The category that is ranked.
        first: An item's id.
        second: Another's.
        difference: Score of the first minus that of the second, in logits.
        lower: Lower end of its 95 % interval.
        upper: Upper end.
        parts: The summands, the largest first.
        sentence: All of it in words.
        notes: What a reader must know.
        user: The shopper that was named; None for nobody.
        user_choice_count: Number of the shopper's own choices behind their tastes.
    """

    version: str
    category: str
    first: str
    second: str
    difference: float
    lower: float
    upper: float
    parts: tuple[Difference, ...]
    sentence: str
    notes: tuple[str, ...]
    user: str | None = None
    user_choice_count: int | None = None


@dataclass(frozen=True)
class Change:
    """Another value or number of one attribute, and what it adds to the score, in logits."""

    attribute: str
    old: str
    new: str
    value: str | None
    number: float | None
    gain: float
    sentence: str


@dataclass(frozen=True)
class Counterfactual:
    """Changes that together bring the item to a position.

    ``limited_by_rules`` says whether a rule names the better direction of the first.
    """

    changes: tuple[Change, ...]
    position: int
    limited_by_rules: bool
    sentence: str


@dataclass(frozen=True)
class Counterfactuals:
    """What would bring an item among the first of a ranking.

    Attributes:
        version: Of the weights.
        category: The category that is ranked.
        item: The item's id.
        position: Its position now, from 1.
        top: The number of first positions that is wanted.
        gap: What it lacks, in logits; 0 where it is among the first already.
        counterfactuals: Each enough by itself: single changes first, numbers with a Monotone rule (such as the
            price) before all others, then by the size of the change.
        sentence: The first of them in words, or that there is none.
        notes: What a reader must know.
        user: The shopper that was named; None for nobody.
        user_choice_count: Number of the shopper's own choices behind their tastes.
    """

    version: str
    category: str
    item: str
    position: int
    top: int
    gap: float
    counterfactuals: tuple[Counterfactual, ...]
    sentence: str
    notes: tuple[str, ...]
    user: str | None = None
    user_choice_count: int | None = None


@dataclass(frozen=True)
class AttributeReason:
    """What one attribute does for an item.

    Attributes:
        attribute: Its id.
        name: Its name.
        value: The item's value ids joined by ``|``, or its number; None where it has none.
        words: The value for a reader.
        logits: Contribution to the score, in logits.
        average: Contribution to the score of the average item of the category; near 0, as utilities are
            measured from there, but not where many values are missing.
        share: Share of the decision.
        value_rank: Rank of the value among the attribute's values here, 1 the best; None for a number, for
            several values, and for none.
        value_count: Number of values that are compared.
        better_than: Share of the category's items to which the attribute contributes less.
        sentence: All of it in one sentence.
        lower: Lower end of the 95 % interval of ``logits``, by the errors of the weights and, in a session, of the
            shopper's own tastes.
        upper: Upper end.
    """

    attribute: str
    name: str
    value: str | None
    words: str
    logits: float
    average: float
    share: float
    value_rank: int | None
    value_count: int
    better_than: float
    sentence: str
    lower: float
    upper: float


@dataclass(frozen=True)
class RelationPart:
    """What a bought item adds to an item's score through one relation.

    Attributes:
        relation: ``item`` for the item itself, else what it has in common with others, such as its brand; None for
            all that rest on few people.
        logits: In logits.
    """

    relation: str | None
    logits: float


@dataclass(frozen=True)
class BoughtReason:
    """What one bought item adds to an item's score.

    Attributes:
        item: Its id; None where it, or all that it counts through, rests on few people.
        title: Its title, its id where it has left the shop; None as for ``item``.
        logits: The sum of its parts, in logits.
        parts: By relation, the largest first.
        sentence: In words, by the strongest relation.
    """

    item: str | None
    title: str | None
    logits: float
    parts: tuple[RelationPart, ...]
    sentence: str


@dataclass(frozen=True)
class LikingReason:
    """The term ``liking``, bought item by bought item: they, the others and the average add up to it (to 1e-9).

    What would be without a purchase is asked by ranking without it: the length of the whole history divides every
    part.

    Attributes:
        logits: Contribution to the score, in logits.
        bought: What the shopper bought, the largest part first.
        other_count: Bought items beyond those.
        other_logits: What they add together.
        other_sentence: In words; None where there are none.
        average_logits: What the average person's purchases would add, taken off.
        average_sentence: In words.
    """

    logits: float
    bought: tuple[BoughtReason, ...]
    other_count: int
    other_logits: float
    other_sentence: str | None
    average_logits: float
    average_sentence: str


@final
@dataclass(frozen=True)
class Explanation:
    """An item's score, summand by summand: the logits of attributes and terms add up to it (to 1e-9).

    Attributes:
        version: Of the weights.
        category: The category that is ranked.
        item: The item's id.
        title: Its title.
        position: Its position, from 1.
        item_count: Items of the ranking.
        score: In logits.
        sentence: The position and the score in words.
        attributes: What each attribute does, the largest contribution first.
        terms: The terms of behaviour and purchases, the largest first.
        liking: The term ``liking`` by bought item; None where it is no summand.
        comparison: With another item, where one was named.
        counterfactuals: What would bring it among the first, where that was asked.
        notes: What a reader must know.
        user: The shopper that was named; None for nobody.
        user_choice_count: Number of the shopper's own choices behind their tastes.
    """

    version: str
    category: str
    item: str
    title: str
    position: int
    item_count: int
    score: float
    sentence: str
    attributes: tuple[AttributeReason, ...]
    terms: tuple[Contribution, ...]
    liking: LikingReason | None = None
    comparison: Comparison | None = None
    counterfactuals: Counterfactuals | None = None
    notes: tuple[str, ...] = ()
    user: str | None = None
    user_choice_count: int | None = None


@dataclass(frozen=True)
class SessionState:
    """A session's events, and what they moved in the category of the last one.

    Attributes:
        version: Of the weights.
        session: Its name.
        event_count: Events so far.
        category: Of the last event; None where it happened in none.
        shifts: What the events moved there, the largest change of a share first.
        notes: What a reader must know.
        user: The shopper that was named; None for nobody.
        user_choice_count: Number of the shopper's own choices with which the session began.
    """

    version: str
    session: str
    event_count: int
    category: str | None
    shifts: tuple[Shift, ...]
    notes: tuple[str, ...] = ()
    user: str | None = None
    user_choice_count: int | None = None


@dataclass(frozen=True)
class Audit:
    """What the data say of each rule, and which rules cannot all be right.

    Attributes:
        version: Of the weights.
        findings: Of each rule, the worst for a rule first.
        conflicts: Sets of rules that cannot all be right.
        notes: What a reader must know.
    """

    version: str
    findings: tuple[RuleFinding, ...]
    conflicts: tuple[RuleConflict, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class StoredVersion:
    """One version of the weights in a store.

    Attributes:
        version: Its name.
        created: When it was learned.
        served: Whether it is the one that is served.
        fits: Whether it belongs to the ontology in the store.
    """

    version: str
    created: str
    served: bool
    fits: bool


@dataclass(frozen=True)
class StoredVersions:
    """The versions of the weights in a store.

    Attributes:
        version: The one that is served; None where none is.
        versions: All of them, newest first.
        notes: What a reader must know.
    """

    version: str | None
    versions: tuple[StoredVersion, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeletedVersions:
    """Versions of the weights that were deleted from a store.

    Attributes:
        version: The one that is served; None where none is.
        deleted: Those that were deleted, newest first.
        notes: What a reader must know.
    """

    version: str | None
    deleted: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServedVersion:
    """Which version of the weights is served.

    Attributes:
        version: Its name.
        loaded: When the catalogue was loaded, as the store says.
        ranked_item_count: Positions of rankings that were written with it; None where none were asked for.
        notes: What a reader must know.
    """

    version: str
    loaded: str
    ranked_item_count: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Health:
    """How the service is.

    Attributes:
        version: Of the weights; None where none are served yet.
        status: ``running``.
        loaded: When the catalogue was loaded, as the store says.
        store_error: Why the store cannot be read now; None where it can.
        notes: What a reader must know.
    """

    version: str | None
    status: str
    loaded: str | None
    store_error: str | None
    notes: tuple[str, ...] = ()


Personal = TypeVar(
    "Personal", Ranking, Facets, Importance, Explanation, Comparison, Counterfactuals, SessionState
)


def for_user(answer: Personal, user: str | None, tastes: PersonTastes | None) -> Personal:
    """An answer, and the answers inside it, that say whose tastes were used; as it is where nobody was named."""
    if user is None:
        return answer
    count = tastes.choices if tastes else 0
    if isinstance(answer, Explanation):
        compared, changed = answer.comparison, answer.counterfactuals
        answer = replace(
            answer,
            comparison=compared and replace(compared, user=user, user_choice_count=count),
            counterfactuals=changed and replace(changed, user=user, user_choice_count=count),
        )
    return replace(answer, user=user, user_choice_count=count)
