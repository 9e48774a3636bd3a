"""Whatever happens to the files: never a traceback, and never silence where SHACL or a parser objects."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import CanonicalizationAlgorithm, Dataset, RdfFormat, parse
from rdflib import Graph

from kgrank.errors import InputError
from kgrank.ontology.check import examine
from kgrank.ontology.read import read_ontology
from kgrank.ontology.shacl import check_shapes

EXAMPLE = Path(__file__).parent / "fashion_example"
FILES = {p.name: p.read_bytes() for p in sorted(EXAMPLE.glob("*.ttl"))}
TOKENS = sorted({t for b in FILES.values() for t in b.decode().split()})


def _replaced(data: bytes, at: float, width: int, new: bytes) -> bytes:
    start = int(at * len(data))
    return data[:start] + new + data[start + width :]


def _lines(data: bytes, at: float, what: str) -> bytes:
    lines = data.split(b"\n")
    k = int(at * len(lines))
    changed = {
        "delete": [*lines[:k], *lines[k + 1 :]],
        "double": [*lines[: k + 1], *lines[k:]],
        "swap": [*lines[:k], *reversed(lines[k : k + 2]), *lines[k + 2 :]],
        "cut": lines[:k],
    }
    return b"\n".join(changed[what])


def _token(data: bytes, at: float, new: str) -> bytes:
    words = data.split(b" ")
    words[int(at * len(words))] = new.encode()
    return b" ".join(words)


PLACE = st.floats(0, 1, exclude_max=True)
DAMAGE = st.one_of(
    st.tuples(st.just(_replaced), PLACE, st.integers(0, 12), st.binary(max_size=6)),
    st.tuples(st.just(_lines), PLACE, st.sampled_from(["delete", "double", "swap", "cut"])),
    st.tuples(st.just(_token), PLACE, st.sampled_from(TOKENS)),
)


EDITS = st.lists(st.tuples(st.sampled_from(sorted(FILES)), DAMAGE), min_size=1, max_size=3)
Edits = list[tuple[str, tuple]]  # type: ignore[type-arg]


def damage(folder: Path, edits: Edits) -> None:
    """Makes a folder a copy of the example with the edits."""
    texts = dict(FILES)
    for file, (how, *arguments) in edits:
        texts[file] = how(texts[file], *arguments)
    for file, text in texts.items():
        (folder / file).write_bytes(text)


@cache
def read_by_rdflib(text: str) -> None:
    Graph().parse(data=text, format="turtle")


def meaning(texts: list[str]) -> frozenset[str]:
    """The triples of Turtle texts, with names of blank nodes that do not depend on their order."""
    triples = Dataset(q for text in texts for q in parse(text.encode(), format=RdfFormat.TURTLE))
    triples.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return frozenset(map(str, triples))


CONFORMING: set[frozenset[str]] = set()
"""What passed SHACL: most damage that the check lets pass leaves the meaning as it was, and SHACL is slow."""


def checked(folder: Path) -> None:
    """Holds the check to its word about one folder, whatever is in it."""
    found = examine(folder)
    for message in found.messages:
        lines = (folder / message.file).read_bytes().count(b"\n") + 1 if message.line else 0
        assert 0 <= message.line <= lines
        assert message.column >= 1
        assert message.line_text().startswith(f"{message.file}:{message.line}:{message.column}: ")
    if found.errors:
        with pytest.raises(InputError, match="kgrank ontology check"):
            read_ontology(folder)
        return
    assert found.ontology is not None
    if not found.messages:
        texts = [(folder / name).read_text(encoding="utf-8") for name in FILES]
        for text in texts:
            read_by_rdflib(text)
        if meaning(texts) not in CONFORMING:
            assert check_shapes(folder) == []
            CONFORMING.add(meaning(texts))


@pytest.mark.long
def test_damage_is_never_a_traceback_and_never_passed_over(tmp_path: Path) -> None:
    @settings(max_examples=2000, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(EDITS)
    def holds(edits: Edits) -> None:
        damage(tmp_path, edits)
        checked(tmp_path)

    holds()
