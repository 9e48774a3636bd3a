"""``kgrank rank``, ``facets`` and ``explain`` with filters, sessions, curation and comparisons."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from shops import Example
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.cli.query_options import read_event, read_filter
from kgrank.errors import InputError
from kgrank.ranking import Filter, Query, Shop, answer
from kgrank.ranking.page.facets import facets
from kgrank.ranking.shopper.session import Event, observe, start

Run = Callable[..., Result]


@pytest.fixture
def kgrank(address: str) -> Run:
    """Runs the command line on the store, in this process."""

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--store", address], env={"COLUMNS": "160"})

    return run


def shop_of(made: Example) -> Shop:
    return Shop.of(made.graph, made.ontology, made.weights, made.transitions)


def test_filters_and_pages_reach_the_query(kgrank: Run, made: Example) -> None:
    run = kgrank(
        "rank", "all", "--filter", "color=red,blue", "--filter", "price=10..80", "--limit", "3", "--page", "2",
        "--json",
    )  # fmt: skip
    filters = (Filter("color", ("red", "blue")), Filter("price", minimum=10, maximum=80))
    want = answer(shop_of(made), Query("all", filters=filters, page=2, size=3))
    found = json.loads(run.stdout)
    assert [(r["position"], r["item"]) for r in found["items"]] == list(enumerate(want.ids, 4))
    assert found["item_count"] == want.item_count


def test_words_need_no_category(kgrank: Run, made: Example) -> None:
    run = kgrank("rank", "--query", "红色 dresses", "--json")
    want = answer(shop_of(made), Query(text="红色 dresses", size=10))
    found = json.loads(run.stdout)
    assert (found["category"], [r["item"] for r in found["items"]]) == (want.category, list(want.ids))


def test_a_session_comes_from_a_file_and_from_options(kgrank: Run, made: Example, tmp_path: Path) -> None:
    shop = shop_of(made)
    green = [shop.items.ids[k] for k in shop.items.having(shop.items.node["color=green"])][:3]
    events = [Event("view", green[0], shown=("i1", *green)), Event("cart", green[1])]
    log = tmp_path / "session.jsonl"
    log.write_text(
        json.dumps({"kind": "view", "item": green[0], "shown": ["i1", *green]})
        + "\n\n" + json.dumps({"kind": "cart", "item": green[1]})
        + "\n"
    )  # fmt: skip
    run = kgrank("rank", "all", "--session", str(log), "--event", "search:green", "--json")
    session = start(shop)
    for event in (*events, Event("search", text="green")):
        session = observe(shop, session, event)
    want = answer(shop, Query("all", session=session, size=10))
    found = json.loads(run.stdout)
    assert [(r["item"], r["score"]) for r in found["items"]] == list(
        zip(want.ids, want.scores.tolist(), strict=True)
    )
    told = {s["attribute"]: s["sentence"] for s in found["shifts"]}
    assert "you looked at 2 green all of 2" in told["color"]
    assert told["color"] in kgrank("rank", "all", "--session", str(log), "--event", "search:green").stdout


def test_curation_is_a_file_and_its_reasons_are_shown(kgrank: Run, tmp_path: Path) -> None:
    file = tmp_path / "curation.json"
    file.write_text(json.dumps({
        "pins": [{"item": "i7", "position": 1, "reason": "new in"}],
        "excludes": [{"target": "i3", "reason": "sold out"}],
    }))  # fmt: skip
    run = kgrank("rank", "all", "--curation", str(file), "--limit", "2")
    assert "pinned to place 1: new in" in run.stdout
    assert "i3: excluded: sold out (1)" in run.stdout


def test_facets_are_printed_in_order_with_their_reasons(kgrank: Run, made: Example) -> None:
    want = facets(shop_of(made), Query("all"))
    run = kgrank("facets", "all")
    places = [run.stdout.index(f.reason) for f in want.facets]
    assert places == sorted(places)
    assert all(n.reason in run.stdout for n in want.left_out)
    document = json.loads(kgrank("facets", "all", "--json").stdout)
    assert [f["attribute"] for f in document["facets"]] == [f.attribute for f in want.facets]


def test_explain_says_why_one_item_stands_above_another_and_what_would_help(
    kgrank: Run, made: Example
) -> None:
    ids = answer(shop_of(made), Query("all", size=40)).ids
    run = kgrank("explain", ids[20], "--category", "all", "--over", ids[30], "--into", "5", "--json")
    found = json.loads(run.stdout)
    assert sum(p["logits"] for p in found["comparison"]["parts"]) == pytest.approx(
        found["comparison"]["difference"], abs=1e-8
    )
    assert (found["counterfactuals"]["position"], found["counterfactuals"]["top"]) == (21, 5)
    text = kgrank("explain", ids[20], "--category", "all", "--over", ids[30], "--into", "5").stdout
    assert found["comparison"]["sentence"] in text
    assert found["counterfactuals"]["sentence"] in text


def test_a_page_beyond_the_end_and_a_filter_that_leaves_nothing_are_notes(kgrank: Run) -> None:
    far = kgrank("rank", "all", "--page", "1000000000")
    assert (far.exit_code, far.stdout) == (0, "")
    assert far.stderr == "All has no page 1000000000: it has 40 items.\n"
    none = kgrank("rank", "all", "--filter", "price=1e6..")
    assert (none.exit_code, none.stdout) == (0, "")
    assert none.stderr.startswith("The filter Price: 1000000 EUR or more leaves none of 40 items.")


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("color=red", Filter("color", ("red",))),
        ("color=red,blue,", Filter("color", ("red", "blue"))),
        ("price=..5", Filter("price", maximum=5)),
        ("price=1.5..2.5", Filter("price", minimum=1.5, maximum=2.5)),
        ("size=a..b", None),
        ("color", None),
        ("=red", None),
        ("color=", None),
    ],
)
def test_a_filter_is_typed_as_values_or_bounds(text: str, want: Filter | None) -> None:
    if want is None:
        with pytest.raises(InputError, match="says nothing; expected values or a range: color=red"):
            read_filter(text)
    else:
        assert read_filter(text) == want


def test_an_event_is_typed_with_its_kind() -> None:
    assert read_event("view:i3") == Event("view", "i3")
    assert read_event("search:red: dress") == Event("search", text="red: dress")
    with pytest.raises(InputError, match="expected an item or words: view:"):
        read_event("view:")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"kind": "view", "itm": "i3"}', ":1: unknown field 'itm'"),
        ('{"kind": "view", "item": 3}', ":1: "),
        ('{"kind": "view"', ":1: is not JSON"),
        ("[" * 10_000, ":1: is not JSON"),
        ('{"kind": "veiw", "item": "i3"}', "Did you mean view?"),
    ],
)
def test_a_session_file_that_cannot_be_read_is_named(
    kgrank: Run, tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "session.jsonl"
    file.write_text(content)
    run = kgrank("rank", "all", "--session", str(file))
    assert isinstance(run.exception, InputError)
    assert message in run.exception.sentence()


@pytest.mark.parametrize(
    ("command", "heads"),
    [
        (("rank", "all", "--explain"), ("商品", "得分", "主要原因", "权重")),
        (("importance", "all"), ("属性", "95% 区间", "决定选择的因素", "由")),
        (("facets", "all"), ("筛选", "作用", "取值")),
        (("explain", "i1"), ("属性", "加分", "好于", "得分")),
    ],
)
def test_tables_and_lines_are_in_chinese_on_demand(
    kgrank: Run, command: tuple[str, ...], heads: tuple[str, ...]
) -> None:
    run = kgrank(*command, "--language", "zh")
    assert run.exit_code == 0, run.stderr
    for head in heads:
        assert head in run.stdout
    for english in ("score", "weight", "attribute", "filter", " items", "Learned", "interval"):
        assert english not in run.stdout
    assert heads[0] not in kgrank(*command).stdout


@pytest.mark.parametrize("attribute", ["color", "price"])
def test_a_filter_of_the_wrong_kind_has_an_example_that_works(kgrank: Run, attribute: str) -> None:
    wrong = {"color": "color=1..2", "price": "price=cheap"}[attribute]
    error = kgrank("rank", "all", "--filter", wrong).exception
    assert isinstance(error, InputError)
    example = str(error).split("Write ")[1].removesuffix(".")
    assert example.startswith(f"{attribute}=")
    again = kgrank("rank", "all", "--filter", example, "--json")
    assert json.loads(again.stdout)["item_count"] > 0


def test_a_reason_that_all_items_of_the_list_have_alike_is_not_one(kgrank: Run, made: Example) -> None:
    """Of a history's terms: attributes are measured against the average item."""
    after = [word for item in shop_of(made).items.ids[:2] for word in ("--after", item)]
    items = json.loads(kgrank("rank", "all", "--limit", "5", "--json", *after).stdout)["items"]
    shown = kgrank("rank", "all", "--limit", "5", "--explain", *after).stdout
    added: dict[str, list[float]] = {}
    for item in items:
        for part in (c for c in item["contributions"] if c["kind"] == "term"):
            added.setdefault(part["words"], []).append(part["logits"])
    constant = [words for words, xs in added.items() if len(xs) == 5 and max(xs) - min(xs) < 1e-9 and xs[0]]
    for words in constant:
        assert words not in shown


def test_the_one_item_that_was_looked_at_is_called_so(kgrank: Run, made: Example) -> None:
    shop = shop_of(made)
    green = shop.items.ids[shop.items.having(shop.items.node["color=green"])[0]]
    shown = kgrank("rank", "all", "--event", f"purchase:{green}").stdout
    assert " of 1." not in shown
    assert "of 1," not in shown
    shares = [line.split(": ")[0].rsplit(" ", 3) for line in shown.splitlines() if " → " in line]
    assert all(before != after for _, before, _, after in shares)
