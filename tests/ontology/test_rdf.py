"""An ontology in other RDF syntaxes, for tools of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdflib import Graph
from rdflib.compare import isomorphic

from kgrank.errors import InputError
from kgrank.ontology.rdf import SYNTAXES, write_rdf


# rdflib's own reader of JSON-LD uses what rdflib has deprecated.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize("ending", SYNTAXES)
def test_each_syntax_says_the_same_as_the_turtle_files(
    ending: str, fashion_folder: Path, tmp_path: Path
) -> None:
    count = write_rdf(fashion_folder, tmp_path / f"fashion{ending}")
    written = Graph().parse(tmp_path / f"fashion{ending}")
    turtle = Graph()
    for file in fashion_folder.glob("*.ttl"):
        turtle.parse(file)
    assert count == len(turtle)
    assert isomorphic(written, turtle)


def test_an_unknown_ending_names_those_that_are_known(fashion_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"by the ending \.owl; expected one of \.jsonld"):
        write_rdf(fashion_folder, tmp_path / "fashion.owl")
    assert list(tmp_path.iterdir()) == []


def test_an_ontology_with_errors_is_not_written(example: Path, tmp_path: Path) -> None:
    (example / "rules.ttl").write_text("this is no Turtle", encoding="utf-8")
    with pytest.raises(InputError, match="All of them: kgrank ontology check"):
        write_rdf(example, tmp_path / "broken.jsonld")
    assert not (tmp_path / "broken.jsonld").exists()
