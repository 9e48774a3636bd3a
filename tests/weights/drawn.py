"""Learned weights drawn by hypothesis: any that the checks accept."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kgrank.weights.graph_filter import GraphFilter, Relation
from kgrank.weights.liking import LikingWeights
from kgrank.weights.model import (
    AttributeWeight,
    BehaviourTerm,
    CategoryWeights,
    LearnedWeights,
    Population,
    RuleConflict,
    RuleFinding,
    Segment,
    SegmentTastes,
    Utility,
)

reals = st.floats(allow_nan=False, allow_infinity=False)
names = st.text(st.characters(exclude_characters="=", exclude_categories=["Cs"]), min_size=1, max_size=8)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def utilities(draw: st.DrawFn, attribute: str) -> Utility:
    ends = sorted(draw(st.lists(reals, min_size=2, max_size=5)))
    segments = tuple(Segment(a, b, draw(reals), draw(reals)) for a, b in pairwise(ends))
    return Utility(f"{attribute}={draw(texts)}", segments, draw(reals))


@st.composite
def categories(draw: st.DrawFn, category: str) -> CategoryWeights:
    attributes = draw(st.lists(names, unique=True, max_size=4))
    sizes = [draw(st.floats(0.01, 1)) for _ in attributes]
    optional = st.none() | reals
    return CategoryWeights(
        category=category,
        attributes=tuple(
            AttributeWeight(
                attribute=a,
                share=s / sum(sizes),
                lower=draw(reals),
                upper=draw(reals),
                spread=draw(reals),
                reference=draw(texts),
                full=draw(reals),
                shoppers=draw(optional),
                without_rules=draw(optional),
            )
            for a, s in zip(attributes, sizes, strict=True)
        ),
        utilities=tuple(draw(utilities(a)) for a in attributes),
        strength=draw(reals),
        choice_count=draw(st.integers(0)),
        person_count=draw(st.integers(0)),
        source=draw(st.sampled_from(["choices", "graph"])),
        terms=draw(st.dictionaries(names, reals, max_size=2)),
    )


@st.composite
def learned_weights(draw: st.DrawFn) -> LearnedWeights:
    ids = draw(st.lists(names, unique=True, max_size=3))
    return LearnedWeights(
        version=draw(texts),
        created=draw(texts),
        code=draw(texts),
        ontology=draw(texts),
        graph=draw(texts),
        categories={c: draw(categories(c)) for c in ids},
        metrics=draw(st.dictionaries(names, reals, max_size=3)),
        terms=tuple(draw(st.lists(st.builds(BehaviourTerm, texts, texts), max_size=1))),
        findings=tuple(
            draw(
                st.lists(
                    st.builds(
                        RuleFinding, texts, texts, reals, reals, reals, reals, reals, texts, texts,
                        st.integers(), st.integers(), st.none() | reals,
                    ),
                    max_size=2,
                )
            )
        ),
        conflicts=tuple(
            draw(
                st.lists(
                    st.builds(
                        RuleConflict, st.tuples(texts, texts), texts, st.tuples(texts), st.tuples(reals, reals),
                        reals, texts,
                    ),
                    max_size=1,
                )
            )
        ),
        population=Population(
            ("a=b",), ((draw(reals),),), between_segments=draw(st.floats(0, 1)),
            segments=draw(st.dictionaries(names, st.builds(
                SegmentTastes, st.tuples(reals), st.tuples(st.tuples(reals)), st.integers(0)), max_size=2)),
        ),
        notes=tuple(draw(st.lists(texts, max_size=2))),
    )  # fmt: skip


@st.composite
def likings(draw: st.DrawFn, version: str = "v1") -> LikingWeights:
    """Likings of items whose numbers fit into 32 bits."""
    single = st.floats(allow_nan=False, allow_infinity=False, width=32)
    people = st.integers(0, 2**62)
    ids = draw(st.lists(texts, unique=True, max_size=5))
    items, width = len(ids), draw(st.integers(0, 4))

    def relation(name: str) -> Relation:
        groups, narrower = draw(st.integers(0, 3)), draw(st.integers(0, width))
        return Relation(
            name,
            draw(arrays(np.int64, items, elements=st.integers(-1, groups - 1))),
            draw(arrays(np.float64, (groups, narrower), elements=single)),
            draw(arrays(np.int64, groups, elements=people)),
        )

    return LikingWeights(
        version=version,
        items=tuple(ids),
        filter=GraphFilter(
            draw(arrays(np.int64, items, elements=people)),
            draw(arrays(np.float64, items, elements=single)),
            draw(arrays(np.float64, (items, width), elements=single)),
            draw(arrays(np.float64, width, elements=single)),
            tuple(relation(name) for name in draw(st.lists(texts, unique=True, max_size=3))),
        ),
        popularity=draw(reals),
        few_buyers=draw(reals),
        beside_history=draw(reals),
        kinds=tuple(draw(st.lists(names, max_size=3))),
        notes=tuple(draw(st.lists(texts, max_size=2))),
    )
