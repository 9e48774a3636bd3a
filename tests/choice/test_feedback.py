"""Feedback of every kind in one likelihood, against likelihoods written out by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from generated_shop import ontology
from scipy import optimize

from kgrank.choice.data.design import category_design
from kgrank.choice.data.responses import KINDS, ResponseLog, read_log
from kgrank.choice.data.searches import named_values
from kgrank.choice.logit.categories import FLAT, NUISANCE, fit_categories, precision
from kgrank.choice.logit.choice_sets import CategoryChoices, category_choices, given_positions
from kgrank.choice.logit.diagnostics import concerns
from kgrank.choice.logit.feedback_scales import RIDGE, feedback_scales, weighted
from kgrank.choice.logit.fit import optimum
from kgrank.choice.tastes.mixed_logit import panel, posteriors
from kgrank.graph.build import build_graph
from kgrank.ingest.clean import ingest
from kgrank.learning.network.model import ChoiceModel, PartWorthNetwork
from kgrank.learning.network.tensors import batch, cells, choice_rows, graph_tensors
from kgrank.weights.model import Cause, Reliability

COLORS, SIZES = ("red", "blue", "green"), ("s", "m", "l")
TRUTH = {"red": 1.0, "blue": 0.0, "green": -1.0, "s": -0.5, "m": 0.5, "l": 0.0, "price": -0.8}
"""Part-worths in logits; ``price`` over 20 euros."""

START = 1_767_225_600
COUNT = 24


@dataclass
class Shop:
    """Dresses, and rows of events that a test adds."""

    folder: Path
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self.events: list[tuple[object, ...]] = []
        self.color = [COLORS[k % 3] for k in range(COUNT)]
        self.size = [SIZES[(k // 3) % 3] for k in range(COUNT)]
        self.price = self.rng.integers(20, 61, COUNT)
        self.worth = np.array(
            [TRUTH[c] + TRUTH[s] + TRUTH["price"] * (p - 40) / 20
             for c, s, p in zip(self.color, self.size, self.price, strict=True)]
        )  # fmt: skip

    def add(self, user: str, kind: str, item: int | None = None, **more: object) -> None:
        name = "" if item is None else f"d{item}"
        row = (START + len(self.events), user, kind, name)
        self.events.append(
            (*row, *(more.get(k, "") for k in ("list", "position", "value", "query", "category")))
        )

    def show(self, user: str, list_: str, items: np.ndarray) -> None:
        for place, item in enumerate(items, 1):
            self.add(user, "impression", int(item), list=list_, position=place)

    def read(self, examination: tuple[float, ...] = ()) -> tuple[ResponseLog, CategoryChoices]:
        rows = zip(self.color, self.size, self.price, strict=True)
        items = "".join(f"d{k},dresses,{c},{s},{p}\n" for k, (c, s, p) in enumerate(rows))
        (self.folder / "items.csv").write_text("id,category,color,size,price\n" + items)
        head = "time,user,kind,item,list,position,value,query,category\n"
        (self.folder / "events.csv").write_text(
            head + "".join(",".join(map(str, e)) + "\n" for e in self.events)
        )
        known = ontology()
        self.graph = build_graph(ingest(self.folder, ontology=known))
        log = read_log(self.graph, known, examination)
        return log, category_choices(log, category_design(self.graph, known, "dresses"), known)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, np.random.default_rng(4))


def draw(rng: np.random.Generator, utility: np.ndarray) -> int:
    return int((utility + rng.gumbel(size=len(utility))).argmax())


def steps(log: ResponseLog) -> list[tuple[str, dict[str, float]]]:
    """Kind of each choice, and what it offered with what was taken of it."""
    return [
        (kind, dict(log.rows.filter(pl.col("choice") == choice).select("item", "chosen").iter_rows()))
        for choice, kind in log.heads.select("choice", "kind").iter_rows()
    ]


def test_the_steps_of_a_ranking_have_the_probability_of_plackett_and_luce(shop: Shop) -> None:
    """All orders of four items together have probability 1, each its own by the product formula."""
    orders = list(permutations(range(4)))
    for n, order in enumerate(orders):
        for place, item in enumerate(order, 1):
            shop.add(f"u{n}", "rank", item, list="l", value=place)
    _, some = shop.read()
    at = np.linspace(-1, 1, some.choices.width)
    found = np.bincount(some.choices.person, some.choices.log_likelihood(some.choices.utility(at)))
    worth = some.design.centred()[[some.design.items.index(f"d{k}") for k in range(4)]] @ at
    users = [int(u[1:]) for u in sorted(f"u{n}" for n in range(len(orders)))]
    by_hand = [
        sum(worth[i] - np.log(np.exp(worth[list(orders[n][k:])]).sum()) for k, i in enumerate(orders[n]))
        for n in users
    ]
    assert found == pytest.approx(by_hand)
    assert np.exp(found).sum() == pytest.approx(1.0)


def test_a_partial_ranking_has_the_probability_of_all_orders_that_go_on_from_it(shop: Shop) -> None:
    for item, place in ((2, 1), (0, ""), (1, ""), (3, "")):
        shop.add("u", "rank", item, list="l", value=place)
    _, some = shop.read()
    at = np.linspace(-1, 1, some.choices.width)
    worth = some.design.centred()[[some.design.items.index(f"d{k}") for k in range(4)]] @ at
    odds = np.exp(worth)
    rests = sum(
        np.prod([odds[i] / odds[list((2, *rest)[k:])].sum() for k, i in enumerate((2, *rest))])
        for rest in permutations((0, 1, 3))
    )
    assert np.exp(some.choices.log_likelihood(some.choices.utility(at)).sum()) == pytest.approx(rests)


def test_a_pair_and_a_choice_of_two_say_the_same(shop: Shop) -> None:
    shop.add("u", "rank", 0, list="l", value=1)
    shop.add("u", "rank", 1, list="l", value=2)
    log, _ = shop.read()
    assert steps(log) == [("rank", {"d0": 1, "d1": 0})]


def test_what_was_bought_stands_before_what_was_viewed_and_each_item_counts_once(shop: Shop) -> None:
    shop.show("u", "l", np.arange(4))
    for kind, item in (("view", 2), ("view", 1), ("cart", 1), ("purchase", 1), ("cart", 3)):
        shop.add("u", kind, item, list="l")
    log, _ = shop.read()
    assert dict(steps(log)) == {
        "purchase": {"d0": 0, "d1": 1, "d2": 0, "d3": 0},
        "cart": {"d0": 0, "d2": 0, "d3": 1},
        "view": {"d0": 0, "d2": 1},
    }
    assert len(log.heads) == 3


def test_a_deed_on_what_was_not_shown_is_no_choice_of_nothing(shop: Shop) -> None:
    shop.show("u", "l", np.arange(3))
    shop.add("u", "view", 1, list="l")
    shop.add("u", "view", 9, list="l")
    log, _ = shop.read()
    assert steps(log) == [("view", {"d0": 0, "d1": 1, "d2": 0})]
    assert log.heads["left"].to_list() == [0]


def test_nothing_stands_beside_the_kind_that_most_lists_have(shop: Shop) -> None:
    for n, kind in enumerate(("view", "view", "purchase", "")):
        shop.show("u", f"l{n}", np.arange(3))
        if kind:
            shop.add("u", kind, 1, list=f"l{n}")
    log, _ = shop.read()
    assert log.entry == "view"
    assert log.heads.select("kind", "outside", "left").rows() == [
        ("view", True, 0), ("view", True, 0), ("purchase", False, 0), ("view", True, 1)
    ]  # fmt: skip


def test_without_impressions_view_and_purchase_of_one_item_in_a_row_are_one_choice(shop: Shop) -> None:
    for kind, item in (("view", 0), ("view", 1), ("cart", 1), ("purchase", 1), ("view", 0)):
        shop.add("u", kind, item)
    log, _ = shop.read()
    taken = log.rows.sort("choice")["item"].to_list()
    assert list(zip(log.heads["kind"], taken, strict=True)) == [
        ("view", "d0"),
        ("purchase", "d1"),
        ("view", "d0"),
    ]


def test_ratings_that_never_vary_are_no_evidence(shop: Shop) -> None:
    for user, values in (("u", (4, 4)), ("v", (5,)), ("w", (1, 3))):
        for item, value in enumerate(values):
            shop.add(user, "rating", item, value=value)
    log, _ = shop.read()
    assert [log.users[k] for k in log.heads["user"]] == ["w", "w"]
    assert log.rows["chosen"].to_list() == pytest.approx([-(0.5**0.5), 0.5**0.5])


def mixed(shop: Shop, people: int = 150, scale: float = 0.5) -> tuple[ResponseLog, CategoryChoices]:
    """Lists with a purchase, lists with a view of a lower scale, and ratings."""
    for person in range(people):
        for turn in range(4):
            items = shop.rng.choice(COUNT, 5, replace=False)
            shop.show(f"u{person}", f"l{person}-{turn}", items)
            buys = turn % 2 == 0
            taken = draw(shop.rng, (1.0 if buys else scale) * shop.worth[items])
            shop.add(
                f"u{person}", "purchase" if buys else "view", int(items[taken]), list=f"l{person}-{turn}"
            )
        for item in shop.rng.choice(COUNT, 6, replace=False):
            value = 3 + shop.worth[item] + shop.rng.normal(scale=0.7)
            shop.add(f"u{person}", "rating", int(item), value=round(float(value), 3))
    return shop.read()


def by_hand(some: CategoryChoices, at: np.ndarray, others: list[int], main: int) -> float:
    """Minus the log-posterior of part-worths, logarithms of the scales of ``others``, and of the noise."""
    width, split = some.choices.width, some.design.raw.shape[1]
    b, logs, noise = at[:width], dict(zip(others, at[width:-1], strict=True)), np.exp(at[-1])
    raw, centring = some.choices.raw.toarray(), some.choices.centring
    attributes, rest = raw[:, :split] @ centring[:split] @ b, raw[:, split:] @ centring[split:] @ b
    value = 0.0
    for t in range(len(some.choices)):
        rows = slice(some.choices.start[t], some.choices.start[t + 1])
        kind = int(some.kind[t])
        utility = np.exp(logs.get(kind, 0.0)) * attributes[rows] + rest[rows]
        taken = some.choices.chosen[rows]
        if KINDS[kind] == "rating":
            value += -0.5 * ((taken[0] - utility[0]) / noise) ** 2 - np.log(noise)
        else:
            value += taken @ utility - np.log(np.exp(utility).sum())
    assert main not in logs
    return float(0.5 * RIDGE * b @ b + 0.5 * at[width:] @ at[width:] - value)


def test_scales_and_noise_are_those_of_the_joint_optimum(shop: Shop) -> None:
    """The profile over part-worths has its top where a general optimiser finds that of everything at once."""
    _, some = mixed(shop, 40)
    found = feedback_scales({"dresses": some})
    main = KINDS.index(next(k for k, s in found.scale.items() if s == 1.0))
    others = sorted({int(k) for k in some.kind} - {main})
    start = np.zeros(some.choices.width + len(others) + 1)
    reference = optimize.minimize(lambda x: by_hand(some, x, others, main), start, method="BFGS",
                                  options={"gtol": 1e-3}).x  # fmt: skip
    scales = np.exp(reference[some.choices.width : -1])
    assert [found.scale[KINDS[k]] for k in others] == pytest.approx(scales, rel=2e-3)
    assert found.noise == pytest.approx(np.exp(reference[-1]), rel=2e-3)


def test_a_kind_that_follows_tastes_half_as_closely_gets_half_the_scale(shop: Shop) -> None:
    _, some = mixed(shop, 400)
    found = feedback_scales({"dresses": some})
    assert found.scale["view"] / found.scale["purchase"] == pytest.approx(0.5, abs=0.12)
    # Ratings are in units of a person's spread: of worths and of the noise around them.
    spread = (shop.worth.var() + 0.7**2) ** 0.5
    assert found.noise == pytest.approx(0.7 / spread, abs=0.08)
    b = fit_categories({"dresses": weighted(some, found)}, {}).fits["dresses"].part_worths
    nodes = {n.partition("=")[2]: k for k, n in enumerate(some.design.layout.nodes)}
    unit = 1 / found.scale["purchase"]
    assert (b[nodes["red"]] - b[nodes["green"]]) / unit == pytest.approx(2.0, abs=0.25)


def test_a_kind_that_says_nothing_gets_hardly_any_weight(shop: Shop) -> None:
    _, some = mixed(shop, 300, scale=0.0)
    found = feedback_scales({"dresses": some})
    assert found.scale["view"] < 0.15 * found.scale["purchase"]


def test_one_kind_alone_has_scale_one(shop: Shop) -> None:
    shop.show("u", "l", np.arange(3))
    shop.add("u", "view", 1, list="l")
    _, some = shop.read()
    assert feedback_scales({"dresses": some}) == Reliability({"view": 1.0})
    assert weighted(some, Reliability({"view": 1.0})) is some


def test_ratings_alone_are_least_squares_under_the_prior(shop: Shop) -> None:
    for person in range(30):
        for item in shop.rng.choice(COUNT, 6, replace=False):
            shop.add(
                f"u{person}", "rating", int(item), value=round(float(shop.worth[item] + shop.rng.normal()), 3)
            )
    _, some = shop.read()
    how = feedback_scales({"dresses": some})
    fitted = fit_categories({"dresses": weighted(some, how)}, {}).fits["dresses"].part_worths
    x = some.choices.raw @ some.choices.centring / how.noise
    prior = np.diag(precision(some.design.layout, len(some.nuisance), None))
    reference = np.linalg.solve(x.T @ x + prior, x.T @ some.choices.chosen / how.noise)
    assert fitted == pytest.approx(reference, abs=1e-6)
    residual = some.choices.chosen - x @ reference * how.noise
    assert how.noise == pytest.approx(residual.std(), rel=0.02)


def test_training_has_the_same_likelihood(shop: Shop) -> None:
    _, some = mixed(shop, 20)
    some = weighted(some, Reliability({"purchase": 1.0, "view": 0.5, "rating": 0.8}, 0.7))
    some = replace(some, choices=replace(some.choices, offset=0.1 * shop.rng.normal(size=len(some.item_row))))
    tensors = graph_tensors(shop.graph)
    where = cells([some.design.layout], tensors)
    rows = choice_rows([some], where)
    model = ChoiceModel(PartWorthNetwork(tensors, where, torch.zeros(where.width), 4, 1, 0.0), where, rows)
    at = shop.rng.normal(size=some.choices.width)
    width = some.design.layout.width
    with torch.no_grad():
        model.nuisance.copy_(torch.from_numpy(at[width:]))
        found = model.log_likelihood(torch.from_numpy(at[:width]).float(), batch(rows, np.arange(len(rows))))
    assert found.numpy() == pytest.approx(some.choices.log_likelihood(some.choices.utility(at)), abs=1e-3)


def test_the_posterior_of_a_person_who_only_rated_is_that_of_a_regression(shop: Shop) -> None:
    for item in range(8):
        shop.add("u", "rating", item, value=float(shop.worth[item]))
    _, some = shop.read()
    width = some.choices.width
    own, _ = panel(some.choices, np.zeros(width), np.eye(width))
    mode, spread, _ = posteriors(own, np.zeros(width), 0.5 * np.eye(width), tolerance=1e-14)
    x = some.choices.raw @ some.choices.centring
    information = x.T @ x + 2.0 * np.eye(width)
    assert mode[0] == pytest.approx(np.linalg.solve(information, x.T @ some.choices.chosen))
    assert spread[0] == pytest.approx(np.linalg.inv(information))


def looked_at(shop: Shop, people: int, odds: np.ndarray) -> None:
    """Lists in which a place's odds of being looked at multiply those of the item; red dresses stand first."""
    order = np.argsort([COLORS.index(c) for c in shop.color], kind="stable")
    place_of = np.argsort(order)
    for person in range(people):
        items = shop.rng.choice(COUNT, len(odds), replace=False)
        items = items[np.argsort(place_of[items] + shop.rng.normal(scale=8, size=len(items)))]
        shop.show(f"u{person}", f"l{person}", items)
        taken = draw(shop.rng, shop.worth[items] + np.log(odds))
        shop.add(f"u{person}", "view", int(items[taken]), list=f"l{person}")


