"""A mapping as YAML text that ``read_mapping`` reads back."""

from __future__ import annotations

from collections import abc
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Any

import yaml

from kgrank.ingest.mapping import Mapping

_HEAD = """# Which file, column and word mean what: kgrank help file-schemas.
# Written by kgrank init; edit it, it is yours. What is doubtful is in assumptions.txt.
"""


def mapping_text(mapping: Mapping) -> str:
    """The YAML of a mapping, without what is as it is by default."""
    return _HEAD + yaml.safe_dump(plain(mapping), sort_keys=False, allow_unicode=True, width=110)


def plain(record: Any) -> Any:
    """A record of a mapping as plain values: what differs from the default, in its short form if it has one."""
    if is_dataclass(record) and not isinstance(record, type):
        members = {
            f.name: plain(getattr(record, f.name))
            for f in fields(record)
            if getattr(record, f.name) != _default(f)
        }
        short = getattr(record, "SHORT", None)
        if short is not None and list(members) == [short]:
            return members[short]
        return members
    if isinstance(record, Enum):
        return record.value
    if isinstance(record, abc.Mapping):
        return {key: plain(member) for key, member in record.items()}
    if isinstance(record, tuple):
        return [plain(member) for member in record]
    return record


def _default(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default
