"""Terminal escapes, markup and marks of direction in data do nothing, whatever command prints or draws them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
import yaml
from generated_shop import ontology as plain_ontology
from generated_shop import write_files

from kgrank.cli.main import COMMANDS, Commands, main
from kgrank.control_characters import harmless, harmless_json
from kgrank.graph.build import build_graph
from kgrank.graph.connect import open_store
from kgrank.graph.sync import load
from kgrank.ingest.clean import ingest
from kgrank.weights.graph_filter import GraphFilter, Relation
from kgrank.weights.liking import LikingWeights
from kgrank.weights.tables import served_transitions, served_weights, weights_to_tables

HOSTILE = "[red]n[/] [/] [link=x]\x1b[31m\x1b]0;t\x07\x9b31m\u202e\u2066\x7f<b>&\"'"
NAME = "[red]n[/] [/] \x9b31m $x^{ <b>&\"'"
"""What is left of it where the check of an ontology refuses the rest."""

STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
EXAMPLE = Path(__file__).parent / "ontology" / "fashion_example"
CATEGORY, ITEM, USER = "dresses", "dresses-1", "u7"


@dataclass(frozen=True)
class Shop:
    """A trained shop and an ontology in which every name is hostile."""

    folder: Path
    files: Path
    store: str
    ontology: Path
    weights: Path
    run: Path


def hostile_ontology(folder: Path) -> Path:
    """The example, each English label with hostile characters, as Turtle writes them."""
    shutil.copytree(EXAMPLE, folder)
    escaped = "".join(
        sign if sign.isprintable() and sign not in '"\\' else f"\\u{ord(sign):04X}" for sign in NAME
    )
    for path in folder.glob("*.ttl"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r'"@en', lambda _: f' {escaped}"@en', text), encoding="utf-8")
    return folder


def put_liking(address: str) -> None:
    """A liking of the shop's items beside its weights, so that sentences name what was bought."""
    with open_store(address) as store:
        weights = served_weights(store)
        items = tuple(store.nodes("Item")["id"].sort())
        people, itself = np.full(len(items), 9), np.arange(len(items))
        vectors = np.random.default_rng(0).normal(size=(len(items), 2))
        read = (
            Relation("item", itself, vectors, people),
            Relation("color", itself % 2, 9 * vectors[:2], people[:2]),
        )
        kinds = tuple(store.edges("INTERACTED")["kind"].unique())
        learned = GraphFilter(people, 1 / np.sqrt(people), vectors, np.zeros(2), read)
        liking = LikingWeights(version=weights.version, items=items, filter=learned, kinds=kinds)
        tables = weights_to_tables(weights, served_transitions(store, weights.version), liking=liking)
        store.replace_version(weights.version, *tables)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("hostile")
    files = write_files(folder / "[red]files")
    items = pl.read_csv((files / "items.csv").read_bytes(), infer_schema=False)
    titles = [f"title {n} [red]t[/] [/] \x9b31m\u202e" for n in range(len(items))]
    items.with_columns(pl.Series("title", titles)).write_csv(files / "items.csv")
    names = plain_ontology()
    hostile = replace(
        names,
        categories={k: replace(c, names={"en": f"{k} {HOSTILE}"}) for k, c in names.categories.items()},
        attributes={k: replace(a, names={"en": f"{k} {HOSTILE}"}) for k, a in names.attributes.items()},
    )
    store = str(folder / "[red]shop.lb")
    with open_store(store) as opened:
        load(opened, build_graph(ingest(files, ontology=hostile)))
    run = folder / "run.yaml"
    out = folder / "[red]out"
    run.write_text(yaml.safe_dump({"data": {"store": store}, "out": str(out), "people": False}))
    with pytest.raises(SystemExit) as end:
        main(["train", "--config", str(run), "--quiet"])
    assert end.value.code == 0
    put_liking(store)
    return Shop(folder, files, store, hostile_ontology(folder / "[red]ontology"), out / "weights.json", run)


Arguments = Callable[[Shop, Path], list[list[str]]]