def test_examination_is_recovered_where_places_vary(shop: Shop) -> None:
    odds = 1.0 / np.arange(1, 6)
    looked_at(shop, 4000, odds)
    _, some = shop.read()
    part_worths = fit_categories({"dresses": some}, {}).fits["dresses"].part_worths
    assert some.nuisance == ("position 2", "position 3", "position 4", "position 5+")
    assert part_worths[some.design.layout.width :] == pytest.approx(np.log(odds[1:]), abs=0.2)
    nodes = {n.partition("=")[2]: k for k, n in enumerate(some.design.layout.nodes)}
    assert part_worths[nodes["red"]] - part_worths[nodes["green"]] == pytest.approx(2.0, abs=0.25)


def test_where_an_attribute_says_the_place_it_is_said(shop: Shop) -> None:
    """Red always stands first, blue second, green third: nothing tells a color from its place."""
    for person in range(60):
        some = [int(shop.rng.choice(np.arange(color, COUNT, 3))) for color in range(3)]
        shop.show(f"u{person}", f"l{person}", np.array(some))
        shop.add(f"u{person}", "view", some[draw(shop.rng, shop.worth[some])], list=f"l{person}")
    _, some_ = shop.read()
    (concern,) = concerns({"dresses": some_})
    assert (concern.cause, concern.attribute) == (Cause.FIXED_POSITION, "color")
    assert concerns({"dresses": shop.read((1.0, 0.6, 0.4))[1]}) == (), "it was given, so nothing is in doubt"


