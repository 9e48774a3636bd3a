"""Weights under a new version of the ontology: what means the same ranks the same, the rest is named."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from invented_weights import invented
from test_liking_file import liking
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.errors import WeightsError
from kgrank.graph.connect import open_store
from kgrank.ontology.model import Term
from kgrank.ontology.read import read_ontology
from kgrank.resources import folder
from kgrank.weights.artefact import document, read_weights, weights_of, write_weights
from kgrank.weights.carry import Carried, carry
from kgrank.weights.liking_file import read_liking, write_liking
from kgrank.weights.model import (
    LearnedWeights,
    RuleConflict,
    SegmentTastes,
    Utility,
)
from kgrank.weights.tables import weights_to_tables

RUN = CliRunner()
ENDED = "owl:deprecated true ;\n    dcterms:isReplacedBy"
PREFIXES = """@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
"""
CUT = """
a:cut a kg:Attribute ; skos:notation "cut" ; skos:prefLabel "Cut"@en , "剪裁"@zh ;
    kg:type kg:Ordered ; kg:values ( v:slim v:regular v:loose ) .
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder("ontology") / "fashion", tmp_path / "my-shop"))


def edit(shop: Path, file: str, *changes: tuple[str, str]) -> None:
    path = shop / file
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(PREFIXES + text if file == "attributes.ttl" else text, encoding="utf-8")


def rename_fit(shop: Path) -> None:
    fit = 'skos:prefLabel "Fit"@en , "版型"@zh ;'
    edit(shop, "attributes.ttl", (fit, f"{fit}\n    {ENDED} a:cut ;"), ("a:sleeve a", f"{CUT}\na:sleeve a"))
    edit(shop, "categories.ttl", ("a:fit", "a:cut"))


def test_a_conflict_is_kept_where_all_its_rules_say_what_they_said(shop: Path) -> None:
    old = read_ontology(folder("ontology") / "fashion")
    weights = replace(
        invented(old),
        conflicts=(
            RuleConflict(
                rules=("sneaker-price", "sneaker-order"),
                sentence="…",
                categories=("sneakers",),
                alone=(0.4, 0.4),
                together=0.01,
                instead="…",
            ),
            RuleConflict(
                rules=("dress-order", "cheaper-better"),
                sentence="…",
                categories=("dresses",),
                alone=(0.4, 0.4),
                together=0.01,
                instead="…",
            ),
        ),
    )
    edit(shop, "rules.ttl", ("kg:share 0.2 ;", "kg:share 0.3 ;"))
    assert carry(weights, old, read_ontology(shop)).weights.conflicts == weights.conflicts[1:]


def carried(shop: Path) -> Carried:
    old = read_ontology(folder("ontology") / "fashion")
    result = carry(invented(old), old, read_ontology(shop))
    weights_of(document(result.weights), "as it is checked when it is read")
    assert len(result.kept) + len(result.renamed) + len(result.rescaled) + len(result.left_out) == 109
    return result


def utilities(weights: LearnedWeights, category: str) -> dict[str, Utility]:
    return {u.node: u for u in weights.categories[category].utilities}


def test_a_renamed_attribute_keeps_its_shares_and_utilities(shop: Path) -> None:
    rename_fit(shop)
    result = carried(shop)
    assert len(result.renamed) == 11
    assert not result.left_out
    before = invented(read_ontology(folder("ontology") / "fashion")).categories["dresses"]
    after = result.weights.categories["dresses"]
    as_before = [replace(a, attribute="fit") if a.attribute == "cut" else a for a in after.attributes]
    assert as_before == list(before.attributes)
    renamed = {u.node.replace("cut=", "fit="): u.segments for u in after.utilities}
    assert renamed == {u.node: u.segments for u in before.utilities}
    assert result.weights.population.columns == ("inside", "cut=slim", "cut=loose", "heel=*", "color=red")
    assert result.weights.ontology == read_ontology(shop).fingerprint


