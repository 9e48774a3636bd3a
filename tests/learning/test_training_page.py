"""docs/training.md names every option of a run, with its default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from kgrank.learning.configuration.config import NetworkConfig, PriorMeansConfig, RunConfig

BLOCKS = {"network": (NetworkConfig, "auto"), "network.prior_means": (PriorMeansConfig, "off")}
"""Options that are one word or a block, and the word that is the default."""
PAGE = Path(__file__).parents[2] / "docs" / "training.md"


def options(kind: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names of all options below a dataclass, with their defaults as the page writes them."""
    hints = get_type_hints(kind)
    for field in fields(kind):
        inner = hints[field.name]
        if is_dataclass(inner):
            yield from options(inner, f"{prefix}{field.name}.")
        elif (switch := f"{prefix}{field.name}") in BLOCKS:
            block, default = BLOCKS[switch]
            yield switch, default
            yield from options(block, f"{switch}.")
        elif field.name != "trainer":
            yield f"{prefix}{field.name}", written(field.default)


def written(default: Any) -> str:
    if default is MISSING:
        return ""
    return "none" if default is None else str(default).lower()


def test_every_option_stands_in_the_table_with_its_default() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.*?) ?\| ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rows) == dict(options(RunConfig))