def test_places_that_vary_are_no_concern(shop: Shop) -> None:
    looked_at(shop, 300, 1.0 / np.arange(1, 6))
    assert concerns({"dresses": shop.read()[1]}) == ()


def test_a_given_examination_curve_is_an_offset_and_its_last_place_has_no_end(shop: Shop) -> None:
    looked_at(shop, 20, 1.0 / np.arange(1, 6))
    _, some = shop.read((1.0, 0.5, 0.25))
    assert some.nuisance == ()
    assert some.choices.offset[:5] == pytest.approx(np.log([1, 0.5, 0.25, 0.25, 0.25]))
    assert given_positions((1.0, 0.5, 0.25)) == pytest.approx(
        {"position 2": np.log(0.5), "position 3+": np.log(0.25)}
    )


def test_the_places_of_a_fit_mark_the_same_rows_as_a_given_curve(shop: Shop) -> None:
    """What is served for a given curve does for one person at request time what the offset does in training."""
    looked_at(shop, 20, 1.0 / np.arange(1, 6))
    curve = (0.9, 0.5, 0.2)
    _, offset = shop.read(curve)
    log = read_log(shop.graph, ontology())
    names = given_positions(curve)
    marked = category_choices(log, offset.design, ontology(), nuisance=tuple(names))
    at = np.concatenate([np.ones(offset.design.layout.width), list(names.values())])
    assert marked.choices.utility(at) == pytest.approx(offset.choices.utility(at[: offset.choices.width]))


