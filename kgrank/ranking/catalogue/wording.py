"""What items have, in words that are made once: many items share few profiles and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from kgrank.graph.schema import NUMBER, split_value_id, value_id
from kgrank.ontology.model import Ontology
from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_words
from kgrank.ranking.catalogue.scores import CategoryScores

Said = tuple[str | None, str]
"""The value ids joined by ``|``, or the number, None where there is none; and the same in words."""


@dataclass(frozen=True)
class ItemWording:
    """The words of one category in one language.

    Attributes:
        ontology: Names and units.
        nodes: AttributeValue ids by index (``Items.nodes``).
        table: The category.
        language: Of the words.
    """

    ontology: Ontology
    nodes: Sequence[str]
    table: CategoryScores
    language: str
    _numbers: dict[tuple[int, float], Said] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def profiles(self) -> tuple[Said, ...]:
        """Of each profile."""
        profiles = self.table.profiles
        parts: list[list[tuple[str, float]]] = [[] for _ in range(int(profiles.first[-1]))]
        for profile, node, number in zip(
            profiles.part_profile.tolist(),
            profiles.part_node.tolist(),
            profiles.part_number.tolist(),
            strict=True,
        ):
            parts[profile].append((self.nodes[node], number))
        bounds = zip(profiles.first[:-1].tolist(), profiles.first[1:].tolist(), strict=True)
        said: list[Said] = []
        for attribute, (low, high) in zip(profiles.attributes, bounds, strict=True):
            said += [self._said(self.table.attributes[attribute], values) for values in parts[low:high]]
        return tuple(said)

    @cached_property
    def nothing(self) -> tuple[Said, ...]:
        """Of each attribute where an item has no value."""
        return tuple(self._said(attribute, []) for attribute in self.table.attributes)

    def number(self, attribute: int, number: float) -> Said:
        """Of a number of an attribute, by its index in the table."""
        if (attribute, number) not in self._numbers:
            name = self.table.attributes[attribute]
            self._numbers[attribute, number] = self._said(name, [(value_id(name, NUMBER), number)])
        return self._numbers[attribute, number]

    def _said(self, attribute: str, values: Sequence[tuple[str, float]]) -> Said:
        name = attribute_name(self.ontology, attribute, self.language)
        words = value_words(self.ontology, values, self.language)
        ids = [repr(x) if split_value_id(n)[1] == NUMBER else split_value_id(n)[1] for n, x in values]
        return "|".join(ids) or None, phrase("has", self.language, name=name, value=words)
