"""The groceries' choices for people's tastes: designs, part-worths and tastes by kgrank, and what is scored.

Shared by ``groceries_people.py`` and ``groceries_network.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy import sparse

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.data.design import HIGH, LOW, Block, Design, Layout
from kgrank.choice.logit.categories import fit_categories
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.likelihood import Choices, concatenated
from kgrank.choice.tastes.shared_columns import column_map
from kgrank.choice.tastes.shared_evidence import SharedEvidence, shared_evidence
from kgrank.demo.groceries.package import read_tables
from kgrank.errors import InputError
from kgrank.graph.schema import NUMBER, value_id
from kgrank.ontology.model import AttributeType

NUMBERS, FLAGS = (
    ("price", "discount", "size"),
    ("private", "display", "display_end", "mailer", "mailer_front"),
)
VALUES = 12
"""Values of brand and of kind that have a part-worth, the commonest ones."""

RARE = 5


@dataclass(frozen=True)
class Category:
    """One category's choices with what a cut needs of each."""

    name: str
    choices: CategoryChoices
    week: Ints
    product: Ints
    """(rows,) product of each alternative."""


@dataclass(frozen=True)
class Scored:
    """Choices to score: given utilities, candidate terms, and whose they are.

    Attributes:
        choices: Their offset is the utility by the population's weights.
        shared: (rows, columns) the shared columns.
        popular: (rows, 3) log(1 + purchases), whether rare, log(1 + households) of a rare product.
        product: (rows,) numbers of the retailer.
        category: (choices,) number of the category.
        pair: (choices,) the evidence's pair of this household and category, or -1.
        new: (choices,) whether the household had bought nothing in the category.
    """

    choices: Choices
    shared: Floats
    popular: Floats
    product: Ints
    category: Ints
    pair: Ints
    new: Truths

    def take(self, which: Truths) -> Scored:
        """The choices of a mask."""
        rows = which[self.choices.choice]
        return Scored(
            choices=self.choices.take(which),
            shared=self.shared[rows],
            popular=self.popular[rows],
            product=self.product[rows],
            category=self.category[which],
            pair=self.pair[which],
            new=self.new[which],
        )

    def taste(self, mean: Floats, hidden: Floats | None = None) -> Floats:
        """(rows,) what alternatives are worth to the household.

        Args:
            mean: (people, columns) tastes.
            hidden: (pairs, columns) those of the evidence's pairs without the category itself.
        """
        own = mean[self.choices.person]
        if hidden is not None:
            own = np.where((self.pair >= 0)[:, None], hidden[self.pair], own)
        return np.asarray(np.einsum("rc,rc->r", self.shared, own[self.choices.choice]))


def read_categories(folder: Path, until: int, limit: int | None = None) -> list[Category]:
    """The choice sets up to a week, in kgrank's columns; a household is its number."""
    about = folder / "about.json"
    if not about.is_file():
        raise InputError("no choice sets", where=str(folder), expected="about.json and NNN.npz")
    described = json.loads(about.read_text(encoding="utf-8"))
    categories = described["categories"][:limit]
    return [
        _category(entry["name"], described["columns"], _up_to(until, folder / f"{k:03d}.npz"))
        for k, entry in enumerate(categories)
    ]


def _up_to(week: int, path: Path) -> dict[str, Any]:
    """The arrays of a file, those of choices only of the weeks up to one."""
    arrays = dict(np.load(path, allow_pickle=True))
    inside = arrays["week"] <= week
    of_choices = ("X", "valid", "alt", "household", "week")
    return arrays | {name: arrays[name][inside] for name in of_choices}