def test_deep_places_are_joined_until_enough_responses_stand_behind_them(shop: Shop) -> None:
    for person in range(200):
        items = shop.rng.choice(COUNT, 20, replace=False)
        shop.show(f"u{person}", f"l{person}", items)
        shop.add(f"u{person}", "view", int(items[shop.rng.integers(20)]), list=f"l{person}")
    log, some = shop.read()
    assert log.position_groups[:11] == tuple(range(1, 12))
    taken = [
        log.rows.filter(pl.col("position").is_between(a, b - 1) & (pl.col("chosen") > 0)).height
        for a, b in zip(log.position_groups[10:], (*log.position_groups[11:], 99), strict=True)
    ]
    assert min(taken) >= 30
    assert some.nuisance[-1].endswith("+")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("red dress", {"color=red"}),
        ("RED size m", {"color=red", "size=m"}),
        ("redwood", set()),
        ("red or blue", set()),
        ("dresses", set()),
    ],
)
def test_a_search_names_values_by_whole_words(query: str, named: set[str]) -> None:
    asked = pl.DataFrame({"category": ["dresses"], "query": [query]})
    assert set(named_values(ontology(), asked)["node"]) == named


def test_a_search_is_a_choice_among_the_values_of_its_attribute(shop: Shop) -> None:
    shop.add("u", "search", query="blue dress", category="dresses")
    shop.show("u", "l", np.arange(3))
    shop.add("u", "view", 1, list="l")
    _, some = shop.read()
    at = np.linspace(-1, 1, some.choices.width)
    (search,) = np.flatnonzero(some.kind == KINDS.index("search"))
    own = dict(zip(some.design.layout.nodes, at, strict=False))
    supply = at[list(some.nuisance).index("supply") + some.design.layout.width]
    share = dict(zip(some.design.layout.nodes, some.design.layout.block["color"].share, strict=False))
    worth = {c: own[f"color={c}"] + supply * np.log(share[f"color={c}"]) for c in COLORS}
    by_hand_ = worth["blue"] - np.log(sum(np.exp(w) for w in worth.values()))
    assert some.choices.log_likelihood(some.choices.utility(at))[search] == pytest.approx(by_hand_)
    assert (some.item_row[some.choices.choice == search] == -1).all()


