"""A query for a ranking, and the page that comes back as arrays.

``kgrank.ranking.page.answer.answer(shop, query)`` takes a ``Query`` and gives a ``RankedPage``;
``kgrank.ranking.page.document.ranking`` gives the same as the document of ``--json`` and HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from kgrank.arrays import Floats
from kgrank.ranking.answers import LeftOut, RankedItem

if TYPE_CHECKING:
    from kgrank.choice.tastes.person import PersonTastes
    from kgrank.ranking.shopper.session import Session

PAGE = 20
"""Items on a page by default."""


@dataclass(frozen=True)
class Filter:
    """Keeps items by what they have of one attribute: one of some values, or a number within bounds.

    Brand is the attribute ``brand``, a price range bounds ``price``; stock is whichever attribute holds it. An
    item without a value of the attribute is left out.

    Attributes:
        attribute: Its id.
        values: Value ids, one of which the item must have; ``unknown`` keeps items without a value too.
        minimum: Smallest number, included.
        maximum: Largest number, included.
    """

    attribute: str
    values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Pin:
    """An item at a fixed position, whatever its score; ``position`` counts from 1."""

    item: str
    position: int
    reason: str = ""


@dataclass(frozen=True)
class Boost:
    """So many logits more for an item, or for all items with a value (``brand=acme``); may be negative."""

    target: str
    amount: float
    reason: str = ""


@dataclass(frozen=True)
class Bury:
    """An item, or all items with a value, behind all others, in the order of their scores."""

    target: str
    reason: str = ""


@dataclass(frozen=True)
class Exclude:
    """An item, or all items with a value, that is not shown at all."""

    target: str
    reason: str = ""


@dataclass(frozen=True)
class Cap:
    """At most a share of the first positions for one value of an attribute, such as a brand or a seller.

    Attributes:
        attribute: Its id.
        share: Of the first ``top`` positions, 0 to 1; their number is rounded down.
        top: So many first positions.
        value: The value; None for every value.
        reason: Why; shown with each item that is moved down by it.
    """

    attribute: str
    share: float
    top: int
    value: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class Query:
    """A question for a ranking.

    Attributes:
        category: Its items and those of all categories below are ranked by its weights. Without one, the lowest
            category that holds all items found by ``text`` or named in ``candidates``.
        text: Words in any language of the ontology; items that have all of them in title, values, brand or
            categories (``kgrank.ranking.catalogue.text``). The words choose what is ranked, the weights the order.
        candidates: Rank these items only.
        filters: All of them must hold.
        page: From 1; a page beyond the end is empty.
        size: Items on a page.
        pins: Items at fixed positions.
        boosts: Items with so many logits more.
        buries: Items behind all others.
        excludes: Items that are not shown.
        caps: Limits to a brand's or seller's share of the first positions.
        exposure: Whether the ontology's Exposure rules for the category are caps as well.
        diversity: From 0 (by score alone) to below 1 (``kgrank.ranking.page.rerank.diverse``).
        history: Items looked at, oldest first, for the behaviour terms; a session's own come after them.
        person: A shopper's own tastes (``kgrank.ranking.shopper.person``).
        session: The shopper's session; its tastes begin with ``person``'s where it was started with them.
        language: Of the words, ``en`` or ``zh``.
    """

    category: str | None = None
    text: str | None = None
    candidates: tuple[str, ...] | None = None
    filters: tuple[Filter, ...] = ()
    page: int = 1
    size: int = PAGE
    pins: tuple[Pin, ...] = ()
    boosts: tuple[Boost, ...] = ()
    buries: tuple[Bury, ...] = ()
    excludes: tuple[Exclude, ...] = ()
    caps: tuple[Cap, ...] = ()
    exposure: bool = False
    diversity: float = 0.0
    history: tuple[str, ...] = ()
    person: PersonTastes | None = None
    session: Session | None = None
    language: str = "en"


@dataclass(frozen=True)
class RankedPage:
    """One page of a ranking.

    Attributes:
        category: By whose weights.
        page: Its number, from 1.
        size: Items on a full page.
        item_count: Items on all pages.
        version: Of the weights.
        ids: The items, first to last.
        scores: Rounded to 9 decimals (items,).
        names: Attributes, most important first, then terms, then ``boost`` where there is one.
        logits: What each contributes; a row adds up to the score (items, names).
        notes: What a reader must know: whose tastes these are, what the words did not find.
        left_out: What was excluded.
    """

    category: str
    page: int
    size: int
    item_count: int
    version: str
    ids: tuple[str, ...]
    scores: Floats
    names: tuple[str, ...]
    logits: Floats
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    describe: Callable[[], tuple[RankedItem, ...]] = field(default=tuple, repr=False, compare=False)

    @cached_property
    def items(self) -> tuple[RankedItem, ...]:
        """The items with their contributions in words; made when asked for."""
        return self.describe()
