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
from kgrank.choice.logit.categories import FLAT, NUISANCE, fit_categories, prior_precision
from kgrank.choice.logit.choice_sets import CategoryChoices, category_choices, given_positions
from kgrank.choice.logit.diagnostics import concerns
from kgrank.choice.logit.feedback_scales import RIDGE, feedback_scales, weighted
from kgrank.choice.logit.fit import optimum
from kgrank.choice.tastes.mixed_logit import panel_by_person, posteriors
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
        for rank, item in enumerate(items, 1):
            self.add(user, "impression", int(item), list=list_, position=rank)

    def read(self, examination: tuple[float, ...] = ()) -> tuple[ResponseLog, CategoryChoices]:
        rows = zip(self.color, self.size, self.price, strict=True)
        items = "".join(f"d{k},dresses,{c},{s},{p}\n" for k, (c, s, p) in enumerate(rows))
        (self.folder / "items.csv").write_text("id,category,color,size,price\n" + items)
        head = "time,user,kind,item,list,position,value,query,category\n"
        (self.folder / "events.csv").write_text(
            head + "".join(",".join(map(str, e)) + "\n" for e in self.events)
        )
        graph = ontology()
        self.graph = build_graph(ingest(self.folder, ontology=graph))
        log = read_log(self.graph, graph, examination)
        return log, category_choices(log, category_design(self.graph, graph, "dresses"), graph)


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
        for rank, item in enumerate(order, 1):
            shop.add(f"u{n}", "rank", item, list="l", value=rank)
    _, choice_set = shop.read()
    at = np.linspace(-1, 1, choice_set.choices.width)
    estimate = np.bincount(
        choice_set.choices.person, choice_set.choices.log_likelihood(choice_set.choices.utility(at))
    )
    worth = choice_set.design.centred()[[choice_set.design.items.index(f"d{k}") for k in range(4)]] @ at
    users = [int(u[1:]) for u in sorted(f"u{n}" for n in range(len(orders)))]
    by_hand = [
        sum(worth[i] - np.log(np.exp(worth[list(orders[n][k:])]).sum()) for k, i in enumerate(orders[n]))
        for n in users
    ]
    assert estimate == pytest.approx(by_hand)
    assert np.exp(estimate).sum() == pytest.approx(1.0)


def test_a_partial_ranking_has_the_probability_of_all_orders_that_go_on_from_it(shop: Shop) -> None:
    for item, rank in ((2, 1), (0, ""), (1, ""), (3, "")):
        shop.add("u", "rank", item, list="l", value=rank)
    _, choice_set = shop.read()
    at = np.linspace(-1, 1, choice_set.choices.width)
    worth = choice_set.design.centred()[[choice_set.design.items.index(f"d{k}") for k in range(4)]] @ at
    odds = np.exp(worth)
    rests = sum(
        np.prod([odds[i] / odds[list((2, *rest)[k:])].sum() for k, i in enumerate((2, *rest))])
        for rest in permutations((0, 1, 3))
    )
    assert np.exp(choice_set.choices.log_likelihood(choice_set.choices.utility(at)).sum()) == pytest.approx(
        rests
    )


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


def by_hand(choice_set: CategoryChoices, at: np.ndarray, others: list[int], main: int) -> float:
    """Minus the log-posterior of part-worths, logarithms of the scales of ``others``, and of the noise."""
    width, split = choice_set.choices.width, choice_set.design.raw.shape[1]
    b, logs, noise = at[:width], dict(zip(others, at[width:-1], strict=True)), np.exp(at[-1])
    raw, centring = choice_set.choices.expanded.toarray(), choice_set.choices.centring
    attributes, rest = raw[:, :split] @ centring[:split] @ b, raw[:, split:] @ centring[split:] @ b
    value = 0.0
    for t in range(len(choice_set.choices)):
        rows = slice(choice_set.choices.start[t], choice_set.choices.start[t + 1])
        kind = int(choice_set.kind[t])
        utility = np.exp(logs.get(kind, 0.0)) * attributes[rows] + rest[rows]
        taken = choice_set.choices.chosen[rows]
        if KINDS[kind] == "rating":
            value += -0.5 * ((taken[0] - utility[0]) / noise) ** 2 - np.log(noise)
        else:
            value += taken @ utility - np.log(np.exp(utility).sum())
    assert main not in logs
    return float(0.5 * RIDGE * b @ b + 0.5 * at[width:] @ at[width:] - value)


