"""A shop's curation of a page, as its file says it."""

from __future__ import annotations

from dataclasses import dataclass

from kgrank.ranking.page.query import Boost, Bury, Cap, Exclude, Pin


@dataclass(frozen=True)
class Curation:
    """What a shop wants beyond the scores."""

    pins: tuple[Pin, ...] = ()
    boosts: tuple[Boost, ...] = ()
    buries: tuple[Bury, ...] = ()
    excludes: tuple[Exclude, ...] = ()
    caps: tuple[Cap, ...] = ()
