"""Google's product taxonomy: its text file, with or without numbers."""

from __future__ import annotations

import re
from pathlib import Path

from kgrank.errors import InputError
from kgrank.ontology.imports.plan import Plan, PlannedCategory, distinct, identifier
from kgrank.ontology.imports.rows import read_text

_VERSION = re.compile(r"# *Google_Product_Taxonomy_Version: *(\S+)")
_NUMBERED = re.compile(r"(\d+) - (.+)")


def read_google(path: Path) -> Plan:
    """Reads Google's product taxonomy, ``taxonomy.en-US.txt`` or with ids; it has categories and no attributes.

    Raises:
        InputError: It cannot be read; a line's parent is missing; a category is listed twice.
    """
    text = read_text(path)
    version = _VERSION.search(text)
    ids: dict[str, str] = {}
    rows: list[tuple[str, str, object]] = []
    categories = []
    for number, raw in enumerate(text.splitlines(), 1):
        line, where = raw.strip(), f"{path}:{number}"
        if not line or line.startswith("#"):
            continue
        match = _NUMBERED.fullmatch(line)
        full = match.group(2) if match else line
        above, _, name = full.rpartition(" > ")
        id_ = match.group(1) if match else ".".join(identifier(p) for p in full.split(" > "))
        if above and above not in ids:
            raise InputError(f'the category "{full}" comes before "{above}", or that is missing', where=where)
        ids[full] = id_
        rows.append((id_, full, where))
        categories.append(PlannedCategory(id_, {"en": name}, ids.get(above)))
    if not categories:
        raise InputError("there is no category in this file", where=path)
    distinct("category", rows)
    return Plan(tuple(categories), version=version.group(1) if version else "1")
