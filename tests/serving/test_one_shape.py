"""A question has the same answer on the command line, over HTTP and in Python, as its schema describes it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from shops import Example, load
from typer.testing import CliRunner

from kgrank.choice.tastes.person import PersonTastes
from kgrank.cli.main import app
from kgrank.codec import encode
from kgrank.graph.connect import open_store
from kgrank.ranking import Filter, Query, Shop, importance, open_shop, ranking
from kgrank.ranking.answers import for_user
from kgrank.ranking.explain.audit import audit
from kgrank.ranking.explain.compare import compare
from kgrank.ranking.explain.counterfactuals import counterfactuals
from kgrank.ranking.explain.item import explain_query
from kgrank.ranking.page.facets import facets
from kgrank.ranking.shopper.person import read_person
from kgrank.ranking.shopper.session import Event, observe, start
from kgrank.ranking.shopper.shifts import session_state
from kgrank.ranking.stored.versions import served_version, stored_versions
from kgrank.serving.schemas import ANSWERS, answer_schema, schema_files
from kgrank.weights.model import Cause, Concern, RuleConflict, RuleFinding

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"
FINDINGS = tuple(
    RuleFinding(rule, f"{rule}.", 0.9, 0.5, 0.9, 0.9, evidence, verdict, "so it is", 90, 30, right)
    for rule, evidence, verdict, right in (
        ("cheap", 5.0, "supported", 0.9),
        ("cap", -4.0, "contradicted", None),
        ("order", 0.1, "silent", None),
    )
)
CONFLICTS = (RuleConflict(("cheap", "cap"), "not both", ("dresses",), (0.4, 0.3), 0.002, "Color 31%"),)
CONCERNS = (Concern(Cause.FEW_CHOICES, "dresses", None, "3 choices"),)

Document = dict[str, Any]
Ask = Callable[..., list[httpx.Response]]


@pytest.fixture(scope="module")
def address(made: Example, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with two versions, and weights that hold findings, conflicts, concerns and notes."""
    weights = replace(
        made.weights, findings=FINDINGS, conflicts=CONFLICTS, concerns=CONCERNS, notes=("A sample.",)
    )
    path = str(tmp_path_factory.mktemp("shape") / "shop.lb")
    with open_store(path) as store:
        load(store, replace(made, weights=weights), other_version=replace(made.weights, version="v1"))
    return path


@pytest.fixture(scope="module")
def shop(address: str) -> Shop:
    with open_store(address) as store:
        return open_shop(store)


@pytest.fixture(scope="module")
def ann(address: str, shop: Shop) -> PersonTastes:
    with open_store(address) as store:
        return read_person(store, shop, "ann")


@pytest.fixture
def http(address: str, client: Any) -> Ask:
    """Asks the service, one request after another."""

    def ask(*requests: tuple[str, str, Any]) -> list[httpx.Response]:
        async def all_of_them() -> list[httpx.Response]:
            async with client(address) as service:
                return [await service.request(method, path, json=body) for method, path, body in requests]

        return asyncio.run(all_of_them())

    return ask


@pytest.fixture
def cli(address: str) -> Callable[..., Document]:
    """Asks the command line."""

    def ask(*words: str) -> Document:
        done = CliRunner().invoke(app, [*words, "--store", address, "--json"])
        assert done.exit_code in (0, 1), done.output
        return dict(json.loads(done.stdout))

    return ask


def document(answer: Any) -> Document:
    return dict(json.loads(json.dumps(encode(answer))))


def same(question: str, python: Any, *documents: Document) -> None:
    """All are the same document, field by field in the same order, and are as the schema describes."""
    want = document(python)
    Draft202012Validator(answer_schema(question)).validate(want)
    for found in documents:
        assert json.dumps(found) == json.dumps(want)