def test_scales_and_noise_are_those_of_the_joint_optimum(shop: Shop) -> None:
    """The profile over part-worths has its top where a general optimiser finds that of everything at once."""
    _, choice_set = mixed(shop, 40)
    estimate = feedback_scales({"dresses": choice_set})
    main = KINDS.index(next(k for k, s in estimate.scale.items() if s == 1.0))
    others = sorted({int(k) for k in choice_set.kind} - {main})
    start = np.zeros(choice_set.choices.width + len(others) + 1)
    reference = optimize.minimize(lambda x: by_hand(choice_set, x, others, main), start, method="BFGS",
                                  options={"gtol": 1e-3}).x  # fmt: skip
    scales = np.exp(reference[choice_set.choices.width : -1])
    assert [estimate.scale[KINDS[k]] for k in others] == pytest.approx(scales, rel=2e-3)
    assert estimate.noise == pytest.approx(np.exp(reference[-1]), rel=2e-3)


def test_a_kind_that_follows_tastes_half_as_closely_gets_half_the_scale(shop: Shop) -> None:
    _, choice_set = mixed(shop, 400)
    estimate = feedback_scales({"dresses": choice_set})
    assert estimate.scale["view"] / estimate.scale["purchase"] == pytest.approx(0.5, abs=0.12)
    # Ratings are in units of a person's spread: of worths and of the noise around them.
    spread = (shop.worth.var() + 0.7**2) ** 0.5
    assert estimate.noise == pytest.approx(0.7 / spread, abs=0.08)
    b = fit_categories({"dresses": weighted(choice_set, estimate)}, {}).fits["dresses"].part_worths
    nodes = {n.partition("=")[2]: k for k, n in enumerate(choice_set.design.layout.nodes)}
    unit = 1 / estimate.scale["purchase"]
    assert (b[nodes["red"]] - b[nodes["green"]]) / unit == pytest.approx(2.0, abs=0.25)


def test_a_kind_that_says_nothing_gets_hardly_any_weight(shop: Shop) -> None:
    _, choice_set = mixed(shop, 300, scale=0.0)
    estimate = feedback_scales({"dresses": choice_set})
    assert estimate.scale["view"] < 0.15 * estimate.scale["purchase"]


def test_one_kind_alone_has_scale_one(shop: Shop) -> None:
    shop.show("u", "l", np.arange(3))
    shop.add("u", "view", 1, list="l")
    _, choice_set = shop.read()
    assert feedback_scales({"dresses": choice_set}) == Reliability({"view": 1.0})
    assert weighted(choice_set, Reliability({"view": 1.0})) is choice_set


def test_ratings_alone_are_least_squares_under_the_prior(shop: Shop) -> None:
    for person in range(30):
        for item in shop.rng.choice(COUNT, 6, replace=False):
            shop.add(
                f"u{person}", "rating", int(item), value=round(float(shop.worth[item] + shop.rng.normal()), 3)
            )
    _, choice_set = shop.read()
    how = feedback_scales({"dresses": choice_set})
    fitted = fit_categories({"dresses": weighted(choice_set, how)}, {}).fits["dresses"].part_worths
    x = choice_set.choices.expanded @ choice_set.choices.centring / how.noise
    prior = np.diag(prior_precision(choice_set.design.layout, len(choice_set.nuisance), None))
    reference = np.linalg.solve(x.T @ x + prior, x.T @ choice_set.choices.chosen / how.noise)
    assert fitted == pytest.approx(reference, abs=1e-6)
    residual = choice_set.choices.chosen - x @ reference * how.noise
    assert how.noise == pytest.approx(residual.std(), rel=0.02)