def _category(name: str, columns: Sequence[str], arrays: Mapping[str, Any]) -> Category:
    valid, alternative = arrays["valid"], arrays["alt"].astype(np.int64)
    choice, place = np.nonzero(valid)
    item = alternative[choice, place]
    x = arrays["X"][choice, place].astype(float)
    column = {c: x[:, k] for k, c in enumerate(columns)}
    blocks: list[Block] = []
    raws: list[sparse.csr_matrix] = []
    for number in NUMBERS:
        known = column["size_missing"] == 0 if number == "size" else np.ones(len(x), bool)
        blocks, raws = _with_number(blocks, raws, number, column[number], known)
    for flag in FLAGS:
        of_row = (column[flag] > 0).astype(np.int64)
        blocks, raws = _with_values(blocks, raws, flag, AttributeType.BOOLEAN, ("false", "true"), of_row)
    for attribute, label in (("brand", "maker"), ("kind", "kind")):
        names, of_item = np.unique(arrays[label].astype(str), return_inverse=True)
        blocks, raws = _with_values(
            blocks, raws, attribute, AttributeType.CHOICE, names.tolist(), of_item[item]
        )
    layout = Layout(name, tuple(blocks))
    marks = sparse.hstack([_known(raw, block) for raw, block in zip(raws, blocks, strict=True)], "csr")
    count = len(valid)
    choices = Choices(
        raw=sparse.csr_matrix(sparse.hstack([*raws, marks], "csr")),
        centring=layout.centring,
        start=np.concatenate([[0], np.cumsum(valid.sum(1))]).astype(np.int64),
        chosen=(place == 0).astype(float),
        outside=np.zeros(count, bool),
        left=np.zeros(count),
        person=arrays["household"].astype(np.int64),
        time=arrays["week"].astype(np.int64),
        offset=np.zeros(len(x)),
    )
    design = Design(layout, (), sparse.csr_matrix((0, choices.raw.shape[1])))
    as_read = CategoryChoices(
        design, choices, (), np.full(len(x), -1), np.arange(count), np.zeros(count, np.int64),
        np.zeros(count, bool),
    )  # fmt: skip
    return Category(name, as_read, choices.time, arrays["pid"][item].astype(np.int64))


def _with_number(
    blocks: list[Block], raws: list[sparse.csr_matrix], name: str, numbers: Floats, known: Truths
) -> tuple[list[Block], list[sparse.csr_matrix]]:
    if not known.any():
        return blocks, raws
    low, high = np.percentile(numbers[known], [LOW, HIGH]).tolist()
    block = Block(
        attribute=name,
        type=AttributeType.NUMBER,
        start=_stop(blocks),
        nodes=(value_id(name, NUMBER),),
        share=np.zeros(1),
        item_count=np.array([known.sum()]),
        reference=np.ones(1, bool),
        scale=(high - low) / 3.29 or float(numbers[known].std()) or 1.0,
        p05=low,
        p95=high,
        minimum=float(numbers[known].min()),
        maximum=float(numbers[known].max()),
    )
    least, most = block.bounds
    known = known & (numbers >= least) & (numbers <= most)
    centre, scale = float(numbers[known].mean()), block.scale
    block = replace(block, centre=centre)
    column = sparse.csr_matrix(np.where(known, (numbers - centre) / scale, 0.0)[:, None])
    return [*blocks, block], [*raws, column]


def _with_values(
    blocks: list[Block],
    raws: list[sparse.csr_matrix],
    attribute: str,
    kind: AttributeType,
    names: Sequence[str],
    of_row: Ints,
) -> tuple[list[Block], list[sparse.csr_matrix]]:
    """With the commonest values of an attribute; ``of_row`` numbers the value of each alternative."""
    count = np.bincount(of_row, minlength=len(names))
    common = [int(k) for k in np.argsort(-count, kind="stable")[:VALUES] if names[k] and count[k]]
    if not common:
        return blocks, raws
    column = np.full(len(names), -1)
    column[common] = np.arange(len(common))
    rows = np.flatnonzero(column[of_row] >= 0)
    shape = (len(of_row), len(common))
    columns = sparse.csr_matrix((np.ones(len(rows)), (rows, column[of_row[rows]])), shape=shape)
    block = Block(
        attribute, kind, _stop(blocks), tuple(value_id(attribute, names[k]) for k in common),
        count[common] / count[common].sum(), count[common], np.ones(len(common), bool),
    )  # fmt: skip
    return [*blocks, block], [*raws, columns]


def _stop(blocks: Sequence[Block]) -> int:
    return blocks[-1].stop if blocks else 0


def _known(raw: sparse.csr_matrix, block: Block) -> sparse.csr_matrix:
    """(rows, 1) the mark of a known value; a number needs none."""
    return sparse.csr_matrix(raw.sum(1)) * (0.0 if block.number else 1.0)


