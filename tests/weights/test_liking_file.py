"""The liking of items comes back from its file and from a store as it was, or is refused by name."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from drawn import likings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_artefact import forged, weights
from test_tables import prepared

from kgrank.errors import WeightsError
from kgrank.graph.store import GraphStore
from kgrank.weights.graph_filter import GraphFilter, PersonVector, Relation
from kgrank.weights.liking import LikingWeights
from kgrank.weights.liking_file import (
    liking_document,
    liking_of,
    read_liking,
    served_liking,
    write_liking,
)
from kgrank.weights.tables import served_weights, weights_to_tables


def liking(version: str = "v1") -> LikingWeights:
    """Three items of two makers."""
    return LikingWeights(
        version=version,
        items=("i1", "i2", "i3"),
        filter=GraphFilter(
            np.array([4, 9, 0]),
            np.array([0.5, 0.25, 0.0]),
            np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]]),
            np.array([0.5, -0.5]),
            (
                Relation(
                    "item", np.arange(3), np.array([[1.0, 2.0], [0.5, 0.0], [0.0, 0.0]]), np.array([4, 9, 0])
                ),
                Relation("maker", np.array([0, 0, -1]), np.array([[3.0]]), np.array([11])),
            ),
        ),
        popularity=0.5,
        few_buyers=-1.0,
    )


def same(a: LikingWeights, b: LikingWeights) -> bool:
    """Whether two likings are equal in every number."""
    left, right = parts(a), parts(b)
    return left[0] == right[0] and all(
        x.dtype == y.dtype and np.array_equal(x, y) for x, y in zip(left[1], right[1], strict=True)
    )


def parts(of: LikingWeights) -> tuple[LikingWeights, list[np.ndarray]]:
    """Everything but the arrays, and the arrays."""
    learned = of.filter
    arrays = [learned.people, learned.strength, learned.vectors, learned.mean]
    names = tuple(r.name for r in learned.relations)
    for r in learned.relations:
        arrays += [r.group, r.vectors, r.people]
    plain = replace(of, filter=GraphFilter(*(None,) * 4, names))  # type: ignore[arg-type]
    return plain, arrays


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(likings())
def test_a_liking_comes_back_from_its_file_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, drawn: LikingWeights
) -> None:
    path = tmp_path_factory.mktemp("w") / "weights.json"
    write_liking(path, drawn)
    found = read_liking(path, weights())
    assert found is not None
    assert same(found, drawn)
    assert liking_document(found) == liking_document(drawn)


@given(likings(), st.data())
def test_without_unknown_items_and_vectors_of_zeros_every_score_is_as_it_was(
    drawn: LikingWeights, data: st.DataObject
) -> None:
    known = drawn.of_known_items()
    width = len(drawn.filter.mean)
    vector = np.array(data.draw(st.lists(st.floats(-1, 1), min_size=width, max_size=width)))
    nothing = np.zeros(0, np.int64)
    person = PersonVector(vector, nothing, np.zeros(0), vector)
    assert set(known.items) <= set(drawn.items)
    number = {item: k for k, item in enumerate(drawn.items)}
    rows = np.array([number[item] for item in known.items], np.int64)
    before = drawn.filter.scores(person, rows)
    np.testing.assert_allclose(known.filter.scores(person, np.arange(len(rows))), before)
    left = np.setdiff1d(np.arange(len(drawn.items)), rows)
    assert not drawn.filter.scores(person, left).any()
    assert not drawn.filter.people[left].any()


def test_numbers_are_kept_in_32_bits() -> None:
    third = replace(liking(), filter=replace(liking().filter, mean=np.array([1 / 3, 0.0])))
    read = liking_of(liking_document(third)).filter.mean
    assert read.dtype == np.float64
    assert read[0] == np.float32(1 / 3)


def test_the_file_is_its_owners_alone_and_says_what_it_holds(tmp_path: Path) -> None:
    write_liking(tmp_path / "weights.json", liking())
    path = tmp_path / "network.json"
    assert path.stat().st_mode & 0o077 == 0
    assert "readable by its owner alone" in path.read_text()


def test_weights_of_another_name_have_a_file_of_their_own(tmp_path: Path) -> None:
    write_liking(tmp_path / "weights.json", liking())
    write_liking(tmp_path / "carried.json", liking("v2"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["carried.network.json", "network.json"]
    found = read_liking(tmp_path / "carried.json", replace(weights(), version="v2"))
    assert found is not None
    assert found.version == "v2"


def test_a_run_without_a_network_leaves_none_of_an_earlier_run(tmp_path: Path) -> None:
    write_liking(tmp_path / "weights.json", liking())
    write_liking(tmp_path / "weights.json", None)
    assert read_liking(tmp_path / "weights.json", weights()) is None
    write_liking(tmp_path / "weights.json", None)


@pytest.mark.parametrize("share_kept", [0.0, 0.3, 0.7, 0.99])
def test_a_file_that_was_cut_off_is_refused_by_name(tmp_path: Path, share_kept: float) -> None:
    write_liking(tmp_path / "weights.json", liking())
    path = tmp_path / "network.json"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share_kept)])
    with pytest.raises(WeightsError, match=r"network\.json: the file is cut off"):
        read_liking(tmp_path / "weights.json", weights())


def test_an_edited_file_and_one_of_other_weights_are_refused(tmp_path: Path) -> None:
    write_liking(tmp_path / "weights.json", liking())
    with pytest.raises(WeightsError, match="the network belongs to weights v1; expected that of v2"):
        read_liking(tmp_path / "weights.json", replace(weights(), version="v2"))
    path = tmp_path / "network.json"
    path.write_text(path.read_text().replace('"popularity": 0.5', '"popularity": 9.5'))
    with pytest.raises(WeightsError, match=r"network\.json: was edited or damaged"):
        read_liking(tmp_path / "weights.json", weights())


def packed(*numbers: float) -> str:
    """Numbers as the document has them."""
    return base64.b64encode(np.array(numbers, "<f4").tobytes()).decode()


MEAN = packed(0.5, -0.5)
WHOLE = base64.b64encode(np.array([4, 9, 0], "<i8").tobytes()).decode()
BELOW = base64.b64encode(np.array([4, -9, 0], "<i8").tobytes()).decode()
GROUPS = base64.b64encode(np.array([0, 0, -1], "<i8").tobytes()).decode()
OTHER_GROUPS = base64.b64encode(np.array([0, 1, -1], "<i8").tobytes()).decode()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"format": 1', '"format": 2'), "has format 2; expected format 1"),
        ((MEAN, packed(0.5, float("nan"))), r"a number is NaN or infinite at filter\.mean"),
        ((MEAN, packed(float("inf"), 0.5)), r"a number is NaN or infinite at filter\.mean"),
        ((MEAN, MEAN[:-4]), r"the bytes of an array are not its numbers .* at filter\.mean"),
        ((MEAN, "*" + MEAN[1:]), r"the bytes of an array are not its numbers .* at filter\.mean"),
        (('"shape": [3, 2]', '"shape": [2, 3]'), r"2 × 3 numbers where 3 × 2 is expected at filter\.vectors"),
        (('"shape": [3]', '"shape": [-3]'), r"where 3 is expected at filter\.people"),
        (
            ('"type": "float32"', '"type": "float64"'),
            r"'float64' where float32 is expected at filter\.strength",
        ),
        (('"items": [\n    "i1"', '"items": [\n    "i2"'), "an item is there twice at items"),
        (('"name": "maker"', '"name": "item"'), r"a relation is there twice at filter\.relations"),
        ((WHOLE, BELOW), r"a number of people is below 0 at filter\.people"),
        ((GROUPS, OTHER_GROUPS), r"a group that is not one of 1 at filter\.relations\[1\]\.group"),
        (('"popularity": 0.5', '"popularity": NaN'), "nan is not a finite number at popularity"),
        (('"popularity": 0.5', '"popular": 0.5'), "unknown field 'popular'"),
        (('"version": "v1"', '"version": 1'), "1 where a text is expected at version"),
    ],
)
def test_a_document_that_breaks_the_format_is_refused_and_the_place_is_named(
    change: tuple[str, str], message: str
) -> None:
    with pytest.raises(WeightsError, match=message):
        liking_of(forged(liking_document(liking()), change))


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_numbers_that_cannot_be_kept_are_never_written(tmp_path: Path, bad: float) -> None:
    learned = liking().filter
    broken = replace(liking(), filter=replace(learned, vectors=np.full_like(learned.vectors, bad)))
    with pytest.raises(WeightsError, match=r"network\.json: a number is NaN or infinite at filter\.vectors"):
        write_liking(tmp_path / "weights.json", broken)
    assert not list(tmp_path.iterdir())


def test_a_store_gives_back_the_liking_of_the_version_and_versions_without_one_serve_as_before(
    store: GraphStore,
) -> None:
    prepared(store).replace_version("v1", *weights_to_tables(weights(), liking=liking()))
    found = served_liking(store, served_weights(store))
    assert found is not None
    assert same(found, liking())
    later = replace(weights(), version="v2")
    store.replace_version("v2", *weights_to_tables(later))
    assert served_weights(store) == later
    assert served_liking(store, later) is None
    assert served_liking(store, weights()) is not None
    store.delete_version("v1")
    assert served_liking(store, weights()) is None


def test_a_liking_that_was_edited_in_the_store_is_refused(store: GraphStore) -> None:
    prepared(store).replace_version("v1", *weights_to_tables(weights(), liking=liking()))
    table = store.nodes("Weights").with_columns(
        pl.col("network").str.replace('"popularity": 0.5', '"popularity": 9.5')
    )
    store.upsert_nodes("Weights", table)
    with pytest.raises(WeightsError, match="network of weights v1: was edited or damaged"):
        served_liking(store, weights())


def test_other_numbers_of_people_change_what_a_purchase_weighs_and_no_vector() -> None:
    before = liking()
    later = before.with_people(np.array([16, 9, 7]), {"item": np.array([16, 9, 7]), "maker": np.array([20])})
    np.testing.assert_allclose(later.filter.strength, [0.25, 0.25, 0.0])
    assert later.filter.vectors is before.filter.vectors
    assert replace(later, filter=before.filter) == before
    assert later.filter.relations[1].people.tolist() == [20]