def test_training_has_the_same_likelihood(shop: Shop) -> None:
    _, choice_set = mixed(shop, 20)
    choice_set = weighted(choice_set, Reliability({"purchase": 1.0, "view": 0.5, "rating": 0.8}, 0.7))
    choice_set = replace(
        choice_set,
        choices=replace(choice_set.choices, offset=0.1 * shop.rng.normal(size=len(choice_set.item_row))),
    )
    tensors = graph_tensors(shop.graph)
    where = cells([choice_set.design.layout], tensors)
    rows = choice_rows([choice_set], where)
    model = ChoiceModel(PartWorthNetwork(tensors, where, torch.zeros(where.width), 4, 1, 0.0), where, rows)
    at = shop.rng.normal(size=choice_set.choices.width)
    width = choice_set.design.layout.width
    with torch.no_grad():
        model.nuisance.copy_(torch.from_numpy(at[width:]))
        estimate = model.log_likelihood(
            torch.from_numpy(at[:width]).float(), batch(rows, np.arange(len(rows)))
        )
    assert estimate.numpy() == pytest.approx(
        choice_set.choices.log_likelihood(choice_set.choices.utility(at)), abs=1e-3
    )


def test_the_posterior_of_a_person_who_only_rated_is_that_of_a_regression(shop: Shop) -> None:
    for item in range(8):
        shop.add("u", "rating", item, value=float(shop.worth[item]))
    _, choice_set = shop.read()
    width = choice_set.choices.width
    by_node, _ = panel_by_person(choice_set.choices, np.zeros(width), np.eye(width))
    mode, spread, _ = posteriors(by_node, np.zeros(width), 0.5 * np.eye(width), tolerance=1e-14)
    x = choice_set.choices.expanded @ choice_set.choices.centring
    information = x.T @ x + 2.0 * np.eye(width)
    assert mode[0] == pytest.approx(np.linalg.solve(information, x.T @ choice_set.choices.chosen))
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
    _, choice_set = shop.read()
    part_worths = fit_categories({"dresses": choice_set}, {}).fits["dresses"].part_worths
    assert choice_set.nuisance == ("position 2", "position 3", "position 4", "position 5+")
    assert part_worths[choice_set.design.layout.width :] == pytest.approx(np.log(odds[1:]), abs=0.2)
    nodes = {n.partition("=")[2]: k for k, n in enumerate(choice_set.design.layout.nodes)}
    assert part_worths[nodes["red"]] - part_worths[nodes["green"]] == pytest.approx(2.0, abs=0.25)


def test_where_an_attribute_says_the_place_it_is_said(shop: Shop) -> None:
    """Red always stands first, blue second, green third: nothing tells a color from its place."""
    for person in range(60):
        choice_set = [int(shop.rng.choice(np.arange(color, COUNT, 3))) for color in range(3)]
        shop.show(f"u{person}", f"l{person}", np.array(choice_set))
        shop.add(f"u{person}", "view", choice_set[draw(shop.rng, shop.worth[choice_set])], list=f"l{person}")
    _, some_ = shop.read()
    (concern,) = concerns({"dresses": some_})
    assert (concern.cause, concern.attribute) == (Cause.FIXED_POSITION, "color")
    assert concerns({"dresses": shop.read((1.0, 0.6, 0.4))[1]}) == (), "it was given, so nothing is in doubt"


def test_places_that_vary_are_no_concern(shop: Shop) -> None:
    looked_at(shop, 300, 1.0 / np.arange(1, 6))
    assert concerns({"dresses": shop.read()[1]}) == ()


