"""Words of logs for kinds of events."""

from __future__ import annotations

import pytest

from kgrank.profiling.events.kinds import event_kind


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("view_item", "view"),
        ("view_item_list", "impression"),
        ("select_item", "view"),
        ("add_to_cart", "cart"),
        ("addtocart", "cart"),
        ("AddToBasket", "cart"),
        ("remove_from_cart", "remove_from_cart"),
        ("RemoveFromBasket", "remove_from_cart"),
        ("begin_checkout", "begin_checkout"),
        ("transaction", "purchase"),
        ("Order Completed", "purchase"),
        ("Product Viewed", "view"),
        ("refund", "refund"),
        ("search", "search"),
        ("In den Warenkorb", "cart"),
        ("Kauf", "purchase"),
        ("ajout au panier", "cart"),
        ("añadir al carrito", "cart"),
        ("加购", "cart"),
        ("购买", "purchase"),
        ("pv", "view"),
    ],
)
def test_words_of_other_programs_mean_a_kind(word: str, kind: str) -> None:
    assert event_kind(word) == kind


@pytest.mark.parametrize(
    "word", ["page_view", "session_start", "scroll", "login", "newsletter_signup", "view_cart"]
)
def test_words_that_say_nothing_of_an_item_are_no_kind(word: str) -> None:
    assert event_kind(word) is None