def purchases(names: Sequence[str]) -> pl.DataFrame:
    """Every purchase in the categories: household, week, product, category (its number)."""
    tables = read_tables()
    number = pl.DataFrame({"product_category": names, "category": np.arange(len(names))})
    products = tables.products.select("product_id", "product_category")
    bought = tables.transactions.select("household_id", "product_id", "week")
    return bought.join(products.join(number, on="product_category"), on="product_id").select(
        "week", "category", household=pl.col("household_id"), product=pl.col("product_id")
    )


def popularity(bought: pl.DataFrame, product: Ints) -> Floats:
    """(rows, 3) of each product: log(1 + purchases), whether rare, log(1 + households) where it is rare."""
    counts = bought.group_by("product").agg(n=pl.len(), households=pl.col("household").n_unique())
    rows = pl.DataFrame({"product": product}).join(
        counts, on="product", how="left", maintain_order="left"
    ).fill_null(0)  # fmt: skip
    often, households = rows["n"].to_numpy().astype(float), rows["households"].to_numpy().astype(float)
    rare = often < RARE
    return np.column_stack(
        [np.where(rare, 0, np.log1p(often)), rare, np.where(rare, np.log1p(households), 0)]
    )


@dataclass(frozen=True)
class Learned:
    """A cut's part-worths, and what everyone's choices say of their tastes.

    Attributes:
        part_worths: (columns,) by category.
        tastes: The evidence; its people are ``households``, its categories those of ``part_worths`` in order.
        households: (people,) numbers of the households.
    """

    part_worths: Mapping[str, Floats]
    tastes: SharedEvidence
    households: Ints


def learn(categories: Sequence[Category], until: int) -> Learned:
    """Everything from the choices up to a week."""
    households = np.unique(np.concatenate([c.choices.choices.person for c in categories]))
    sets = {}
    for category in categories:
        part = category.choices.take(category.week <= until)
        if len(part.choices):
            person = np.searchsorted(households, part.choices.person)
            sets[category.name] = replace(part, choices=replace(part.choices, person=person))
    fits = fit_categories(sets, {name: np.zeros(s.design.layout.width) for name, s in sets.items()}).fits
    tastes = shared_evidence(sets, fits, len(households))
    assert tastes is not None
    return Learned({name: fits[name].part_worths for name in sets}, tastes, households)


def to_score(
    categories: Sequence[Category], learned: Learned, bought: pl.DataFrame, since: int, until: int, known: int
) -> Scored:
    """The choices of weeks ``since < week <= until``; purchases are counted up to week ``known``."""
    people = pl.Series(learned.households).implode()
    before = bought.filter((pl.col("week") <= since) & pl.col("household").is_in(people))
    before = before.select("household", "category").unique()
    counted = bought.filter(pl.col("week") <= known)
    names = list(learned.part_worths)
    of_name = {c.name: number for number, c in enumerate(categories)}
    evidence, layout_columns = learned.tastes.evidence, (learned.tastes.columns, learned.tastes.scales)
    order = {
        (person, of_name[names[number]]): k
        for k, (person, number) in enumerate(
            zip(evidence.person.tolist(), evidence.category.tolist(), strict=True)
        )
    }
    parts, shared, products, numbers = [], [], [], []
    for number, category in enumerate(categories):
        inside = (category.week > since) & (category.week <= until)
        if category.name not in learned.part_worths or not inside.any():
            continue
        choices = category.choices.choices.take(inside)
        layout = category.choices.design.layout
        shared.append(choices.raw @ (choices.centring @ column_map(layout, (), *layout_columns)))
        products.append(category.product[inside[category.choices.choices.choice]])
        parts.append(choices.without_columns(choices.utility(learned.part_worths[category.name])))
        numbers.append(np.full(len(choices), number))
    choices = concatenated(parts)
    choices = replace(choices, person=np.searchsorted(learned.households, choices.person))
    of = np.concatenate(numbers)
    pair = [order.get(key, -1) for key in zip(choices.person.tolist(), of.tolist(), strict=True)]
    seen = set(zip(np.searchsorted(learned.households, before["household"].to_numpy()).tolist(),
                   before["category"].to_list(), strict=True))  # fmt: skip
    new = [key not in seen for key in zip(choices.person.tolist(), of.tolist(), strict=True)]
    product = np.concatenate(products)
    return Scored(
        choices=choices,
        shared=np.concatenate(shared),
        popular=popularity(counted, product),
        product=product,
        category=of,
        pair=np.array(pair),
        new=np.array(new),
    )
