"""A transaction in which labels mean those of one shop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import neo4j

from kgrank.graph.labels import with_prefix


@dataclass(frozen=True)
class ShopTransaction:
    """A transaction whose statements reach the nodes of one shop alone.

    Attributes:
        transaction: The driver's.
        prefix: What the labels of the shop begin with.
    """

    transaction: neo4j.ManagedTransaction
    prefix: str

    def run(self, statement: str, **parameters: Any) -> neo4j.Result:
        """Runs a statement that names labels in their short or long form."""
        return self.transaction.run(with_prefix(statement, self.prefix), parameters)
