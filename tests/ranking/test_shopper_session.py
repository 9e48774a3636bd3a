"""Sessions: each event a choice, moved by one step, and the same as the converged posterior."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from shops import Example, example

from kgrank.choice.tastes.online import Online
from kgrank.errors import InputError
from kgrank.graph.schema import EDGES, UNBOUNDED
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.model import Attribute, AttributeType, Category, Need, Ontology, Term
from kgrank.ranking import Query, Shop, answer, rank
from kgrank.ranking.shopper.person import tastes_of
from kgrank.ranking.shopper.session import REMEMBERED, Event, Session, SessionRule, observe, start, undo
from kgrank.ranking.shopper.shifts import shifts
from kgrank.weights.model import (
    AttributeWeight,
    CategoryWeights,
    LearnedWeights,
    Population,
    Reliability,
    Segment,
    Utility,
)

PLAIN = SessionRule(decay=1.0)


def shop_of(made: Example, covariance: float = 1.0) -> Shop:
    """A shop with utilities as training makes them: straight, and measured from the average item."""
    shop = Shop.of(made.graph, made.ontology, made.weights, made.transitions)
    rng = np.random.default_rng(0)
    categories = {}
    for name, learned in made.weights.categories.items():
        layout = shop.design(name).layout
        own = rng.normal(size=layout.width)
        utilities = tuple(
            Utility(node, segments, 0.1)
            for block in layout.blocks
            for node, segments in zip(block.nodes, block.segments(own), strict=True)
        )
        categories[name] = replace(learned, utilities=utilities)
    columns = made.weights.population.columns
    root = rng.normal(size=(len(columns), len(columns))) / np.sqrt(len(columns))
    spread = covariance * (0.5 * np.eye(len(columns)) + 0.5 * root @ root.T)
    population = Population(columns, tuple(map(tuple, spread.tolist())))
    weights = replace(made.weights, categories=categories, population=population)
    return Shop.of(made.graph, made.ontology, weights, made.transitions)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return shop_of(example(11, items=80))


def drawn(shop: Shop, seed: int, count: int) -> list[Event]:
    random = Random(seed)
    found = []
    for _ in range(count):
        shown = tuple(random.sample(shop.items.ids, random.randint(2, 30)))
        item = random.choice(shown)
        kind = random.choice(["view", "view", "cart", "purchase"])
        found.append(Event(kind, item, shown=random.choice([shown, ()]), category="all"))
    return found


def after(shop: Shop, events: list[Event], rule: SessionRule | None = None) -> Session:
    session = start(shop, rule=rule)
    for event in events:
        session = observe(shop, session, event)
    return session


def converged(posterior: Online) -> np.ndarray:
    """The optimum of the stated log-posterior, by scipy."""

    def negative(at: np.ndarray) -> float:
        utility = posterior.x @ at + posterior.offset
        top = utility.max(axis=1)
        fit = utility[:, 0] - top - np.log(np.exp(utility - top[:, None]).sum(axis=1))
        gap = at - posterior.mean
        return float(0.5 * gap @ posterior.precision @ gap - posterior.weight @ fit)

    return minimize(negative, posterior.mean, method="BFGS", options={"gtol": 1e-7}).x


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30), st.sampled_from([0.1, 1.0, 4.0]))
def test_a_session_is_the_converged_posterior_of_its_events(seed: int, count: int, covariance: float) -> None:
    shop = shop_of(example(11, items=80), covariance)
    session = after(shop, drawn(shop, seed, count))
    table, moved = shop.scores("all"), shop.deviation_effects("all")
    ours, best = (
        table.scores(moved.worth(table, tastes), moved.units)
        for tastes in (session.deviations, converged(session.posterior))
    )
    assert np.abs(ours - best).max() <= 1e-3 * np.ptp(best)
    assert (
        np.argsort(-ours.round(3), kind="stable")[:5].tolist()
        == np.argsort(-best.round(3), kind="stable")[:5].tolist()
    )


def test_a_session_without_decay_is_the_person_posterior_of_the_same_log(shop: Shop) -> None:
    random = Random(5)
    events, rows = [], []
    for k in range(8):
        shown = random.sample(shop.items.ids, 6)
        events.append(Event("view", shown[2], shown=tuple(shown)))
        common = {"source": "ann", "time": k, "list": f"l{k}"}
        rows += [
            {**common, "target": item, "id": f"e{k}-{place}", "kind": "impression", "position": place}
            for place, item in enumerate(shown, 1)
        ]
        rows.append({**common, "target": shown[2], "id": f"v{k}", "kind": "view", "position": None})
    schema = {"source": pl.String(), "target": pl.String(), **EDGES["INTERACTED"].columns}
    person = tastes_of(shop, pl.DataFrame(rows, schema=schema))
    session = after(shop, events, PLAIN)
    assert person.choices == 8
    known = dict(zip(shop.column, session.deviations.tolist(), strict=True))
    assert known == pytest.approx(dict(person.deviations), abs=1e-4)


def test_a_known_shoppers_session_begins_with_their_own_tastes(shop: Shop) -> None:
    person = tastes_of(shop, example(11, items=80).graph.edge("INTERACTED"))
    session = start(shop, person)
    page = answer(shop, Query("all", session=session, size=100))
    assert page.ids == answer(shop, Query("all", person=person, size=100)).ids
    assert page.ids == tuple(r.item for r in rank(shop, "all", limit=100, person=person.deviations))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 26), st.data())
def test_an_event_undone_leaves_no_trace(seed: int, count: int, data: st.DataObject) -> None:
    shop = shop_of(example(11, items=80))
    events = drawn(shop, seed, count)
    session = after(shop, events)
    which = data.draw(st.integers(0, count - 1))
    left = events[:which] + events[which + 1 :]
    undone, never = undo(shop, session, which), after(shop, left)
    assert undone.events == never.events
    assert undone.deviations.tobytes() == never.deviations.tobytes()
    again = observe(shop, undo(shop, session), events[-1])
    assert again.deviations.tobytes() == session.deviations.tobytes()


def test_older_versions_of_a_session_stay_as_they_were(shop: Shop) -> None:
    events = drawn(shop, 3, 60)
    session, kept = start(shop), []
    for event in events:
        session = observe(shop, session, event)
        kept.append((session, session.deviations.copy(), session.posterior.x.copy()))
        # A branch from an older version must not write over this one.
        observe(shop, kept[len(kept) // 2][0], events[0])
    for one, deviations, x in kept:
        assert one.deviations.tobytes() == deviations.tobytes()
        assert one.posterior.x.tobytes() == x.tobytes()


def test_a_session_without_end_keeps_its_last_events_and_counts_them_all(shop: Shop) -> None:
    events = drawn(shop, 5, REMEMBERED + 50)
    session = after(shop, events)
    assert session.events == tuple(events[50:])
    assert session.count == len(events)
    assert session.posterior.mode == pytest.approx(converged(session.posterior), abs=1e-4)
    # Of what was forgotten nothing counts any more: the last 20 choices do.
    undone = undo(shop, session, len(events) - 1)
    assert undone.deviations == pytest.approx(after(shop, events[:-1]).deviations, abs=1e-3)
    again = observe(shop, undone, events[-1])
    assert again.deviations == pytest.approx(session.deviations, abs=1e-3)
    with pytest.raises(InputError, match="no event 49; expected one of 50 to 99"):
        undo(shop, session, 49)


def test_an_event_fades_with_the_events_after_it(shop: Shop) -> None:
    events = drawn(shop, 8, 30)
    session = after(shop, events)
    rule = session.rule
    want = [rule.decay**age for age in range(rule.horizon - 1, -1, -1)]
    assert session.posterior.weight.tolist() == pytest.approx(want)
    assert session.owners == tuple(range(len(events) - rule.horizon, len(events)))


def test_a_stronger_deed_on_a_shown_item_replaces_the_weaker_one(shop: Shop) -> None:
    shown = tuple(shop.items.ids[:8])
    looked = Event("view", shown[2], shown=shown, category="all")
    bought = replace(looked, kind="purchase")
    other = Event("view", shown[5], shown=shown, category="all")
    rule = SessionRule(decay=1.0)
    both, alone = after(shop, [looked, bought], rule), after(shop, [bought], rule)
    assert both.posterior.weight.tolist() == [0.0, 1.0]
    assert both.deviations == pytest.approx(alone.deviations, abs=1e-3)
    # What was looked at before is gone from the list of what is looked at next, and not from that of a purchase.
    counts = [
        int(np.isfinite(after(shop, [looked, e], rule).posterior.offset[-1]).sum())
        for e in (other, replace(other, kind="purchase"))
    ]
    assert counts == [7, 8]


def test_a_kind_of_event_counts_as_much_as_was_learned_of_it(shop: Shop) -> None:
    event = Event("view", shop.items.ids[3], shown=tuple(shop.items.ids[:8]), category="all")
    moved = []
    for scale in (0.0, 0.3, 1.0, 3.0):
        scaled = replace(shop, weights=replace(shop.weights, reliability=Reliability({"view": scale})))
        moved.append(float(np.linalg.norm(after(scaled, [event]).deviations)))
    assert moved == sorted(moved)
    assert moved[0] == 0.0 < moved[1]


def test_without_events_a_session_ranks_as_the_average_shopper(shop: Shop) -> None:
    page = answer(shop, Query("all", session=start(shop), size=100))
    assert page.ids == answer(shop, Query("all", size=100)).ids


COLORS, BRANDS = ("red", "blue", "green", "black", "white", "pink", "navy", "gold"), tuple("abcdefgh")


def dresses() -> Shop:
    """A thousand dresses of eight colors and eight brands, and shoppers who differ in both."""
    rng = np.random.default_rng(0)
    ids = [f"dress-{k:03d}" for k in range(1000)]
    nodes = [*(f"color={c}" for c in COLORS), *(f"brand={b}" for b in BRANDS), "price=*"]
    uses = dict.fromkeys(("color", "brand", "price"), Need.ALLOWED)
    ontology = Ontology(
        "1",
        {"dresses": Category("dresses", names={"en": "Dresses", "zh": "连衣裙"}, uses=uses)},
        {
            "color": Attribute("color", names={"en": "Color", "zh": "颜色"}, values=COLORS),
            "brand": Attribute("brand", names={"en": "Brand", "zh": "品牌"}, open=True),
            "price": Attribute("price", type=AttributeType.NUMBER),
        },
        values={c: Term(c, names={"en": c.title()}) for c in COLORS},
        brands={b: Term(b, names={"en": b.upper() * 2}) for b in BRANDS},
    )
    has = [
        ("color", [f"color={COLORS[k]}" for k in rng.integers(0, 8, 1000)], np.zeros(1000)),
        ("brand", [f"brand={BRANDS[k]}" for k in rng.integers(0, 8, 1000)], np.zeros(1000)),
        ("price", ["price=*"] * 1000, rng.normal(60, 15, 1000).round(2)),
    ]
    graph = KnowledgeGraph(
        {
            "Item": pl.DataFrame({"id": ids, "title": ids}),
            "AttributeValue": pl.DataFrame({"id": nodes}),
        },
        {
            "IN_CATEGORY": pl.DataFrame({"source": ids, "target": ["dresses"] * 1000}),
            "HAS_VALUE": pl.concat(
                pl.DataFrame({"source": ids, "target": n, "number": x, "imputed": False}) for _, n, x in has
            ),
        },
    )
    shares = (("color", 0.2), ("brand", 0.2), ("price", 0.6))
    learned = CategoryWeights(
        "dresses",
        tuple(AttributeWeight(a, w, 0.0, 1.0, w, "", w) for a, w in shares),
        (
            *(
                Utility(n, (Segment(-UNBOUNDED, UNBOUNDED, 0.1 * (k % 8) - 0.35, 0.0),), 0.1)
                for k, n in enumerate(nodes[:-1])
            ),
            Utility("price=*", (Segment(-UNBOUNDED, UNBOUNDED, 2.4, -0.04),), 0.1),
        ),
        3.5,
        1000,
        100,
        "choices",
    )
    spread = np.diag([*[0.8] * 16, 0.05])
    weights = LearnedWeights(
        "v1",
        "2026-01-01T00:00:00Z",
        "test",
        ontology.fingerprint,
        "test",
        {"dresses": learned},
        population=Population(tuple(nodes), tuple(map(tuple, spread.tolist()))),
    )
    return Shop.of(graph, ontology, weights)


def test_a_shopper_who_views_one_brand_and_one_color_sees_them_first_and_is_told_why() -> None:
    shop = dresses()
    both = {
        i for i in shop.items.ids
        if {"color=red", "brand=c"} <= {n for n, _ in shop.items.values(shop.items.index[i])}
    }  # fmt: skip
    viewed = sorted(both)[:5]
    session = after(shop, [Event("view", i) for i in viewed])
    before, now = (answer(shop, Query("dresses", session=s, size=10)) for s in (start(shop), session))

    def either(ids: tuple[str, ...], node: str) -> int:
        return sum(any(n == node for n, _ in shop.items.values(shop.items.index[i])) for i in ids)

    assert either(before.ids, "color=red") <= 3
    assert either(before.ids, "brand=c") <= 3
    assert either(now.ids, "color=red") >= 7
    assert either(now.ids, "brand=c") >= 7
    moved = {s.attribute: s for s in shifts(shop, session, "dresses")}
    color, brand = moved["color"], moved["brand"]
    reds, cs = (len(shop.items.having(shop.items.node[n])) / 1000 for n in ("color=red", "brand=c"))
    for told, name, value, usual in ((color, "Color", "red", reds), (brand, "Brand", "CC", cs)):
        assert told.share_after > told.share_before + 0.05
        assert told.sentence == (
            f"{name} {told.share_before:.2f} → {told.share_after:.2f}: you looked at 5 {value} dresses of 5, "
            f"and {usual:.0%} of dresses are {value}."
        )
    chinese = {s.attribute: s.sentence for s in shifts(shop, session, "dresses", "zh")}
    assert f"您看的 5 件中 5 件为CC，而连衣裙中有 {cs:.0%} 为CC" in chinese["brand"]
    assert moved["price"].share_after < moved["price"].share_before
    assert undo(shop, after(shop, [Event("view", viewed[0])])).deviations.tolist() == [0.0] * 17


def test_one_item_among_those_looked_at_is_told_in_the_singular() -> None:
    shop = dresses()

    def having(node: str) -> set[str]:
        return {shop.items.ids[i] for i in shop.items.having(shop.items.node[node]).tolist()}

    red = min(having("color=red") & having("brand=c"))
    others = sorted(having("brand=c") - having("color=red"))[:2]
    session = after(shop, [*(Event("view", i) for i in others), Event("cart", red)])
    told = {s.attribute: s.sentence for s in shifts(shop, session, "dresses")}
    assert "of 3 dresses that you looked at one is red, and 12% of dresses are." in told["color"]
    assert "you looked at 3 CC dresses of 3" in told["brand"]


def test_a_search_leans_towards_what_it_names(shop: Shop) -> None:
    moved = after(shop, [Event("search", text="green")])
    found = dict(zip(shop.column, moved.deviations.tolist(), strict=True))
    assert found["color=green"] > 0.05
    assert found["color=green"] == max(found.values())


def test_an_event_where_nothing_was_learned_moves_nothing(shop: Shop) -> None:
    bare = replace(shop, weights=replace(shop.weights, population=Population()))
    session = observe(bare, start(bare), Event("view", "i3"))
    page = answer(bare, Query("all", session=session, size=100))
    assert page.notes == ("These weights do not say how shoppers differ: the session moves no taste.",)
    assert session.events == (Event("view", "i3"),)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (Event("veiw", "i1"), "Did you mean view"),
        (Event("view"), "names no item"),
        (Event("view", "i999"), "there is no item 'i999'"),
        (Event("view", "i1", shown=("i2", "i3")), "was not among the 2 shown"),
        (Event("view", "i1", category="dreses"), "Did you mean dresses"),
        (Event("search"), "a search has no text"),
    ],
)
def test_an_event_that_cannot_be_meant_is_refused(shop: Shop, event: Event, message: str) -> None:
    with pytest.raises(InputError, match=message):
        observe(shop, start(shop), event)


def test_there_is_nothing_to_undo_in_a_new_session(shop: Shop) -> None:
    with pytest.raises(InputError, match="there is no event -1"):
        undo(shop, start(shop))


def test_a_graph_without_the_category_of_an_item_is_no_obstacle() -> None:
    made = example(4)
    lost = made.graph.edge("IN_CATEGORY").filter(pl.col("source") != "i3")
    graph = KnowledgeGraph(made.graph.nodes, {**made.graph.edges, "IN_CATEGORY": lost})
    shop = Shop.of(graph, made.ontology, made.weights, made.transitions)
    assert observe(shop, start(shop), Event("view", "i3")).deviations.tolist() == [0.0] * len(shop.column)
