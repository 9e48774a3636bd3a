"""The tokeniser finds the statements that a parser finds, where they stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyoxigraph import BlankNode, NamedNode, RdfFormat, parse

from kgrank.ontology.check.graph import key
from kgrank.ontology.check.messages import SourceLocation
from kgrank.ontology.check.positions import positions
from kgrank.ontology.vocabulary import TYPE
from kgrank.resources import folder

FILES = sorted(
    [
        *(Path(__file__).parent / "fashion_example").glob("*.ttl"),
        *(folder("ontology") / "fashion").glob("*.ttl"),
    ]
)
TRICKY = '''@prefix : <urn:x#> . @prefix e.x: <urn:e#> .
@base <http://base.example/> .
# :no :statement "here" .
:a a :T ; :p "semi ; colon # and \\"quote\\"" , """long
"text" .""" ; :q 1.5 , -2 , 3e4 , true .
PREFIX n: <urn:n#>
e.x:b.c :p [ :q ( :x [ :r 'single'@en-GB ] :y ) ; :s "7"^^<urn:int> ] ; :t <rel> .
n:d :p "caf\\u00e9" . :last :p\\-q :%41 .
'''


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_statement_about_a_named_thing_has_its_line(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found, lines = positions(text), text.split("\n")
    checked = 0
    for quad in parse(text.encode(), RdfFormat.TURTLE):
        if isinstance(quad.subject, BlankNode) or isinstance(quad.object, BlankNode):
            continue
        place = SourceLocation(path.name, quad.subject.value, quad.predicate.value, key(quad.object))
        line, column = found.find(place)
        written = lines[line - 1][column - 1 :]
        last = key(quad.object).rsplit("/", 1)[-1].rsplit("#", 1)[-1].lstrip('"')
        assert last in written, (quad, line, column)
        checked += 1
    assert checked > 15


def test_comments_long_texts_brackets_and_lists_do_not_mislead_it() -> None:
    found = positions(TRICKY)

    def at(subject: str, word: str | None = None, thing: str | None = None) -> tuple[int, int]:
        return tuple(found.find(SourceLocation("f", subject, word, thing)))  # type: ignore[return-value]

    assert at("urn:x#a") == (4, 1)
    assert at("urn:x#a", TYPE, "urn:x#T") == (4, 6)
    assert at("urn:x#a", "urn:x#q") == (5, 15)
    assert at("urn:x#a", "urn:x#q", '"-2') == (5, 24)
    assert at("urn:e#b.c", "urn:x#q", "urn:x#x") == (7, 19)
    assert at("urn:e#b.c", "urn:x#r", '"single') == (7, 27)
    assert at("urn:e#b.c", "urn:x#q", "urn:x#y") == (7, 44)
    assert at("urn:e#b.c", "urn:x#t", "http://base.example/rel") == (7, 76)
    assert at("urn:n#d", "urn:x#p", '"café') == (8, 8)
    assert at("urn:x#last", "urn:x#p-q") == (8, 28)
    subjects = {
        q.subject.value for q in parse(TRICKY.encode(), RdfFormat.TURTLE) if isinstance(q.subject, NamedNode)
    }
    assert subjects == {"urn:x#a", "urn:e#b.c", "urn:n#d", "urn:x#last"}


def test_what_is_not_there_has_the_place_of_what_is_around_it() -> None:
    found = positions(TRICKY)
    assert found.find(SourceLocation("f", "urn:x#a", "urn:x#missing", "urn:x#x")) == (4, 1)
    assert found.find(SourceLocation("f", "urn:nowhere")) == (1, 1)


@pytest.mark.parametrize(
    "text", [p.read_text(encoding="utf-8") for p in FILES] + [TRICKY], ids=lambda t: str(len(t))
)
def test_a_thing_read_by_itself_stands_where_it_stands_in_the_whole(text: str) -> None:
    whole = positions(text)
    for quad in parse(text.encode(), RdfFormat.TURTLE):
        if isinstance(quad.subject, NamedNode):
            place = SourceLocation("f", quad.subject.value, quad.predicate.value, key(quad.object))
            assert positions(text, {place.subject}).find(place) == whole.find(place)


def test_a_name_in_a_list_or_a_comment_is_not_the_head_of_a_block() -> None:
    text = """@prefix c: <urn:c#> .
# c:b
c:a c:p
c:b
, c:c . # c:b .
c:b
  c:q 1 .
<urn:c#b> c:r 2 .
"""
    found = positions(text, {"urn:c#b"})
    assert found.find(SourceLocation("f", "urn:c#b")) == (6, 1)
    assert found.find(SourceLocation("f", "urn:c#b", "urn:c#r")) == (8, 11)
