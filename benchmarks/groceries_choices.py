"""The choice sets of the groceries as kgrank's designs and choices, and their folds of categories."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from benchmarks.groceries_cuts import Cut
from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.data.design import Block, Design, Layout
from kgrank.choice.data.responses import KINDS
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.likelihood import Choices
from kgrank.errors import InputError
from kgrank.ontology.model import AttributeType

SEED = 0
"""Of the folds and of the draw of own choices."""

FOLDS, SIBLING_CLUSTERS = 5, 60

COMMONEST = {"maker": (12, 2), "type": (12, 3)}
"""Values with a column at most, and the items that each needs."""

UNKNOWN = ""
"""The maker of a private label: the retailer, who says nothing of a brand; and a type that is not given."""


@dataclass(frozen=True)
class GroceryCategory:
    """A category's choice sets.

    Attributes:
        name: Its name.
        department: The department that it is in.
        sets: All choices, in columns of attributes (``attributes`` of them), makers and types.
        attributes: Number of the columns that all categories share.
        week: (choices,).
        row: (choices,) place in the file, which the draw of own choices refers to.
        learned, chosen, scored: (choices,) what each is used for.
    """

    name: str
    department: str
    sets: CategoryChoices
    attributes: int
    week: Ints
    row: Ints
    learned: Truths
    chosen: Truths
    scored: Truths


def read_categories(folder: Path, cut: Cut, only: Sequence[int] | None = None) -> list[GroceryCategory]:
    """The categories of a folder of choice sets (``about.json`` and one ``npz`` a category)."""
    path = folder / "about.json"
    if not path.is_file():
        raise InputError("is missing", where=path, expected="choice sets", todo="build them first")
    about = json.loads(path.read_text(encoding="utf-8"))
    numbers = range(len(about["categories"])) if only is None else only
    return [_category(folder, i, about["categories"][i], about["columns"], cut) for i in numbers]


def folds(alike: Floats) -> dict[str, Ints]:
    """Folds of categories, at random and by clusters of their names, so that siblings go together.

    Args:
        alike: (categories, categories) cosines of their names.
    """
    generator = np.random.default_rng(SEED)
    random = np.empty(len(alike), np.int64)
    random[generator.permutation(len(alike))] = np.arange(len(alike)) % FOLDS
    distance = np.maximum(1.0 - alike, 0.0)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform((distance + distance.T) / 2), "average")
    cluster = fcluster(tree, SIBLING_CLUSTERS, "maxclust")
    clusters, sizes = np.unique(cluster, return_counts=True)
    load, together = np.zeros(FOLDS), np.empty(len(alike), np.int64)
    for number in clusters[np.argsort(-sizes, kind="stable")]:
        fold = int(np.argmin(load))
        together[cluster == number] = fold
        load[fold] += (cluster == number).sum()
    return {"siblings known": random, "siblings removed": together}


def _category(
    folder: Path, number: int, about: Mapping[str, object], columns: Sequence[str], cut: Cut
) -> GroceryCategory:
    with np.load(folder / f"{number:03d}.npz", allow_pickle=True) as file:
        data = {key: file[key] for key in file.files}
    week, valid, alternatives = data["week"].astype(np.int64), data["valid"], data["alt"].astype(np.int64)

    def within(span: tuple[int, int]) -> Truths:
        return np.asarray((week >= span[0]) & (week <= span[1]))

    learned = within(cut.learned)
    offered = learned[:, None] & valid
    offered[:, 0] = False
    private = data["items"][:, 3] > 0
    labels = {
        "maker": np.where(private, UNKNOWN, data["maker"].astype(str)),
        "type": data["kind"].astype(str),
    }
    on_offer = np.zeros(len(private), bool)
    on_offer[alternatives[offered]] = True
    blocks = [_number(column, k) for k, column in enumerate(columns)]
    value_of_item = []
    for attribute, (most, least) in COMMONEST.items():
        block, place = _values(attribute, labels[attribute], on_offer, blocks[-1].stop, most, least)
        if block is not None:
            blocks.append(block)
            value_of_item.append(place)
    layout = Layout(str(about["name"]), tuple(blocks))
    choice, place_in_set = np.nonzero(valid)
    item = alternatives[choice, place_in_set]
    numbers = data["X"][choice, place_in_set].astype(float)
    raw = _raw(numbers, item, value_of_item, layout)
    size = valid.sum(1)
    start = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    chosen = np.zeros(len(item))
    chosen[start[:-1]] = 1.0
    choices = Choices(
        raw=raw,
        centring=layout.centring,
        start=start,
        chosen=chosen,
        outside=np.zeros(len(week), bool),
        left=np.zeros(len(week)),
        person=data["household"].astype(np.int64),
        time=week,
        offset=np.zeros(len(item)),
    )
    design = _design(layout, numbers, item, offered[choice, place_in_set], value_of_item)
    sets = CategoryChoices(
        design=design,
        choices=choices,
        nuisance=(),
        item_row=np.full(len(item), -1, np.int64),
        number=np.arange(len(week)),
        kind=np.full(len(week), KINDS.index("purchase"), np.int64),
        sampled=np.ones(len(week), bool),
    )
    return GroceryCategory(
        name=str(about["name"]),
        department=str(about["department"]),
        sets=sets,
        attributes=len(columns),
        week=week,
        row=np.arange(len(week)),
        learned=learned,
        chosen=within(cut.weights),
        scored=within(cut.scored),
    )


def _number(attribute: str, column: int) -> Block:
    return Block(
        attribute=attribute,
        type=AttributeType.NUMBER,
        start=column,
        nodes=(f"{attribute}=*",),
        share=np.zeros(1),
        item_count=np.ones(1, np.int64),
        reference=np.ones(1, bool),
    )


def _values(
    attribute: str, label: npt.NDArray[np.str_], on_offer: Truths, start: int, most: int, least: int
) -> tuple[Block | None, Ints]:
    """The commonest values, measured from all other items; (items,) the column of each, -1 for none."""
    names, counts = np.unique(label[on_offer & (label != UNKNOWN)], return_counts=True)
    order = [k for k in np.lexsort((names, -counts))[:most] if counts[k] >= least]
    column = {str(names[k]): start + rank for rank, k in enumerate(order)}
    place = np.array([column.get(str(x), -1) for x in label], dtype=np.int64)
    if not order or (attribute == "type" and len(names) < 2):
        return None, place
    block = Block(
        attribute=attribute,
        type=AttributeType.CHOICE,
        start=start,
        nodes=tuple(f"{attribute}={name}" for name in column),
        share=np.zeros(len(order)),
        item_count=counts[order].astype(np.int64),
        reference=np.ones(len(order), bool),
    )
    return block, place


def _raw(numbers: Floats, item: Ints, value_of_item: Sequence[Ints], layout: Layout) -> sparse.csr_matrix:
    """(rows, columns + attributes): the attributes of each row, then the values of its item."""
    rows, columns = np.nonzero(numbers)
    parts = [(rows, columns, numbers[rows, columns])]
    for place in value_of_item:
        column = place[item]
        has = np.flatnonzero(column >= 0)
        parts.append((has, column[has], np.ones(len(has))))
    row, column, data = (np.concatenate(part) for part in zip(*parts, strict=True))
    return sparse.csr_matrix((data, (row, column)), shape=(len(item), layout.width + len(layout.blocks)))


def _design(
    layout: Layout, numbers: Floats, item: Ints, offered: Truths, value_of_item: Sequence[Ints]
) -> Design:
    """Each item as it was offered on average, not counting where it was taken."""
    items, place = np.unique(item[offered], return_inverse=True)
    mean = np.zeros((len(items), numbers.shape[1]))
    np.add.at(mean, place, numbers[offered])
    mean /= np.bincount(place, minlength=len(items))[:, None]
    return Design(layout, tuple(str(i) for i in items), _raw(mean, items, value_of_item, layout))