def test_another_unit_gives_the_same_contribution_to_the_same_length(shop: Path) -> None:
    edit(shop, "attributes.ttl", ('kg:unit "mm" ;\n    kg:min 0 ;\n    kg:max 120', 'kg:unit "cm"'))
    result = carried(shop)
    assert ("pumps", "heel") in result.rescaled
    before = utilities(invented(read_ontology(folder("ontology") / "fashion")), "pumps")["heel=*"]
    after = utilities(result.weights, "pumps")["heel=*"]
    assert after.at(7.5) == pytest.approx(before.at(75))
    (heel,) = (a for a in result.weights.categories["pumps"].attributes if a.attribute == "heel")
    assert heel.reference == "2 to 9, the items' 5th to 95th percentile"


def test_another_unit_changes_the_usual_scale_of_a_shared_taste(shop: Path) -> None:
    old = read_ontology(shop)
    before = invented(old)
    columns = before.population.columns
    scales = tuple(20.0 if name == "heel=*" else 0.0 for name in columns)
    edit(shop, "attributes.ttl", ('kg:unit "mm" ;\n    kg:min 0 ;\n    kg:max 120', 'kg:unit "cm"'))
    shared = replace(before, population=replace(before.population, scales=scales))
    after = carry(shared, old, read_ontology(shop)).weights.population
    assert dict(zip(after.columns, after.scales, strict=True)) == {
        name: pytest.approx(2.0) if name == "heel=*" else 0.0 for name in columns
    }


def test_means_of_segments_go_under_the_segments_new_names(shop: Path) -> None:
    old = read_ontology(shop)
    weights = invented(old)
    width = len(weights.population.columns)
    rows = tuple(tuple(float(i == j) for j in range(width)) for i in range(width))
    tastes = {s: SegmentTastes(tuple(map(float, range(width))), rows, 7) for s in ("teens", "gone")}
    weights = replace(weights, population=replace(weights.population, segments=tastes, between_segments=0.1))
    young = Term("teens", deprecated=True, replaced_by="young")
    new = replace(read_ontology(shop), segments={"teens": young, "young": Term("young")})
    after = carry(weights, old, new).weights.population
    assert dict(after.segments) == {"young": tastes["teens"]}
    assert after.between_segments == 0.1


def test_another_currency_is_left_out_and_the_other_shares_add_up_again(shop: Path) -> None:
    edit(shop, "attributes.ttl", ('kg:unit "EUR"', 'kg:unit "USD"'))
    result = carried(shop)
    assert result.left_out["dresses", "price"] == "price is in USD, not EUR"
    assert set(result.left_out) == {(c, "price") for c in result.weights.categories}
    shares = [a.share for a in result.weights.categories["dresses"].attributes]
    assert sum(shares) == pytest.approx(1)
    assert "price=*" not in utilities(result.weights, "dresses")


def test_a_retired_category_leaves_its_weights_where_there_are_others(shop: Path) -> None:
    boots = '"靴子"@zh ;\n'
    edit(shop, "categories.ttl", (boots, f"{boots}    {ENDED} c:sneakers ;\n"), ("# The", f"{PREFIXES}# The"))
    result = carried(shop)
    assert result.left_out["boots", "price"] == "sneakers/price has weights of its own"
    assert "boots" not in result.weights.categories
    assert (
        result.weights.categories["sneakers"]
        == invented(read_ontology(folder("ontology") / "fashion")).categories["sneakers"]
    )


def test_values_that_are_gone_and_rules_that_changed_are_named(shop: Path) -> None:
    edit(shop, "attributes.ttl", (" v:pink", ""))
    edit(
        shop,
        "values.ttl",
        ('v:pink a kg:Value ; skos:notation "pink" ; skos:prefLabel "Pink"@en , "粉色"@zh .\n', ""),
    )
    edit(shop, "rules.ttl", ("kg:share 0.2 ;", "kg:share 0.3 ;"))
    result = carried(shop)
    assert result.values == ("color=pink",)
    assert result.findings == ("sneaker-price",)
    assert all(f.sentence for f in result.weights.findings)