def test_rank(shop: Shop, http: Ask, cli: Callable[..., Document]) -> None:
    body = {"category": "clothes", "size": 5, "page": 2, "filters": [{"attribute": "price", "minimum": 1}]}
    (response,) = http(("POST", "/v1/rank", body))
    typed = cli("rank", "clothes", "--limit", "5", "--page", "2", "--filter", "price=1..")
    query = Query("clothes", size=5, page=2, filters=(Filter("price", minimum=1.0),))
    same("rank", ranking(shop, query), response.json(), typed)


def test_rank_for_a_user(shop: Shop, ann: PersonTastes, http: Ask, cli: Callable[..., Document]) -> None:
    (response,) = http(("POST", "/v1/rank", {"category": "all", "size": 10, "user": "ann"}))
    answer = for_user(ranking(shop, Query("all", size=10, person=ann)), "ann", ann)
    assert (answer.user, answer.user_choice_count) == ("ann", ann.choices)
    same("rank", answer, response.json(), cli("rank", "all", "--user", "ann"))


def test_rank_and_explain_in_a_session_of_a_user(
    shop: Shop, ann: PersonTastes, http: Ask, cli: Callable[..., Document]
) -> None:
    _, ranked, explained, state = http(
        ("POST", "/v1/sessions/s/events", {"events": [{"kind": "view", "item": "i3"}], "user": "ann"}),
        ("POST", "/v1/rank", {"category": "all", "size": 10, "session": "s", "shifts": True}),
        ("POST", "/v1/explain", {"item": "i5", "category": "all", "session": "s"}),
        ("GET", "/v1/sessions/s", None),
    )
    session = observe(shop, start(shop, ann), Event("view", "i3"))
    query = Query("all", size=10, person=ann, session=session)
    words = ("--user", "ann", "--event", "view:i3")
    same(
        "rank",
        for_user(ranking(shop, query, shifts=True), "ann", ann),
        ranked.json(),
        cli("rank", "all", *words),
    )
    typed = cli("explain", "i5", "--category", "all", *words)
    same("explain", for_user(explain_query(shop, query, "i5"), "ann", ann), explained.json(), typed)
    same("session", for_user(session_state(shop, session, "s"), "ann", ann), state.json())


def test_facets(shop: Shop, http: Ask, cli: Callable[..., Document]) -> None:
    body = {"category": "all", "filters": [{"attribute": "color", "values": ["red", "blue"]}]}
    (response,) = http(("POST", "/v1/facets", body))
    query = Query("all", filters=(Filter("color", ("red", "blue")),))
    typed = cli("facets", "all", "--filter", "color=red,blue")
    same("facets", facets(shop, query), response.json(), typed)


def test_importance(shop: Shop, http: Ask, cli: Callable[..., Document]) -> None:
    (response,) = http(("GET", "/v1/importance/clothes", None))
    same("importance", importance(shop, "clothes"), response.json(), cli("importance", "clothes"))


def test_explain_compare_and_counterfactuals(
    shop: Shop, ann: PersonTastes, http: Ask, cli: Callable[..., Document]
) -> None:
    query = Query("all", person=ann)
    order = [item.item for item in ranking(shop, replace(query, size=40)).items]
    low, lower = order[20], order[30]
    asked = {"category": "all", "item": low, "user": "ann"}
    explained, compared, changed = http(
        ("POST", "/v1/explain", {**asked, "over": lower, "into": 5}),
        ("POST", "/v1/compare", {"category": "all", "first": low, "second": lower, "user": "ann"}),
        ("POST", "/v1/counterfactuals", {**asked, "top": 5}),
    )
    answer = for_user(explain_query(shop, query, low, over=lower, into=5), "ann", ann)
    typed = cli("explain", low, "--category", "all", "--over", lower, "--into", "5", "--user", "ann")
    same("explain", answer, explained.json(), typed)
    comparison = for_user(compare(shop, query, low, lower), "ann", ann)
    same("compare", comparison, compared.json(), typed["comparison"])
    sufficient = for_user(counterfactuals(shop, query, low, 5), "ann", ann)
    same("counterfactuals", sufficient, changed.json(), typed["counterfactuals"])


