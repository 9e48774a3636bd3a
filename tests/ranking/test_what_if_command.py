"""kgrank audit --what-if shows what a new rule would change, and reads it as the check reads an ontology."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from jsonschema import Draft202012Validator
from shops import Example, example, load
from typer.testing import CliRunner, Result

from kgrank.choice.data.design import category_design
from kgrank.choice.importance import importance
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.stored import category_posteriors, stored_posteriors
from kgrank.choice.rules.weigh import weigh
from kgrank.cli.main import app
from kgrank.errors import KgrankError, WeightsError
from kgrank.graph.connect import open_store
from kgrank.ontology.document import dump
from kgrank.ontology.model import Rule, Term
from kgrank.serving.schemas import answer_schema
from kgrank.weights.posteriors import Posteriors, posteriors_document, posteriors_of
from kgrank.weights.tables import weights_to_tables

SIGNED = '; dcterms:creator p:mei ; dcterms:created "2026-10-01"^^xsd:date ; kg:because "Why not."@en .'
SEED = 3


def posteriors(made: Example) -> dict[str, CategoryPosterior]:
    """What invented choices say: colour decides, the price hardly."""
    found = {}
    for name in ("clothes", "dresses", "tops", "shoes"):
        layout = category_design(made.graph, made.ontology, name).layout
        width = layout.width
        likes = {"color=red": 1.5, "style=loud": 0.2, "price=*": -0.1}
        mean = np.array([likes.get(n, 0.0) for n in layout.nodes])
        root = np.random.default_rng(0).normal(size=(width, width)) * 0.05
        found[name] = CategoryPosterior(
            layout,
            mean,
            root @ root.T + 0.05 * np.eye(width),
            np.zeros(width),
            np.ones(width),
            90,
            30,
            name != "clothes",
        )
    return found


@pytest.fixture(scope="module")
def shop() -> Example:
    made = example(3, items=40)
    known = replace(
        made.ontology,
        people={"mei": Term("mei")},
        rules={"cap": Rule("cap", "AtMost", ("shoes",), 0.8, attribute="color", share=0.9, creator="mei")},
    )
    nodes = dict(made.graph.nodes)
    nodes["Ontology"] = nodes["Ontology"].with_columns(
        document=pl.lit(dump(known)), fingerprint=pl.lit(known.fingerprint)
    )
    return replace(
        made,
        ontology=known,
        graph=replace(made.graph, nodes=nodes),
        weights=replace(made.weights, ontology=known.fingerprint),
    )


@pytest.fixture(scope="module")
def address(shop: Example, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with the shop, its weights and its posteriors."""
    path = str(tmp_path_factory.mktemp("shop") / "graph.lb")
    text = posteriors_document(
        Posteriors(shop.weights.version, shop.ontology.fingerprint, SEED, stored_posteriors(posteriors(shop)))
    )
    with open_store(path) as store:
        load(store, shop)
        store.replace_version(shop.weights.version, *weights_to_tables(shop.weights, None, text))
    return path


Ask = Callable[..., Result]


@pytest.fixture
def ask(address: str) -> Ask:
    def run(rule: str, *words: str) -> Result:
        return CliRunner().invoke(app, ["audit", "--store", address, "--what-if", rule, *words])

    return run


def error_of(done: Result) -> str:
    assert isinstance(done.exception, KgrankError), done.output
    assert done.stdout == ""
    return done.exception.sentence()


def rule(words: str) -> str:
    return f"r:new a {words} {SIGNED}"


PRICE = rule("kg:AtLeast ; kg:in c:dresses ; kg:attribute a:price ; kg:share 0.2 ; kg:sure 0.9")
RED = rule("kg:Prefers ; kg:in c:all ; kg:attribute a:color ; kg:values ( v:red v:blue ) ; kg:sure 0.9")


def test_a_rule_that_the_choices_contradict_is_exit_code_1_and_shows_what_it_would_cost(ask: Ask) -> None:
    done = ask(
        rule("kg:AtLeast ; kg:in c:dresses ; kg:attribute a:price ; kg:share 0.7 ; kg:sure 0.9"), "--json"
    )
    assert done.exit_code == 1, done.output
    said = json.loads(done.stdout)
    Draft202012Validator(answer_schema("audit-what-if")).validate(said)
    assert said["new_rules"] == ["new"]
    (row,) = said["by_category"]
    assert (row["category"], row["verdict"], row["choice_count"], row["person_count"]) == (
        "dresses",
        "contradicted",
        90,
        30,
    )
    assert row["prob_data"] < 0.025 < row["prob_prior"]


def test_shares_before_are_those_of_the_training_and_after_those_of_training_with_the_rule(
    ask: Ask, shop: Example
) -> None:
    done = ask(PRICE, "--json")
    (change,) = json.loads(done.stdout)["categories"]
    new = Rule("new", "AtLeast", ("dresses",), 0.9, attribute="price", share=0.2, creator="mei")
    with_it = replace(shop.ontology, rules={**shop.ontology.rules, "new": new})
    known = category_posteriors(stored_posteriors(posteriors(shop)))
    for side, ontology in (("before", shop.ontology), ("after", with_it)):
        trained = weigh(ontology, known, SEED)
        layout = trained.layouts["dresses"]
        shares = dict(zip(layout.block, importance(layout, trained.draws["dresses"].mean(0)), strict=True))
        for a in change["attributes"]:
            assert a[side]["share"] == pytest.approx(shares[a["attribute"]], abs=1e-12)
            assert a[side]["lower"] <= a[side]["share"] <= a[side]["upper"]
    price = next(a for a in change["attributes"] if a["attribute"] == "price")
    assert price["after"]["share"] > price["before"]["share"] + 0.02


