"""The recipes of docs/ontology.md, followed word for word: what is typed there gives what is shown there."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from invented_weights import invented
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.ontology.blocks import read_blocks
from kgrank.ontology.edit import edit_blocks
from kgrank.ontology.read import read_ontology
from kgrank.weights.artefact import write_weights

PAGE = (Path(__file__).parents[2] / "docs" / "ontology.md").read_text(encoding="utf-8")
SECTION = PAGE.split("\n## Recipes\n")[1].split("\n## ")[0]
RECIPES: dict[str, str] = dict(re.findall(r"### (.+)\n((?:(?!###).*\n)*)", SECTION))
NEW_IN = {"a": "attributes.ttl", "r": "rules.ttl"}


@pytest.fixture
def shop(tmp_path: Path, fashion_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``my-shop``, committed, in the folder in which the recipe is followed."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(fashion_folder, "my-shop")
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], check=True)
    return Path("my-shop")


def blocks(recipe: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", RECIPES[recipe], re.DOTALL)


def write(shop: Path, recipe: str) -> None:
    """Puts the Turtle of a recipe into the files that describe these things, new ones at the end of their file."""
    prefixes = {
        p: i
        for path in shop.glob("*.ttl")
        for p, i in read_blocks(path.read_text(encoding="utf-8")).prefixes.items()
    }
    head = "".join(f"@prefix {p}: <{i}> .\n" for p, i in prefixes.items())
    for text in blocks(recipe, "turtle"):
        names = re.findall(r"^(\w):", text, re.MULTILINE)
        for name, block in zip(names, read_blocks(head + text).blocks, strict=True):
            homes = [
                p
                for p in shop.glob("*.ttl")
                if block.iri in {b.iri for b in read_blocks(p.read_text(encoding="utf-8")).blocks}
            ]
            path = homes[0] if homes else shop / NEW_IN[name]
            changed, added = ({block.iri: block}, []) if homes else ({}, [block])
            path.write_text(
                edit_blocks(path.read_text(encoding="utf-8"), changed, added, (), prefixes), encoding="utf-8"
            )


def follow(recipe: str, nth: int = 0, code: int = 0) -> None:
    """Types the commands of a block; the last one ends with ``code``."""
    steps = re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", blocks(recipe, "console")[nth], re.MULTILINE)
    assert steps
    for number, (command, shown) in enumerate(steps, 1):
        program, *arguments = shlex.split(command)
        assert program == "kgrank"
        result = CliRunner().invoke(app, arguments)
        assert result.output == shown
        assert result.exit_code == (code if number == len(steps) else 0), result.output


def test_add_an_attribute_to_three_categories_from_a_spreadsheet(shop: Path) -> None:
    recipe = "Add an attribute to three categories from a spreadsheet"
    follow(recipe)
    book = openpyxl.load_workbook("my-shop.xlsx")
    for sheet, row in re.findall(r"^\| `(\w+)` \| (.+) \|$", RECIPES[recipe], re.MULTILINE):
        heads = [c.value for c in book[sheet][1]]
        cells = dict(re.findall(r"([\w.]+) `([^`]+)`", row))
        book[sheet].append([cells.get(h) for h in heads])
    book.save("my-shop.xlsx")
    follow(recipe, 1)


@pytest.mark.parametrize(
    ("recipe", "code"),
    [
        ("Rename an attribute without losing its weights", 0),
        ("Say that price matters most in one category only", 0),
        ("Retire a category", 0),
        ("Find out why a rule is refused", 1),
    ],
)
def test_edits_in_turtle(recipe: str, code: int, shop: Path) -> None:
    learned = invented(read_ontology(shop))
    write_weights("weights.json", replace(learned, version=f"w-20261124-101500-{learned.ontology[:6]}"))
    write(shop, recipe)
    follow(recipe, code=code)


def test_bring_a_shopify_shops_categories(shop: Path) -> None:
    Path("taxonomy").mkdir()
    color = {"handle": "color", "name": "Color"}
    category = {
        "id": "gid://shopify/TaxonomyCategory/aa",
        "name": "Apparel",
        "parent_id": None,
        "attributes": [color],
    }
    shoes = {
        **category,
        "id": "gid://shopify/TaxonomyCategory/aa-1",
        "name": "Shoes",
        "parent_id": category["id"],
    }
    attribute = {**color, "values": [{"name": "Red"}, {"name": "Blue"}]}
    for name, rows in (("categories", [category, shoes]), ("attributes", [attribute])):
        Path(f"taxonomy/{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    (command,) = re.findall(
        r"^\$ kgrank (.+)$", blocks("Bring a Shopify shop's categories", "console")[0], re.MULTILINE
    )
    result = CliRunner().invoke(app, shlex.split(command))
    assert result.exit_code == 0
    assert "folded into inheritance: 1 added, 0 dropped\n" in result.output


def test_every_recipe_is_followed() -> None:
    assert len(RECIPES) == 6
