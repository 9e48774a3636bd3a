from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from drawn import learned_weights
from hypothesis import HealthCheck, given, settings
from polars.testing import assert_frame_equal

from kgrank.errors import WeightsError
from kgrank.weights.artefact import (
    TRANSITION_COLUMNS,
    document,
    read_transitions,
    read_weights,
    seal,
    weights_of,
    write_transitions,
    write_weights,
)
from kgrank.weights.model import AttributeWeight, CategoryWeights, LearnedWeights, Segment, Utility
from kgrank.weights.posteriors import posteriors_of


def weights(*, categories: int = 1, share: float = 0.5, utility: float = 1.0) -> LearnedWeights:
    def one(category: str) -> CategoryWeights:
        return CategoryWeights(
            category=category,
            attributes=tuple(
                AttributeWeight(
                    attribute=a,
                    share=share,
                    lower=0.1,
                    upper=0.9,
                    spread=1.0,
                    reference="5th to 95th percentile",
                    full=share,
                )
                for a in ("color", "price")
            ),
            utilities=(Utility("color=red", (Segment(-1e15, 1e15, utility, 0.0),), 0.1),),
            strength=2.0,
            choice_count=10,
            person_count=5,
            source="choices",
        )

    ids = [f"c{k}" for k in range(categories)]
    return LearnedWeights(
        version="v1",
        created="2026-01-01",
        code="0.1.0",
        ontology="o" * 16,
        graph="g" * 16,
        categories={c: one(c) for c in ids},
    )


def forged(text: str, *changes: tuple[str, str]) -> str:
    """A document changed by someone who also mends the checksum."""
    import hashlib

    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    head, _, content = text.rstrip().partition(",")
    right = hashlib.sha256(content.encode()).hexdigest()
    return f'{head[: head.rindex(":")]}: "{right}",{content}\n'


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(learned_weights())
def test_weights_come_back_from_the_file_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, drawn: LearnedWeights
) -> None:
    path = tmp_path_factory.mktemp("w") / "weights.json"
    write_weights(path, drawn)
    assert read_weights(path) == drawn


def test_equal_weights_give_equal_files(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        write_weights(tmp_path / name, weights(categories=3))
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_an_attribute_takes_one_line_of_the_file(tmp_path: Path) -> None:
    write_weights(tmp_path / "weights.json", weights())
    lines = (tmp_path / "weights.json").read_text(encoding="utf-8").splitlines()
    assert sum('"attribute": "color"' in line and '"full": 0.5' in line for line in lines) == 1


def test_windows_line_breaks_do_not_count_as_an_edit(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    write_weights(path, weights())
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_weights(path) == weights()


@pytest.mark.parametrize("share_kept", [0.0, 0.3, 0.7, 0.99])
def test_a_truncated_file_is_refused_by_name(tmp_path: Path, share_kept: float) -> None:
    path = tmp_path / "weights.json"
    write_weights(path, weights())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share_kept)])
    with pytest.raises(WeightsError, match=r"weights\.json: the file is cut off"):
        read_weights(path)


def test_an_edited_number_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    write_weights(path, weights())
    path.write_text(path.read_text().replace('"strength": 2.0', '"strength": 3.0'))
    with pytest.raises(WeightsError, match=r"weights\.json: was edited or damaged"):
        read_weights(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"format": 2', '"format": 3'), r"has format 3; expected format 2"),
        (('"strength": 2.0', '"strength": NaN'), r"nan is not a finite number at categories\.c0\.strength"),
        (('"strength": 2.0', '"strength": 1e999'), r"inf is not a finite number at categories\.c0\.strength"),
        (('"strength": 2.0', '"strenght": 2.0'), r"unknown field 'strenght' at categories\.c0"),
        (('"strength": 2.0, ', ""), r"the field 'strength' is missing at categories\.c0"),
        (
            ('"strength": 2.0', '"strength": "2"'),
            r"'2' where a number is expected at categories\.c0\.strength",
        ),
        (('"choice_count": 10', '"choice_count": 10.5'), r"10\.5 where a whole number is expected"),
        (('"choice_count": 10', '"choice_count": true'), "True where a whole number is expected"),
        (('"version": "v1"', '"version": null'), "None where a text is expected at version"),
        (('"share": 0.5', '"share": 0.4'), r"the shares add up to 0\.9, not to 1, at categories\.c0"),
        (
            ('"node": "color=red"', '"node": "size=s"'),
            "'size=s' has a utility, but its attribute has no weight",
        ),
        (
            ('"start": -1000000000000000.0', '"start": 2e15'),
            "segments of 'color=red' overlap or are out of order",
        ),
        (('"category": "c0"', '"category": "c1"'), "the category is called 'c1' at categories.c0"),
        (('"notes": []', '"notes": {}'), "{} where a list is expected at notes"),
    ],
)
def test_a_document_that_breaks_the_schema_is_refused_and_the_place_is_named(
    change: tuple[str, str], message: str
) -> None:
    text = document(weights()).replace('"strength": 2.0,\n      ', '"strength": 2.0, ')
    with pytest.raises(WeightsError, match=message):
        weights_of(forged(text, change))


@pytest.mark.parametrize("text", ["[]", "{}", '"weights"', "3", "not json}"])
def test_another_file_is_refused(text: str) -> None:
    with pytest.raises(WeightsError, match=r"is not (a weights file|JSON)"):
        weights_of(text, "some.json")