WALKED: dict[str, Arguments] = {
    "demo groceries": lambda s, new: [["demo", "groceries", str(s.files)]],
    "demo run": lambda s, new: [["demo", "run", str(s.files)]],
    "demo build": lambda s, new: [["demo", "build", str(s.files)]],
    "demo report": lambda s, new: [["demo", "report", str(s.files), "--weights", str(s.weights)]],
    "ontology check": lambda s, new: [["ontology", "check", str(s.ontology)]],
    "ontology rules": lambda s, new: [
        ["ontology", "rules", str(s.ontology)],
        ["ontology", "rules", str(s.ontology), "--json"],
    ],
    "ontology graph": lambda s, new: [
        ["ontology", "graph", str(s.ontology), "--svg", str(new / "[red].svg")]
    ],
    "ontology copy": lambda s, new: [["ontology", "copy", "fashion", str(new / "[red]copy")]],
    "ontology fmt": lambda s, new: [["ontology", "fmt", str(s.ontology), "--check"]],
    "ontology lint": lambda s, new: [["ontology", "lint", str(s.ontology)]],
    "ontology merge": lambda s, new: [
        ["ontology", "merge", *(str(s.ontology / "rules.ttl") for _ in range(3))]
    ],
    "ontology diff": lambda s, new: [["ontology", "diff", str(EXAMPLE), str(s.ontology)]],
    "ontology export": lambda s, new: [
        ["ontology", "export", str(s.ontology), "--csv", str(new / "[red]csv")]
    ],
    "ontology import": lambda s, new: [
        ["ontology", "import", str(new / "[red]no.xlsx"), str(s.ontology)],
    ],
    "ontology carry": lambda s, new: [
        [
            "ontology",
            "carry",
            str(s.weights),
            "--from",
            str(EXAMPLE),
            "--to",
            str(s.ontology),
            "-o",
            str(new / "w"),
        ]
    ],
    "load": lambda s, new: [
        ["load", str(s.files), "--store", str(new / "[red].lb"), "--rejects", str(new / "r.csv")],
        ["load", str(s.files), "--store", str(new / "[red].lb"), "--json"],
        ["load", str(new / "\x1b[31mno"), "--store", str(new / "[red].lb")],
    ],
    "init": lambda s, new: [
        ["init", str(s.files), "--out", str(new / "[red]init")],
        ["init", str(s.files), "--out", str(new / "[red]json"), "--json"],
        ["init", str(new / "\x1b[31mno.csv")],
    ],
    "forget": lambda s, new: [["forget", "\x1b[31m[red]", "--store", s.store]],
    "train": lambda s, new: [["train", "--config", str(s.run)], ["train", "--config", "\x1b[31m"]],
    "tune": lambda s, new: [["tune", "--config", str(s.run), "--over", "\x1b[31m[red]=1:2"]],
    "rank": lambda s, new: [
        ["rank", CATEGORY, "--store", s.store, "--explain"],
        ["rank", CATEGORY, "--store", s.store, "--json"],
        ["rank", CATEGORY, "--store", s.store, "--user", USER, "--explain"],
        ["rank", "\x1b[31m[red]", "--store", s.store],
    ],
    "propose values": lambda s, new: [
        [
            "propose",
            "values",
            str(s.files / "items.csv"),
            "--text",
            "[red]\x1b[31m",
            "--out",
            str(new / "[red].csv"),
        ],
    ],
    "propose accept": lambda s, new: [
        ["propose", "accept", str(s.files / "items.csv"), str(new / "\x1b[31mno.csv")],
    ],
    "importance": lambda s, new: [
        ["importance", CATEGORY, "--store", s.store, "--chart", str(new / "[red]i.svg")],
        ["importance", CATEGORY, "--store", s.store, "--json"],
    ],
    "explain": lambda s, new: [
        ["explain", ITEM, "--category", CATEGORY, "--store", s.store],
        ["explain", ITEM, "--category", CATEGORY, "--store", s.store, "--json"],
        ["explain", ITEM, "--category", CATEGORY, "--store", s.store, "--user", USER],
        ["explain", ITEM, "--category", CATEGORY, "--store", s.store, "--user", USER, "--json"],
    ],
    "facets": lambda s, new: [["facets", CATEGORY, "--store", s.store]],
    "audit": lambda s, new: [
        ["audit", "--store", s.store, "--chart", str(new / "[red]a.svg")],
        ["audit", "--store", s.store, "--json"],
    ],
    "ask": lambda s, new: [
        ["ask", CATEGORY, "--store", s.store, "--survey", str(new / "survey.csv"), "--people", "2"],
        ["ask", CATEGORY, "--store", s.store, "--json"],
    ],
    "weights list": lambda s, new: [["weights", "list", "--store", s.store]],
    "weights serve": lambda s, new: [["weights", "serve", "\x1b[31m[red]", "--store", s.store]],
    "weights prune": lambda s, new: [["weights", "prune", "--keep", "5", "--store", s.store]],
    "doctor": lambda s, new: [["doctor", "--store", s.store], ["doctor", "--store", s.store, "--report"]],
    "serve": lambda s, new: [["serve", "--store", "[red]\x1b[31mno://x"]],
    "keys add": lambda s, new: [["keys", "add", "[red]\x1b[31m\u202e", "--file", str(new / "k.json")]],
    "keys list": lambda s, new: [
        ["keys", "add", "[red]\x1b[31m\u202e", "--file", str(new / "k.json")],
        ["keys", "list", "--file", str(new / "k.json")],
        ["keys", "list", "--file", str(new / "k.json"), "--json"],
    ],
    "keys remove": lambda s, new: [["keys", "remove", "[red]\x1b[31m", "--file", str(new / "k.json")]],
    "help": lambda s, new: [["help", "\x1b[31m[red]"]],
}
"""Calls of each command that print names, titles, ids and paths of the shop."""


