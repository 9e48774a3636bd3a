"""A full-size ontology: Shopify's taxonomy with Chinese names and generated rules, as Turtle files."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from kgrank.ontology.imports.fold import fold
from kgrank.ontology.imports.plan import Plan
from kgrank.ontology.imports.shopify import read_shopify
from kgrank.ontology.imports.write import BASE, write_plan

RULES = 3_000
_HEAD = f"""@prefix kg: <https://w3id.org/kgrank/ns#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix c: <{BASE}category/> .
@prefix a: <{BASE}attribute/> .
@prefix p: <{BASE}person/> .
@prefix r: <{BASE}rule/> .

p:editor a kg:Person ; skos:prefLabel "Editor"@en , "编辑"@zh .
"""


def write_full_size(taxonomy: Path, folder: Path, rules: int = RULES, seed: int = 7) -> None:
    """Writes 10,282 categories, 2,265 attributes, 18,448 values and the rules: about 212,000 triples."""
    plan = _with_chinese(read_shopify(taxonomy))
    write_plan(plan, fold(plan), folder)
    (folder / "rules.ttl").write_text(_rules(plan, rules, random.Random(seed)), encoding="utf-8")


def _with_chinese(plan: Plan) -> Plan:
    return replace(
        plan,
        languages=("en", "zh"),
        categories=tuple(
            replace(c, names={**c.names, "zh": f"类目{n}"}) for n, c in enumerate(plan.categories)
        ),
        attributes=tuple(
            replace(
                a,
                names={**a.names, "zh": f"属性{n}"},
                values={v: {**names, "zh": f"{names['en']}值"} for v, names in a.values.items()},
            )
            for n, a in enumerate(plan.attributes)
        ),
    )


def _rules(plan: Plan, count: int, dice: random.Random) -> str:
    """Orders and shares; orders follow one ranking of all attributes, so that none contradict."""
    rank = {a.id: n for n, a in enumerate(plan.attributes)}
    roomy = [c for c in plan.categories if len(c.uses) >= 3]
    parts = [_HEAD]
    taken: set[tuple[str, str]] = set()
    while len(parts) <= count:
        number = len(parts) - 1
        category = roomy[dice.randrange(len(roomy))]
        picked = sorted(dice.sample(sorted(category.uses), 3), key=rank.__getitem__)
        if (category.id, picked[0]) in taken:
            continue
        taken.add((category.id, picked[0]))
        if number % 2:
            words = f"kg:Order ; kg:in c:{category.id} ; kg:order ( {' '.join(f'a:{a}' for a in picked)} )"
        else:
            share = dice.randrange(40, 60) / 100
            words = f"kg:AtMost ; kg:in c:{category.id} ; kg:attribute a:{picked[0]} ; kg:share {share}"
        parts.append(
            f"r:rule-{number} a {words} ;\n"
            f"    kg:sure {dice.randrange(60, 95) / 100} ;\n"
            f'    kg:because "Reason {number}."@en , "理由{number}。"@zh ;\n'
            f'    dcterms:creator p:editor ; dcterms:created "2026-0{1 + number % 9}-1{number % 9}"^^xsd:date .\n'
        )
    return "\n".join(parts)