def test_a_given_examination_curve_is_an_offset_and_its_last_place_has_no_end(shop: Shop) -> None:
    looked_at(shop, 20, 1.0 / np.arange(1, 6))
    _, choice_set = shop.read((1.0, 0.5, 0.25))
    assert choice_set.nuisance == ()
    assert choice_set.choices.offset[:5] == pytest.approx(np.log([1, 0.5, 0.25, 0.25, 0.25]))
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
    log, choice_set = shop.read()
    assert log.position_groups[:11] == tuple(range(1, 12))
    taken = [
        log.rows.filter(pl.col("position").is_between(a, b - 1) & (pl.col("chosen") > 0)).height
        for a, b in zip(log.position_groups[10:], (*log.position_groups[11:], 99), strict=True)
    ]
    assert min(taken) >= 30
    assert choice_set.nuisance[-1].endswith("+")


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
    _, choice_set = shop.read()
    at = np.linspace(-1, 1, choice_set.choices.width)
    (search,) = np.flatnonzero(choice_set.kind == KINDS.index("search"))
    by_node = dict(zip(choice_set.design.layout.nodes, at, strict=False))
    supply = at[list(choice_set.nuisance).index("supply") + choice_set.design.layout.width]
    share = dict(
        zip(choice_set.design.layout.nodes, choice_set.design.layout.block["color"].share, strict=False)
    )
    worth = {c: by_node[f"color={c}"] + supply * np.log(share[f"color={c}"]) for c in COLORS}
    by_hand_ = worth["blue"] - np.log(sum(np.exp(w) for w in worth.values()))
    assert choice_set.choices.log_likelihood(choice_set.choices.utility(at))[search] == pytest.approx(
        by_hand_
    )
    assert (choice_set.item_row[choice_set.choices.choice == search] == -1).all()


def test_searches_that_follow_tastes_sharpen_the_part_worths_of_what_they_name(shop: Shop) -> None:
    for person in range(200):
        items = shop.rng.choice(COUNT, 5, replace=False)
        shop.show(f"u{person}", f"l{person}", items)
        shop.add(f"u{person}", "view", int(items[draw(shop.rng, shop.worth[items])]), list=f"l{person}")
        color = COLORS[draw(shop.rng, np.array([TRUTH[c] for c in COLORS]))]
        shop.add(f"u{person}", "search", query=f"{color} dress", category="dresses")
    _, choice_set = shop.read()
    estimate = feedback_scales({"dresses": choice_set})
    assert estimate.scale["search"] == pytest.approx(1.0, abs=0.5)
    alone = fit_categories({"dresses": choice_set.take(~choice_set.of_kinds(["search"]))}, {}).fits["dresses"]
    both = fit_categories({"dresses": weighted(choice_set, estimate)}, {}).fits["dresses"]
    red, green = (choice_set.design.layout.column[f"color={c}"] for c in ("red", "green"))
    contrast = np.zeros(choice_set.choices.width)
    contrast[red], contrast[green] = 1.0, -1.0
    assert contrast @ both.covariance @ contrast < 0.8 * contrast @ alone.covariance @ contrast
    assert contrast @ both.part_worths == pytest.approx(2.0, abs=0.5)


def test_an_optimum_over_all_kinds_is_that_of_a_general_optimiser(shop: Shop) -> None:
    _, choice_set = mixed(shop, 20)
    choices = weighted(choice_set, Reliability({"purchase": 1.0, "view": 0.6, "rating": 0.9}, 0.8)).choices
    prior = np.full(choices.width, max(FLAT, NUISANCE))

    def loss(x: np.ndarray) -> float:
        return float(0.5 * prior @ x**2 - choices.log_likelihood(choices.utility(x)).sum())

    reference = optimize.minimize(loss, np.zeros(choices.width), method="BFGS", options={"gtol": 1e-4}).x
    estimate, hessian = optimum(choices, np.zeros(choices.width), prior)
    assert estimate == pytest.approx(reference, abs=1e-3)
    second = optimize.approx_fprime(estimate, lambda x: optimize.approx_fprime(x, loss, 1e-5), 1e-4)
    assert hessian == pytest.approx(second, rel=0.02, abs=0.2)
