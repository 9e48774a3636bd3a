"""Labels of kgrank's own in Neo4j, where a database may hold other applications' nodes of the same names.

Statements may name a label in the short form (``Item``) or the long one (``KgrankItem``); each store reads both.
"""

from __future__ import annotations

import re

from kgrank.graph.schema import NODES

PREFIX = "Kgrank"
"""What the long form of a label begins with, as in the statements of the folder ``graph``."""

_TEXT = r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|//[^\n]*|/\*.*?\*/"
_LABEL = re.compile(rf"{_TEXT}|(?P<before>[:|&!]\s*`?)(?:{PREFIX})?(?P<label>{'|'.join(NODES)})\b", re.DOTALL)


def with_prefix(statement: str, prefix: str) -> str:
    """A statement whose labels, in either form, begin with ``prefix``; text in quotes and comments stays."""

    def renamed(match: re.Match[str]) -> str:
        return f"{match['before']}{prefix}{match['label']}" if match["label"] else match[0]

    return _LABEL.sub(renamed, statement)
