"""Choice sets of purchases: what counts as on offer, at which price, and what a choice itself may not decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from generated_groceries import tables

from kgrank.demo.groceries.choice_sets import COLUMNS, CategoryChoices, Cuts, choice_sets
from kgrank.demo.groceries.package_size import Measure, parse_package_size
from kgrank.demo.groceries.purchases import usable_purchases
from kgrank.demo.groceries.sales import STAPLE, WINDOW, Sales
from kgrank.errors import InputError

Line = tuple[int, int, int, int]
"""Household, store, week, product."""


def sales(lines: Sequence[Line], prices: Sequence[float] | None = None, baskets: bool = False) -> Sales:
    """Purchases of products 0 to 4 in stores 0 to 11, in baskets of their own."""
    household, store, week, product = np.array(lines).T
    # With ``baskets``, what a household buys in a week is one.
    basket = household * 100 + week if baskets else np.arange(len(lines))
    frame = pl.DataFrame(
        {
            "household": household,
            "store": store,
            "week": week,
            "product": product,
            "basket": basket,
            "log_price": np.array(prices if prices is not None else [1.0] * len(lines)),
            "discount": np.zeros(len(lines)),
        }
    )
    return Sales(frame, np.arange(5), np.arange(12))


def on_offer(lines: Sequence[Line], product: int, *, baskets: bool = False) -> bool:
    """Whether a product is an alternative to what the first line bought."""
    return bool(sales(lines, baskets=baskets).on_offer(np.array([0]))[1][0, product])


def test_a_purchase_counts_only_where_others_show_that_the_product_was_on_offer() -> None:
    alone = sales([(1, 0, 20, 0), (2, 0, 20, 1)])
    assert not alone.on_offer(np.array([0]))[0][0]
    with_another = sales([(1, 0, 20, 0), (2, 0, 20, 0)])
    assert with_another.on_offer(np.array([0]))[0][0]


def test_a_second_purchase_by_the_same_household_in_the_week_shows_nothing() -> None:
    assert not sales([(1, 0, 20, 0), (1, 0, 20, 0)]).on_offer(np.array([0]))[0][0]
    assert sales([(1, 0, 20, 0), (1, 0, 19, 0)]).on_offer(np.array([0]))[0][0]


def test_a_product_is_on_offer_until_twelve_weeks_after_it_was_sold() -> None:
    assert on_offer([(1, 0, 20, 0), (2, 0, 20 - WINDOW, 1)], 1)
    assert not on_offer([(1, 0, 20, 0), (2, 0, 19 - WINDOW, 1)], 1)


def test_a_product_that_is_sold_only_later_is_not_on_offer() -> None:
    assert not on_offer([(1, 0, 20, 0), (2, 0, 21, 1)], 1)


def test_a_product_of_other_stores_is_on_offer_where_ten_of_them_sold_it() -> None:
    here = (1, 0, 20, 0)
    ten = [(2, store, 20, 1) for store in range(1, STAPLE + 1)]
    assert on_offer([here, *ten], 1)
    assert not on_offer([here, *ten[1:]], 1)


def test_a_product_that_this_store_ever_sold_is_on_offer_while_another_sells_it() -> None:
    assert on_offer([(1, 0, 40, 0), (2, 0, 3, 1), (3, 5, 40, 1)], 1)
    assert not on_offer([(1, 0, 40, 0), (3, 5, 40, 1)], 1)


def test_other_products_of_the_basket_are_no_alternatives() -> None:
    lines = [(1, 0, 20, 0), (1, 0, 20, 1), (2, 0, 20, 1)]
    assert on_offer(lines, 1)
    assert not on_offer(lines, 1, baskets=True)


def test_a_price_is_the_mean_over_other_households_of_the_week() -> None:
    lines = [(1, 0, 20, 0), (2, 3, 20, 0), (3, 4, 20, 0), (1, 0, 19, 0)]
    price, _, known = sales(lines, [9.0, 1.0, 2.0, 5.0]).prices(np.array([0]), np.array([[0, 1]]))
    assert price[0, 0] == pytest.approx(1.5)
    assert known.tolist() == [[True, False]]


def test_without_other_households_a_price_is_that_of_the_last_week_before() -> None:
    lines = [(1, 0, 20, 0), (2, 0, 18, 0), (3, 0, 18, 0), (4, 0, 10, 0)]
    price, _, _ = sales(lines, [9.0, 1.0, 2.0, 7.0]).prices(np.array([0]), np.array([[0]]))
    assert price[0, 0] == pytest.approx(1.5)


def test_what_the_household_bought_in_the_week_decides_neither_the_set_nor_a_price() -> None:
    rng = np.random.default_rng(3)
    lines = [tuple(int(x) for x in row) for row in rng.integers(0, (12, 6, 25, 5), (400, 4))]
    prices = rng.uniform(0, 2, len(lines))
    rows = np.arange(60)
    before, every = sales(lines, list(prices)), np.tile(np.arange(5), (1, 1))
    for row in rows:
        household, _, week, _ = lines[row]
        other = [
            (h, s, w, 4 - p if (h, w) == (household, week) and n != row else p)
            for n, (h, s, w, p) in enumerate(lines)
        ]
        dearer = [
            price + 3.0 * ((h, w) == (household, week))
            for price, (h, _, w, _) in zip(prices, lines, strict=True)
        ]
        changed, at = sales(other, dearer), np.array([row])
        for a, b in zip(before.on_offer(at), changed.on_offer(at), strict=True):
            np.testing.assert_array_equal(a, b)
        price, discount, known = before.prices(at, every)
        price_then, discount_then, known_then = changed.prices(at, every)
        np.testing.assert_array_equal(known, known_then)
        np.testing.assert_allclose(price[known], price_then[known], atol=1e-12)
        np.testing.assert_allclose(discount[known], discount_then[known], atol=1e-12)


def test_lines_that_are_no_purchase_of_goods_at_a_price_are_left_out() -> None:
    one = tables(lines=1)
    goods = one.products.filter(pl.col("department") != "FUEL")["product_id"][0]
    fuel = one.products.filter(pl.col("department") == "FUEL")["product_id"][0]
    line = {**one.transactions.row(0, named=True), "product_id": goods, "quantity": 2}
    line |= {"sales_value": 3.0, "retail_disc": 1.0, "coupon_match_disc": 0.4}
    others = [
        {"product_id": fuel},
        {"product_id": 5},
        {"quantity": 0},
        {"sales_value": 0.0},
        {"retail_disc": -9.0},
        {"store_id": 99},
    ]
    lines = pl.DataFrame([line, *(line | other for other in others)])
    (bought,) = usable_purchases(replace(one, transactions=lines)).iter_rows(named=True)
    assert bought["product"] == goods
    assert np.exp(bought["log_price"]) == pytest.approx(2.2)
    assert bought["discount"] == pytest.approx(0.5 / 2.2)


@pytest.fixture(scope="module")
def categories() -> list[CategoryChoices]:
    return list(choice_sets(tables()))


def test_all_categories_of_goods_are_there_and_fuel_is_not(categories: list[CategoryChoices]) -> None:
    assert [c.name for c in categories] == ["Hostile <b>$x$</b> [red]", "SOUP/BROTH", "TEA"]


def test_the_first_alternative_is_what_the_household_bought(categories: list[CategoryChoices]) -> None:
    bought = set(usable_purchases(tables()).select("household", "week", "product").iter_rows())
    for c in categories:
        chosen = c.products["product"].to_numpy()[c.alternative[:, 0]]
        assert set(zip(c.household.tolist(), c.week.tolist(), chosen.tolist(), strict=True)) <= bought
        assert c.valid[:, 0].all()


def test_no_alternative_stands_twice_in_a_set(categories: list[CategoryChoices]) -> None:
    for c in categories:
        for row, there in zip(c.alternative, c.valid, strict=True):
            assert len(set(row[there])) == there.sum() >= 3


def test_a_column_is_as_the_tables_have_it(categories: list[CategoryChoices]) -> None:
    promotions = {
        (p, w): (display, mailer)
        for p, s, w, display, mailer in tables()
        .promotions.select("product_id", "store_id", "week", "display_location", "mailer_location")
        .collect()
        .iter_rows()
        if s == 1
    }
    purchases = usable_purchases(tables()).filter(pl.col("store") == 1)
    here = set(purchases.select("household", "week", "product").iter_rows())
    elsewhere = set(
        usable_purchases(tables())
        .filter(pl.col("store") != 1)
        .select("household", "week", "product")
        .iter_rows()
    )
    c, compared = categories[-1], 0
    for n in range(len(c.part)):
        key = (int(c.household[n]), int(c.week[n]), c.products["product"][int(c.alternative[n, 0])])
        if key not in here - elsewhere:
            continue
        display, mailer = promotions.get((key[2], key[1]), ("0", "0"))
        expected = [display != "0", display == "1", mailer != "0", mailer == "D"]
        assert c.x[n, 0, COLUMNS.index("display") :].tolist() == expected
        compared += 1
    assert compared > 30


def test_alternatives_are_drawn_with_equal_probability() -> None:
    one = tables()
    many = pl.concat([one.products] * 2).with_columns(
        product_id=pl.int_range(1000, 1000 + 2 * len(one.products)), product_category=pl.lit("TEA"),
        department=pl.lit("GROCERY"),
    )  # fmt: skip
    rng = np.random.default_rng(5)
    lines = one.transactions.with_columns(
        product_id=pl.Series(rng.integers(1000, 1000 + len(many), len(one.transactions)))
    )
    (c,) = choice_sets(replace(one, transactions=lines, products=many))
    drawn = np.bincount(c.alternative[:, 1:][c.valid[:, 1:]], minlength=len(many))
    expected = c.valid[:, 1:].sum() / len(many)
    # Each product is on offer in nearly all sets: binomial around the mean, six standard deviations.
    assert np.abs(drawn - expected).max() < 6 * np.sqrt(expected) + 0.05 * expected


def test_the_same_seed_gives_the_same_sets_and_another_one_others() -> None:
    first, again, other = (next(iter(choice_sets(tables(), seed=s))) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.alternative, again.alternative)
    assert (
        first.alternative.shape != other.alternative.shape or (first.alternative != other.alternative).any()
    )


@pytest.mark.parametrize("cuts", [Cuts(), Cuts(train=(9, 32), validation=(33, 36), test=(37, 40))])
def test_a_choice_is_in_the_part_of_its_week(cuts: Cuts) -> None:
    for c in choice_sets(tables(), cuts):
        for number, (first, last) in enumerate(cuts.parts):
            weeks = c.week[c.part == number]
            assert ((first <= weeks) & (weeks <= last)).all()
        assert len(c.part) == sum(c.counts)


def test_at_most_so_many_choices_of_a_part_are_kept() -> None:
    for c in choice_sets(tables(), Cuts(most=(100, 20, 30))):
        assert all(count <= most for count, most in zip(c.counts, (100, 20, 30), strict=True))


@pytest.mark.parametrize(
    "weeks",
    [
        ((9, 40), (40, 44), (45, 53)),
        ((9, 8), (41, 44), (45, 53)),
        ((9, 40), (41, 44), (45, 54)),
        ((0, 9), (10, 11), (12, 13)),
    ],
)
def test_weeks_that_overlap_or_are_none_of_the_year_are_refused(weeks: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(InputError, match="three parts of the weeks 1 to 53"):
        Cuts(*weeks)


@pytest.mark.parametrize(
    ("text", "measure", "size"),
    [
        ("22 LB", Measure.OUNCES, 352),
        ("6/12 OZ", Measure.OUNCES, 72),
        (".5 GAL", Measure.OUNCES, 64),
        ("1 DZ", Measure.PIECES, 12),
        ("4-PK", Measure.PIECES, 4),
        ("0 OZ", Measure.UNKNOWN, 1),
        ("SMALL", Measure.UNKNOWN, 1),
        ("9" * 400 + " OZ", Measure.UNKNOWN, 1),
        ("", Measure.UNKNOWN, 1),
        (None, Measure.UNKNOWN, 1),
    ],
)
def test_a_package_size_is_read_in_ounces_or_pieces(text: str | None, measure: Measure, size: float) -> None:
    assert parse_package_size(text) == (measure, pytest.approx(np.log(size)))
