"""Taxonomies of other systems as new ontologies, by the name of the system."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from kgrank.ontology.imports.akeneo import read_akeneo
from kgrank.ontology.imports.fold import fold, summary
from kgrank.ontology.imports.google import read_google
from kgrank.ontology.imports.mapped import read_mapped
from kgrank.ontology.imports.plan import Plan
from kgrank.ontology.imports.shopify import read_shopify
from kgrank.ontology.imports.write import BASE, write_plan
from kgrank.profiling.schema_org import read_schema_org

READERS: Mapping[str, Callable[[Path], Plan]] = {
    "shopify": read_shopify,
    "akeneo": read_akeneo,
    "google": read_google,
    "schema.org": read_schema_org,
    "csv": read_mapped,
}
"""By the name of the other system, what reads its files; the names are those of ``kgrank.ontology.imports``."""


def bring(system: str, source: Path, folder: Path, base: str = BASE) -> list[str]:
    """Reads another system's taxonomy and writes it as a new ontology; answers with what to know about it.

    Raises:
        InputError: The files are not what they should be, or there is an ontology in the folder already.
    """
    plan = READERS[system](source)
    folded = fold(plan)
    write_plan(plan, folded, folder, base)
    return list(summary(plan, folded))