def test_audit(shop: Shop, http: Ask, cli: Callable[..., Document]) -> None:
    (response,) = http(("GET", "/v1/audit", None))
    answer = audit(shop.weights)
    assert [f.rule for f in answer.findings] == ["cap", "order", "cheap"]
    same("audit", answer, response.json(), cli("audit"))


def test_versions(address: str, http: Ask, cli: Callable[..., Document]) -> None:
    with open_store(address) as store:
        versions, served = stored_versions(store), served_version(store)
    same("weights-list", versions, cli("weights", "list"))
    (response,) = http(("GET", "/v1/weights", None))
    same("weights-serve", served, response.json(), cli("weights", "serve"))
    Draft202012Validator(answer_schema("weights-prune")).validate(cli("weights", "prune"))


def test_health_and_readiness(http: Ask) -> None:
    for response in http(("GET", "/health", None), ("GET", "/ready", None)):
        Draft202012Validator(answer_schema("health")).validate(response.json())
        assert response.json()["version"] == "v2"


@pytest.mark.parametrize("question", ANSWERS)
def test_the_frame_of_every_answer_is_the_same(question: str) -> None:
    schema = answer_schema(question)
    for name, described in schema["$defs"].items():
        fields = described.get("properties", {})
        assert fields.get("items", {"type": "array"})["type"] == "array"
        assert fields.get("item_count", {"type": "integer"})["type"] == "integer"
        if described is schema["$defs"][ANSWERS[question].__name__]:
            assert next(iter(fields)) == "version"
            assert fields["notes"]["items"] == {"type": "string"}
            assert described["required"] == list(fields), name


def test_the_published_schemas_are_those_of_the_types() -> None:
    published = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert published == dict(schema_files()), "make schemas writes them again"


def test_the_description_of_the_service_has_the_published_types(http: Ask) -> None:
    (response,) = http(("GET", "/openapi.json", None))
    components = response.json()["components"]["schemas"]
    for question in (
        "rank",
        "facets",
        "explain",
        "compare",
        "counterfactuals",
        "importance",
        "audit",
        "health",
    ):
        name = ANSWERS[question].__name__
        published = json.dumps(answer_schema(question)["$defs"][name])
        assert json.dumps(components[name]) == published.replace("#/$defs/", "#/components/schemas/")


def test_ways_are_counterfactuals_under_their_former_names(http: Ask) -> None:
    now, before = http(
        ("POST", "/v1/counterfactuals", {"category": "all", "item": "i5", "top": 3}),
        ("POST", "/v1/ways", {"category": "all", "item": "i5", "first": 3}),
    )
    assert before.headers["deprecation"].startswith("@")
    assert before.headers["link"] == '</v1/counterfactuals>; rel="successor-version"'
    assert "deprecation" not in now.headers
    answer, former = now.json(), before.json()
    assert list(former) == ["item", "position", "first", "gap", "ways", "sentence", "notes"]
    assert former["first"] == answer["top"]
    assert [w["ruled"] for w in former["ways"]] == [c["limited_by_rules"] for c in answer["counterfactuals"]]
    assert [w["changes"] for w in former["ways"]] == [c["changes"] for c in answer["counterfactuals"]]
    assert "/v1/counterfactuals" in former["notes"][-1]


@pytest.mark.parametrize(
    ("path", "body", "hint"),
    [
        ("/v1/rank", {"category": "all", "szie": 3}, "Did you mean size?"),
        (
            "/v1/rank",
            {"category": "all", "filters": [{"attribute": "price", "valuess": []}]},
            "Did you mean values?",
        ),
        ("/v1/counterfactuals", {"category": "all", "item": "i5", "first": 3}, "Did you mean top?"),
    ],
)
def test_an_unknown_field_is_refused_with_the_one_that_was_meant(
    http: Ask, path: str, body: Document, hint: str
) -> None:
    (response,) = http(("POST", path, body))
    assert response.status_code == 422
    assert hint in response.json()["error"]["todo"]
