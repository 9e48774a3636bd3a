"""Recommenders that stand beside kgrank in ``recommend.py``: each from the learning part to a score."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy import linalg, sparse

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.behaviour.counts import Counts
from kgrank.choice.behaviour.examples_from_catalogue import retrieve
from kgrank.choice.behaviour.groupings import Grouping
from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.choice.behaviour.terms import Values, term_values

Score = Callable[[EventSequences], Floats]

CANDIDATES = 80
"""By each retrieving term, the candidates of lambdarank: some 200 in all."""

EASE_ITEMS = 15_000
"""EASE inverts a matrix of items by items: with more it does not fit into 4 GB, and is left out."""


def popularity(train: EventSequences) -> Score:
    """How often each item stands in the learning part."""
    count = np.bincount(train.item, minlength=train.item_count).astype(float)
    return lambda people: np.tile(count, (len(people), 1))


def item_knn(train: EventSequences) -> Score:
    """Cosine of items by the people they share, summed over the history."""
    seen = train.seen()
    size = np.maximum(np.asarray(seen.sum(0)).ravel(), 1.0)
    unit = seen @ sparse.diags(size**-0.5)
    cosine = sparse.csr_matrix(unit.T @ unit)
    cosine.setdiag(0.0)
    return lambda people: np.asarray((people.seen() @ cosine).toarray())


def als(train: EventSequences, seed: int) -> Score:
    """The implicit package's alternating least squares; a person is folded in by history.

    The numbers are the best of seven sets for the validation items of Amazon Beauty.
    """
    from implicit.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(256, regularization=20.0, alpha=10.0, iterations=15, random_state=seed)
    model.fit(sparse.csr_matrix(train.seen(), dtype=np.float32), show_progress=False)

    def score(people: EventSequences) -> Floats:
        history = sparse.csr_matrix(people.seen(), dtype=np.float32)
        users = model.recalculate_user(np.arange(len(people)), history)
        return np.asarray(users @ model.item_factors.T)

    return score


def ease(train: EventSequences, ridge: float = 250.0) -> Score:
    """EASE (Steck 2019): the closed-form linear autoencoder with a zero diagonal."""
    gram = np.asarray((train.seen().T @ train.seen()).toarray(), np.float32)
    gram[np.diag_indices(train.item_count)] += ridge
    factor = linalg.cho_factor(gram, overwrite_a=True, check_finite=False)
    inverse = linalg.cho_solve(factor, np.eye(train.item_count, dtype=np.float32), overwrite_b=True)
    inverse /= -np.diag(inverse).copy()
    inverse[np.diag_indices(train.item_count)] = 0.0
    return lambda people: np.asarray(people.seen().astype(np.float32) @ inverse)


def sasrec(train: EventSequences, before: EventSequences, python: str, epochs: int, seed: int) -> Score:
    """SASRec by RecTools (``sasrec.py``) with another Python: its first ten items, asked for once, in order."""
    program = Path(__file__).with_name("sasrec.py")
    with TemporaryDirectory() as folder:
        given, found = Path(folder) / "given.npz", Path(folder) / "found.npy"
        np.savez(given, train_item=train.item, train_start=train.start, item=before.item, start=before.start)
        command = [python, str(program), str(given), str(found), "--epochs", str(epochs), "--seed", str(seed)]
        surroundings = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        subprocess.run(command, check=True, env=surroundings, stdout=subprocess.DEVNULL)
        first = np.load(found)
    done = 0

    def score(people: EventSequences) -> Floats:
        nonlocal done
        rows = first[done : done + len(people)]
        done += len(people)
        scores = np.full((len(people), people.item_count), -1.0)
        person, place = np.nonzero(rows >= 0)
        scores[person, rows[person, place]] = rows.shape[1] - place
        return scores

    return score


def lambdarank(
    train: EventSequences, history: EventSequences, target: Ints, groups: tuple[Grouping, ...], seed: int
) -> Score:
    """LightGBM's lambdarank over the same terms: the non-additive ceiling.

    Learned on the validation items, over the nearest candidates.
    """
    import lightgbm

    counts = Counts.of(train, groups)
    values, labels, sizes = [], [], []
    for first in range(0, len(history), 256):
        which = np.arange(first, min(first + 256, len(history)))
        some = history.take(which)
        found, near = _near(counts, some)
        rows, items = np.nonzero(near)
        hit = (items == target[which][rows]).astype(np.int8)
        kept = np.isin(rows, rows[hit > 0])
        values.append(
            np.column_stack([a.of(rows[kept], items[kept]) for a in found.values()]).astype(np.float32)
        )
        labels.append(hit[kept])
        sizes.append(np.unique(rows[kept], return_counts=True)[1])
    data = lightgbm.Dataset(np.concatenate(values), np.concatenate(labels), group=np.concatenate(sizes))
    model = lightgbm.train(
        {
            "objective": "lambdarank",
            "learning_rate": 0.05,
            "num_leaves": 31,
            "min_data_in_leaf": 100,
            "lambdarank_truncation_level": 20,
            "seed": seed,
            "verbose": -1,
            "num_threads": 2,
        },
        data,
        200,
    )

    def score(people: EventSequences) -> Floats:
        found, near = _near(counts, people)
        rows, items = np.nonzero(near)
        scores = np.full(near.shape, -1e6)
        scores[rows, items] = model.predict(np.column_stack([a.of(rows, items) for a in found.values()]))
        return scores

    return score


def _near(counts: Counts, people: EventSequences) -> tuple[dict[str, Values], Truths]:
    """The amounts of all terms, and the candidates (people, items), retrieved as kgrank's own."""
    found = term_values(counts, people.histories())
    seen = people.seen().toarray() > 0
    return found, retrieve(found, counts.statistics.groupings, seen, CANDIDATES)