def test_weights_of_a_third_version_are_refused(shop: Path) -> None:
    old = read_ontology(folder("ontology") / "fashion")
    rename_fit(shop)
    new = read_ontology(shop)
    with pytest.raises(WeightsError, match="expected those of the old version"):
        carry(invented(new), old, new)


ITEMS = "id,category,brand,color,fit,price\n" + "".join(
    f"i{n},dresses,aurora,{color},{fit},{20 + n}\n"
    for n, (color, fit) in enumerate(
        [("red", "slim"), ("navy", "loose"), ("red", "loose"), ("blue", "regular")]
    )
)


def test_a_shop_goes_on_ranking_as_before_after_a_rename(shop: Path, tmp_path: Path) -> None:
    """The recipe in the docs, from the files of a shop to its ranking."""
    old = Path(shutil.copytree(shop, tmp_path / "before"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "items.csv").write_text(ITEMS, encoding="utf-8")
    store, data = str(tmp_path / "shop.lb"), str(tmp_path / "data")
    assert RUN.invoke(app, ["load", data, "--ontology", str(old), "--store", store]).exit_code == 0
    with open_store(store) as opened:
        weights = invented(read_ontology(old))
        opened.replace_version(weights.version, *weights_to_tables(weights))
    ranking = RUN.invoke(app, ["rank", "dresses", "--store", store, "--json"])
    rename_fit(shop)
    assert RUN.invoke(app, ["load", data, "--ontology", str(shop), "--store", store]).exit_code == 0
    refused = RUN.invoke(app, ["rank", "dresses", "--store", store, "--json"])
    assert "kgrank ontology carry" in str(refused.exception)
    result = RUN.invoke(app, ["ontology", "carry", "--store", store, "--from", str(old), "--to", str(shop)])
    assert result.exit_code == 0, result.output
    assert "11 under a new name: apparel/cut" in result.output
    again = RUN.invoke(app, ["rank", "dresses", "--store", store, "--json"])
    scores = [
        [(i["item"], round(i["score"], 9)) for i in json.loads(r.output)["items"]] for r in (ranking, again)
    ]
    assert scores[0] == scores[1]


def test_a_network_goes_with_the_weights_that_are_carried(shop: Path, tmp_path: Path) -> None:
    old = read_ontology(folder("ontology") / "fashion")
    weights = invented(old)
    write_weights(tmp_path / "weights.json", weights)
    write_liking(tmp_path / "weights.json", liking(weights.version))
    rename_fit(shop)
    options = ["--from", str(folder("ontology") / "fashion"), "--to", str(shop)]
    to_file = str(tmp_path / "new.json")
    done = RUN.invoke(app, ["ontology", "carry", str(tmp_path / "weights.json"), *options, "-o", to_file])
    assert done.exit_code == 0, done.output
    carried = read_weights(to_file)
    network = read_liking(to_file, carried)
    assert network is not None
    assert network.items == liking().items
    assert network.version == carried.version != weights.version
    assert read_liking(tmp_path / "weights.json", weights) is not None


def test_a_file_is_carried_to_a_file_and_what_is_left_out_is_exit_code_1(shop: Path, tmp_path: Path) -> None:
    old = folder("ontology") / "fashion"
    write_weights(tmp_path / "weights.json", invented(read_ontology(old)))
    edit(shop, "attributes.ttl", ('kg:unit "EUR"', 'kg:unit "USD"'))
    command = ["ontology", "carry", str(tmp_path / "weights.json"), "--from", str(old), "--to", str(shop)]
    result = RUN.invoke(app, [*command, "-o", str(tmp_path / "new.json")])
    assert result.exit_code == 1
    assert "dresses/price: price is in USD, not EUR" in result.output
    assert "kgrank train" in result.output
    assert read_weights(tmp_path / "new.json").ontology == read_ontology(shop).fingerprint
    report = json.loads(RUN.invoke(app, [*command, "-o", str(tmp_path / "new.json"), "--json"]).output)
    assert len(report["left"]) == 11
    assert "say which weights" in str(RUN.invoke(app, command).exception)