def test_searches_that_follow_tastes_sharpen_the_part_worths_of_what_they_name(shop: Shop) -> None:
    for person in range(200):
        items = shop.rng.choice(COUNT, 5, replace=False)
        shop.show(f"u{person}", f"l{person}", items)
        shop.add(f"u{person}", "view", int(items[draw(shop.rng, shop.worth[items])]), list=f"l{person}")
        color = COLORS[draw(shop.rng, np.array([TRUTH[c] for c in COLORS]))]
        shop.add(f"u{person}", "search", query=f"{color} dress", category="dresses")
    _, some = shop.read()
    found = feedback_scales({"dresses": some})
    assert found.scale["search"] == pytest.approx(1.0, abs=0.5)
    alone = fit_categories({"dresses": some.take(~some.of_kinds(["search"]))}, {}).fits["dresses"]
    both = fit_categories({"dresses": weighted(some, found)}, {}).fits["dresses"]
    red, green = (some.design.layout.column[f"color={c}"] for c in ("red", "green"))
    contrast = np.zeros(some.choices.width)
    contrast[red], contrast[green] = 1.0, -1.0
    assert contrast @ both.covariance @ contrast < 0.8 * contrast @ alone.covariance @ contrast
    assert contrast @ both.part_worths == pytest.approx(2.0, abs=0.5)


def test_an_optimum_over_all_kinds_is_that_of_a_general_optimiser(shop: Shop) -> None:
    _, some = mixed(shop, 20)
    choices = weighted(some, Reliability({"purchase": 1.0, "view": 0.6, "rating": 0.9}, 0.8)).choices
    prior = np.full(choices.width, max(FLAT, NUISANCE))

    def loss(x: np.ndarray) -> float:
        return float(0.5 * prior @ x**2 - choices.log_likelihood(choices.utility(x)).sum())

    reference = optimize.minimize(loss, np.zeros(choices.width), method="BFGS", options={"gtol": 1e-4}).x
    found, hessian = optimum(choices, np.zeros(choices.width), prior)
    assert found == pytest.approx(reference, abs=1e-3)
    second = optimize.approx_fprime(found, lambda x: optimize.approx_fprime(x, loss, 1e-5), 1e-4)
    assert hessian == pytest.approx(second, rel=0.02, abs=0.2)
