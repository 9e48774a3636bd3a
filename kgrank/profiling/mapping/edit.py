"""Attributes added to a mapping file as lines of text: no other line is touched, and comments stay."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from kgrank.errors import InputError
from kgrank.ingest.mapping import AttributeField
from kgrank.profiling.mapping.file import plain


def with_attributes(text: str, source: int, fields: Mapping[str, AttributeField], path: Path) -> str:
    """The text of a mapping with more attributes in one of its item files.

    Args:
        text: A valid mapping.
        source: Which of the entries of ``items``, from 0.
        fields: The attributes by their ids.
        path: The file, for the message.

    Raises:
        InputError: The entry is written in braces on one line.
    """
    if not fields:
        return text
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    items = _member(root, "items")
    entry = items.value[source] if isinstance(items, yaml.SequenceNode) else items
    assert isinstance(entry, yaml.MappingNode), "a mapping that was read has its files as tables"
    attributes = _member(entry, "attributes")
    for node in (entry, attributes):
        if isinstance(node, yaml.CollectionNode) and node.flow_style and node.value:
            raise InputError(
                "the attributes are written in braces",
                where=f"{path}:{node.start_mark.line + 1}",
                expected="one line an attribute",
                todo=f"Write each on a line of its own, and these too: {', '.join(fields)}.",
            )
    new = yaml.safe_dump(plain(dict(fields)), sort_keys=False, allow_unicode=True, width=110)
    if isinstance(attributes, yaml.MappingNode) and attributes.value:
        indent, last_line = attributes.value[0][0].start_mark.column, _last_line(attributes)
        added = []
    else:
        column = entry.value[0][0].start_mark.column
        indent, last_line = column + 2, _last_line(entry)
        added = [" " * column + "attributes:"]
    lines, at = text.splitlines(), last_line + 1
    added += [" " * indent + line for line in new.splitlines()]
    return "\n".join([*lines[:at], *added, *lines[at:]]) + "\n"


def _member(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _last_line(node: yaml.Node) -> int:
    """The line, from 0, on which the last scalar of a node ends."""
    if isinstance(node, yaml.MappingNode) and node.value:
        return _last_line(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and node.value:
        return _last_line(node.value[-1])
    return int(
        node.start_mark.line if isinstance(node, yaml.ScalarNode) and not node.value else node.end_mark.line
    )