def all_commands() -> Iterator[str]:
    group = Commands(name="kgrank")
    for name in COMMANDS:
        below = getattr(group.commands[name], "commands", None)
        yield from [name] if below is None else (f"{name} {word}" for word in below)


def test_the_walk_has_every_command() -> None:
    assert set(all_commands()) == set(WALKED)


@pytest.mark.parametrize("command", WALKED)
def test_nothing_in_the_data_steers_the_terminal(
    shop: Shop, tmp_path: Path, command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for arguments in WALKED[command](shop, tmp_path):
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main(arguments)
        output, errors = capfd.readouterr()
        assert end.value.code in (0, 1, 2)
        assert not STEERING.search(output), (arguments, STEERING.findall(output))
        assert not STEERING.search(errors), (arguments, STEERING.findall(errors))
        assert "\\[" not in output.replace('\\"', "") or "--json" in arguments
        if "--json" in arguments:
            json.loads(output)


@pytest.mark.parametrize("command", ["rank", "importance", "explain", "facets", "audit", "ontology rules"])
def test_markup_in_names_is_shown_as_it_is_written(
    shop: Shop, tmp_path: Path, command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    with pytest.raises(SystemExit):
        main(WALKED[command](shop, tmp_path)[0])
    output, _ = capfd.readouterr()
    assert "[red]" in output
    assert "[/]" in output


def test_titles_in_sentences_about_what_was_bought_are_shown_as_they_are_written(
    shop: Shop, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # A training of the walk may have left weights without it.
    put_liking(shop.store)
    for language, words in (("en", "you bought title"), ("zh", "您买过“title")):
        capfd.readouterr()
        with pytest.raises(SystemExit):
            main([*WALKED["explain"](shop, tmp_path)[2], "--language", language])
        output = " ".join(capfd.readouterr()[0].split())
        assert words in output
        assert "[red]t[/] [/]" in output.partition(words)[2]
        assert "color [red]n[/] [/]" in output


def test_the_pictures_of_the_walk_are_well_formed(shop: Shop, tmp_path: Path) -> None:
    pictures = [
        c for name in ("importance", "audit", "ontology graph") for c in WALKED[name](shop, tmp_path)[:1]
    ]
    for arguments in pictures:
        with pytest.raises(SystemExit):
            main(arguments)
    drawn = sorted(tmp_path.glob("*.svg"))
    assert len(drawn) == len(pictures)
    for path in drawn:
        ElementTree.parse(path)


def test_harmless_text_has_the_same_length_and_json_the_same_meaning() -> None:
    assert len(harmless(HOSTILE)) == len(HOSTILE)
    assert "␛[31m" in harmless(HOSTILE)
    document = json.dumps({HOSTILE: "\ud800\x85 ä 颜色"}, ensure_ascii=False)
    assert not STEERING.search(harmless_json(document))
    assert json.loads(harmless_json(document)) == json.loads(document)
    assert "ä 颜色" in harmless_json(document)
