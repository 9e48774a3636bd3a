"""A page of a ranking as the answer that ``--json``, HTTP and Python share."""

from __future__ import annotations

from kgrank.ranking.answers import Ranking, Shift
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.page.answer import answer
from kgrank.ranking.page.query import Query


def ranking(shop: Shop, query: Query, *, shifts: bool = False) -> Ranking:
    """One page of a ranking with its items in words.

    Args:
        shop: Where.
        query: The query.
        shifts: Whether to say what the query's session moved, too, which costs a third of a ranking more.

    Raises:
        InputError: As in ``answer``.
        WeightsError: As in ``answer``.
    """
    page = answer(shop, query)
    moved: tuple[Shift, ...] = ()
    if shifts and query.session is not None:
        # Only a session needs scipy.
        from kgrank.ranking.shopper.shifts import noticeable_shifts

        moved = noticeable_shifts(shop, query.session, page.category, query.language)
    return Ranking(
        version=page.version,
        category=page.category,
        page=page.page,
        size=page.size,
        item_count=page.item_count,
        items=page.items,
        left_out=page.left_out,
        shifts=moved,
        notes=page.notes,
    )