def test_a_missing_and_a_binary_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="there is no such file"):
        read_weights(tmp_path / "none.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WeightsError, match=r"bytes\.json: cannot be read"):
        read_weights(tmp_path / "bytes.json")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_nan_is_never_written_and_the_old_file_stays(tmp_path: Path, bad: float) -> None:
    path = tmp_path / "weights.json"
    write_weights(path, weights())
    with pytest.raises(WeightsError, match=r"not a finite number at categories\.c0\.utilities\[0\]"):
        write_weights(path, weights(utility=bad))
    assert read_weights(path) == weights()
    assert [p.name for p in tmp_path.iterdir()] == ["weights.json"]


def test_shares_that_do_not_add_up_are_never_written(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"add up to 0\.8, not to 1"):
        write_weights(tmp_path / "weights.json", weights(share=0.4))
    assert not list(tmp_path.iterdir())


def test_a_thousand_categories_of_ten_attributes_are_read_in_a_second(tmp_path: Path) -> None:
    category = weights().categories["c0"]
    attribute, utility = category.attributes[0], category.utilities[0]
    wide = replace(
        category,
        attributes=tuple(replace(attribute, attribute=f"a{k}", share=0.1) for k in range(10)),
        utilities=tuple(replace(utility, node=f"a{k}=v{v}") for k in range(10) for v in range(6)),
    )
    categories = {f"c{k}": replace(wide, category=f"c{k}") for k in range(1000)}
    write_weights(tmp_path / "weights.json", replace(weights(), categories=categories))
    started = time.process_time()
    read_weights(tmp_path / "weights.json")
    assert time.process_time() - started < 1.5  # 0.6 s on an idle machine


def test_transitions_come_back_from_the_file_beside_the_weights(tmp_path: Path) -> None:
    frame = pl.DataFrame({"source": ["a", "b"], "target": ["b", "a"], "weight": [0.5, 1 / 3]})
    write_transitions(tmp_path / "weights.json", frame)
    assert_frame_equal(read_transitions(tmp_path / "weights.json"), frame)


def test_weights_without_transitions_have_none(tmp_path: Path) -> None:
    assert read_transitions(tmp_path / "weights.json").schema == pl.Schema(TRANSITION_COLUMNS)


def test_damaged_transitions_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "transitions.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(WeightsError, match=r"transitions\.parquet: cannot be read"):
        read_transitions(tmp_path / "weights.json")


def test_a_transition_without_a_finite_weight_is_refused(tmp_path: Path) -> None:
    for bad in (float("nan"), None):
        frame = pl.DataFrame({"source": ["a"], "target": ["b"], "weight": [bad]})
        with pytest.raises(WeightsError, match="NaN or infinite"):
            write_transitions(tmp_path / "weights.json", frame)
    assert not list(tmp_path.iterdir())


def test_the_document_is_plain_json() -> None:
    body = json.loads(document(weights()))
    assert body["categories"]["c0"]["utilities"][0]["segments"][0]["intercept"] == 1.0


def test_a_category_in_which_nothing_differs_has_no_shares_to_add_up(tmp_path: Path) -> None:
    brand = AttributeWeight(
        attribute="brand", share=0.0, lower=0.0, upper=0.0, spread=0.0, reference="1 value", full=0.0
    )
    only = CategoryWeights(
        category="soap",
        attributes=(brand,),
        utilities=(),
        strength=0.0,
        choice_count=3,
        person_count=3,
        source="choices",
    )
    weights = LearnedWeights(
        version="v1", created="2026-10-01", code="0", ontology="o", graph="g", categories={"soap": only}
    )
    write_weights(tmp_path / "weights.json", weights)
    assert read_weights(tmp_path / "weights.json") == weights


def test_a_file_of_the_first_format_is_read_under_its_new_names() -> None:
    """``format-1.json`` was written by version 0.1."""
    read = read_weights(Path(__file__).with_name("format-1.json"))
    category, (finding,) = read.categories["c0"], read.findings
    assert (category.choice_count, category.person_count) == (10, 4)
    color = category.attributes[0]
    assert (color.share, color.lower, color.upper, color.without_rules) == (0.75, 0.6, 0.9, 0.8)
    assert category.utilities[0].segments == (Segment(-1e15, 1e15, 0.5, 0.0),)
    assert (finding.confidence, finding.prob_prior, finding.prob_data, finding.prob_posterior) == (
        0.9,
        0.5,
        0.01,
        0.02,
    )
    assert (finding.log_bayes_factor, finding.prob_rule_right) == (-4.5, 0.03)
    assert read.terms[0].flows[0].count == 2.5
    assert read.concerns[0].problem == "always first"


def test_posteriors_of_the_first_format_are_read_under_their_new_names() -> None:
    text = Path(__file__).with_name("format-1-posteriors.json").read_text(encoding="utf-8")
    category = posteriors_of(text).categories["c0"]
    column = category.attributes[0]
    assert (column.p05, column.p95, column.minimum, column.maximum) == (10.0, 90.0, 5.0, 99.0)
    assert (column.share, column.item_count) == ((0.0,), (12,))
    assert (category.choice_count, category.person_count, category.own_choices) == (10, 4, True)


def test_a_damaged_file_of_the_first_format_is_one_clear_error() -> None:
    text = seal(1, {"categories": {"c0": 3}})
    with pytest.raises(WeightsError, match="is not a document of format 1"):
        weights_of(text, "old.json")