def test_a_rule_about_a_top_category_is_weighed_in_every_category_below(ask: Ask) -> None:
    done = ask(RED, "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert {r["category"] for r in said["by_category"]} == {"clothes", "dresses", "tops", "shoes"}
    (finding,) = said["findings"]
    assert finding["prob_rule_right"] > 0.9
    assert finding["choice_count"] == 3 * 90, "choices of clothes count in dresses and tops alone"


def test_the_text_names_rule_verdict_categories_and_shares(ask: Ask) -> None:
    done = ask(PRICE)
    for part in ("Dresses", "chance", "before", "after", "Price", "90 choices of 30 people"):
        assert part in done.stdout


def test_what_a_rule_would_change_is_said_in_chinese(ask: Ask) -> None:
    done = ask(PRICE, "--language", "zh")
    for part in ("结论", "证据", "之前", "之后", "在决策中的份额", "把握90%"):
        assert part in done.stdout
    for part in ("verdict", "evidence", "before", "shares of"):
        assert part not in done.stdout


def test_a_file_of_rules_that_fight_names_the_conflict(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "new.ttl"
    shares = {"a:color": 0.55, "a:style": 0.25, "a:price": 0.15, "a:brand": 0.1}
    path.write_text(
        "\n".join(
            f"r:new-{a[2:]} a kg:AtLeast ; kg:in c:dresses ; kg:attribute {a} ; kg:share {s} ; "
            f"kg:sure 0.8 {SIGNED}"
            for a, s in shares.items()
        )
    )
    done = ask(str(path), "--json")
    said = json.loads(done.stdout)
    assert len(said["new_rules"]) == len(shares)
    assert said["conflicts"], "they add up to 1.05"
    assert "cannot all be right in Dresses" in said["conflicts"][0]["sentence"]


def test_the_chart_is_a_picture(ask: Ask, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    ask(PRICE, "--chart", str(tmp_path / "what-if.png"))
    assert (tmp_path / "what-if.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PRICE.replace("c:dresses", "c:dreses"),
         "--what-if:1:28: R415 the category dreses does not exist. Did you mean dresses?"),
        (PRICE.replace("0.2", "20"), "R423 kg:share 20 is not from 0 to 1. Write 0.2."),
        (PRICE.replace(" ; kg:sure 0.9", ""), "R404 the rule new does not say how sure you are"),
        (PRICE.replace(" .", ""), "P001"),
        (PRICE.replace("r:new", "r:cap"), "the rule cap is in the ontology already"),
        (rule("kg:Inherits ; kg:in c:tops ; kg:attribute a:price ; kg:share 0.5 ; kg:sure 0.9"),
         "new is a rule of kind Inherits, which does not act on the part-worths"),
        ("c:bags a kg:Category ; skos:broader c:all .", "bags is no rule"),
        ("nowhere.ttl", "nowhere.ttl: cannot be read (No such file or directory)"),
    ],
    ids=["category", "share", "sure", "syntax", "twice", "kind", "thing", "file"],
)  # fmt: skip
def test_a_bad_rule_is_refused_with_the_words_of_the_check(ask: Ask, text: str, said: str) -> None:
    assert said in error_of(ask(text))


def test_hard_rules_that_exclude_each_other_are_refused_before_anything_is_weighed(ask: Ask) -> None:
    two = rule("kg:AtLeast ; kg:in c:dresses ; kg:attribute a:price ; kg:share 0.6 ; kg:must true")
    two += two.replace("r:new", "\nr:new2").replace("a:price", "a:color")
    assert "R432 the least shares in Dresses add up to 1.20, above 1" in error_of(ask(two))


def test_weights_without_posteriors_say_how_to_get_them(shop: Example, tmp_path: Path) -> None:
    path = str(tmp_path / "graph.lb")
    with open_store(path) as store:
        load(store, shop)
    done = CliRunner().invoke(app, ["audit", "--store", path, "--what-if", PRICE])
    assert "written without the posteriors of their choices" in error_of(done)
    assert "kgrank train" in error_of(done)


def test_posteriors_come_back_as_they_were_written_and_edited_ones_are_refused(shop: Example) -> None:
    written = Posteriors("v1", "o" * 16, 0, stored_posteriors(posteriors(shop)))
    text = posteriors_document(written)
    assert posteriors_of(text) == written
    back = category_posteriors(written.categories)
    for name, place in posteriors(shop).items():
        np.testing.assert_allclose(back[name].covariance, place.covariance, rtol=1e-7)
        assert back[name].layout.nodes == place.layout.nodes
        assert back[name].layout.blocks[1].scale == place.layout.blocks[1].scale
    with pytest.raises(WeightsError, match="edited or damaged"):
        posteriors_of(text.replace('"person_count": 30', '"person_count": 31', 1))
    with pytest.raises(WeightsError, match="cut off"):
        posteriors_of(text[:-40])
