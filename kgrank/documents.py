"""JSON and YAML from strangers: text whose parts are too many inside each other is an error like any other."""

from __future__ import annotations

import json
from typing import Any

import yaml

MOST_DEEP = 50
"""Parts inside each other at most: lists and tables of YAML, brackets of Turtle."""

MOST_PARTS = 1_000_000
"""Parts of a YAML document at most, each alias (``*name``) counted as often as it is used."""


class NestingError(ValueError):
    """Parts inside each other that no program reads."""


def load_json(text: str, **options: Any) -> Any:
    """``json.loads``; a document that is nested too deeply is a ``NestingError``, which is a ValueError."""
    try:
        return json.loads(text, **options)
    except RecursionError:
        raise NestingError("too many lists and objects inside each other") from None


def decode_json(decoder: json.JSONDecoder, text: str, start: int) -> tuple[Any, int]:
    """The value at a place of a text, and where it ends; as ``load_json``, one nested too deeply is an error."""
    try:
        return decoder.raw_decode(text, start)
    except RecursionError:
        raise NestingError("too many lists and objects inside each other") from None


def load_yaml(text: str, loader: type[yaml.BaseLoader | yaml.SafeLoader] = yaml.SafeLoader) -> Any:
    """The value of a YAML document, by ``yaml.BaseLoader`` with every scalar as text.

    Raises:
        yaml.YAMLError: It is no YAML, nested too deeply, or too large with all its aliases.
    """
    return yaml.load(bounded_yaml(text), loader)


def bounded_yaml(text: str) -> str:
    """The text, where its parts can be read: aliases of aliases can make a few lines larger than any memory.

    Raises:
        yaml.MarkedYAMLError: It is nested too deeply, or too large with all its aliases; or it is no YAML.
    """
    sizes: dict[str, int] = {}
    open_parts: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_parts.pop()
            if anchor is not None:
                sizes[anchor] = total - before
            continue
        if isinstance(event, yaml.CollectionStartEvent):
            open_parts.append((event.anchor, total))
        if isinstance(event, yaml.NodeEvent):
            # An alias within what it names has no size yet, and is refused as it would have none in the end.
            total += sizes.get(event.anchor or "", MOST_PARTS) if isinstance(event, yaml.AliasEvent) else 1
            if isinstance(event, yaml.ScalarEvent) and event.anchor is not None:
                sizes[event.anchor] = 1
        problem = None
        if len(open_parts) > MOST_DEEP:
            problem = f"more than {MOST_DEEP} lists and tables inside each other"
        elif total > MOST_PARTS:
            problem = f"more than {MOST_PARTS:,} parts, with aliases of aliases"
        if problem is not None:
            mark: Any = event.start_mark
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
    return text
