"""A category may be called by its id, its name or a synonym, in any language and case."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.errors import InputError
from kgrank.ontology.model import Category, Ontology
from kgrank.ontology.read import read_ontology
from kgrank.ranking.catalogue.category_names import category_id

TWO = {"c1": Category("c1", names={"en": "Bags"}), "c2": Category("c2", names={"en": "Sacks", "de": "bags"})}


@pytest.fixture(scope="module")
def fashion() -> Ontology:
    return read_ontology("fashion")


@pytest.mark.parametrize("text", ["dresses", "Dresses", "DRESSES", " dresses ", "frocks", "连衣裙"])
def test_a_category_is_found_by_every_name(fashion: Ontology, text: str) -> None:
    assert category_id(fashion, text) == "dresses"


def test_every_name_of_the_fashion_ontology_leads_to_its_category(fashion: Ontology) -> None:
    for category in fashion.categories.values():
        for name in (category.id, *category.names.values()):
            assert category_id(fashion, name.upper()) == category.id


def test_a_name_of_two_categories_is_refused_with_both_ids() -> None:
    with pytest.raises(InputError, match="2 categories are called 'BAGS'; expected one of c1, c2"):
        category_id(Ontology("1", TWO, {}), "BAGS")


def test_an_id_wins_over_another_category_s_name() -> None:
    swapped = {"a": Category("a", names={"en": "b"}), "b": Category("b", names={"en": "a"})}
    assert category_id(Ontology("1", swapped, {}), "a") == "a"


def test_an_unknown_name_is_told_with_the_nearest_id(fashion: Ontology) -> None:
    with pytest.raises(InputError, match=r"there is no category .dreses.\..*dresses"):
        category_id(fashion, "dreses")


def test_a_chart_in_another_format_is_refused_before_any_work(tmp_path: Path) -> None:
    chart = tmp_path / "importance.jpg"
    done = CliRunner().invoke(app, ["importance", "dresses", "--store", "none.lb", "--chart", str(chart)])
    assert "a chart is not written as .jpg; expected one of .png, .svg, .pdf" in str(done.exception)
    assert not chart.exists()
