"""``fmt``: says the same, twice is once, comments stay with their block, one edit touches one block."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_positions import TRICKY
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.errors import InputError
from kgrank.ontology.layout import format_folder, format_text
from kgrank.ontology.triples import comparable_triples
from kgrank.resources import folder

RUN = CliRunner()
FILES = sorted([*(folder("ontology") / "fashion").glob("*.ttl"), folder("ontology") / "kgrank.ttl"])
COMMENTED = """# top
@prefix kg: <https://w3id.org/kgrank/ns#> . # beside
@prefix c: <http://e/> .

# A heading

# about x
c:x a kg:Category ; # kind
   # above requires
   kg:requires c:b10 , # ten
     c:b2 ; kg:narrows [ kg:min 3 # inside
     ; kg:attribute c:q ] .  # end of x
c:x kg:drops c:q . # again
# the end
"""


def test_every_form_of_turtle_is_kept() -> None:
    once = format_text(TRICKY)
    assert format_text(once) == once
    assert comparable_triples([once]) == comparable_triples([TRICKY])


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
@pytest.mark.parametrize("sort", [False, True])
def test_it_says_the_same_and_twice_is_once(path: Path, sort: bool) -> None:
    text = path.read_text(encoding="utf-8")
    once = format_text(text, sort=sort)
    assert format_text(once, sort=sort) == once
    assert comparable_triples([once]) == comparable_triples([text])
    assert re.findall("#.*", once.split("@prefix")[0]) == re.findall("#.*", text.split("@prefix")[0])


def test_no_comment_is_lost() -> None:
    tidy = format_text(COMMENTED)
    for comment in re.findall(r"# [a-z A-Z]+", COMMENTED):
        assert comment.strip() in tidy
    assert "# A heading\n\n# about x\n# again\nc:x a kg:Category ;  # kind\n" in tidy
    assert "    kg:requires c:b2 , c:b10 ;\n" in tidy
    assert format_text(tidy) == tidy


def test_an_edit_changes_no_line_outside_its_block(fashion_folder: Path) -> None:
    text = format_text((fashion_folder / "rules.ttl").read_text(encoding="utf-8"))
    edited = text.replace(
        "kg:order ( a:style a:color a:price )", "kg:order (a:color   a:price) ; kg:must true"
    )
    lines = [d[2:] for d in difflib.ndiff(text.split("\n"), format_text(edited).split("\n")) if d[0] in "-+"]
    block = text[text.index("r:dress-order") :].split("\n\n")[0]
    assert lines
    assert all(line in block or "( a:color a:price )" in line or "kg:must" in line for line in lines)


def test_sorting_goes_by_notation_and_stays_below_a_heading() -> None:
    head = "@prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n@prefix c: <http://e/> .\n"
    things = "".join(f'c:t{n} skos:notation "aa-{n}" .\n' for n in (10, 2, 1))
    tidy = format_text(f"{head}\n# one\n\n{things}\n# two\n\n{things.replace('c:t', 'c:u')}", sort=True)
    assert re.findall(r"# \w+|c:\w+", tidy.split("\n\n", 1)[1]) == [
        *("# one", "c:t1", "c:t2", "c:t10"),
        *("# two", "c:u1", "c:u2", "c:u10"),
    ]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40), st.sampled_from(["", "@en", "^^c:x"]))
def test_any_text_survives(text: str, tail: str) -> None:
    quoted = text.encode("utf-8", "ignore").decode().replace("\\", "\\\\").replace('"', '\\"')
    quoted = quoted.replace("\n", "\\n").replace("\r", "\\r")
    once = format_text(f'@prefix c: <http://e/> .\nc:a c:b "{quoted}"{tail} .\n')
    assert format_text(once) == once


def test_the_command_writes_what_differs_and_check_only_says_so(example: Path) -> None:
    before = {p.name: p.read_bytes() for p in example.glob("*.ttl")}
    checked = RUN.invoke(app, ["ontology", "fmt", str(example), "--check"])
    assert checked.exit_code == 1
    assert f"would change {example}/rules.ttl" in checked.output
    assert before == {p.name: p.read_bytes() for p in example.glob("*.ttl")}
    assert RUN.invoke(app, ["ontology", "fmt", str(example)]).exit_code == 0
    assert RUN.invoke(app, ["ontology", "fmt", str(example), "--check"]).exit_code == 0
    assert format_folder(example) == {}


def test_a_file_that_does_not_parse_stops_it_before_anything_is_written(example: Path) -> None:
    (example / "rules.ttl").write_text("r:x a kg:Order", encoding="utf-8")
    with pytest.raises(InputError, match="P001"):
        format_folder(example)
