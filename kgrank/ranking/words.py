"""Values, contributions and comparisons in words, English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence

from kgrank.errors import InputError
from kgrank.graph.schema import NUMBER, split_value_id
from kgrank.ontology.model import Ontology

LANGUAGES = ("en", "zh")

_PHRASES = {
    "unknown": {"en": "unknown", "zh": "未知"},
    "true": {"en": "yes", "zh": "是"},
    "false": {"en": "no", "zh": "否"},
    "and": {"en": ", ", "zh": "、"},
    "has": {"en": "{name}: {value}", "zh": "{name}：{value}"},
    "goes-after": {"en": "often chosen after {title}", "zh": "常在浏览“{title}”之后被选择"},
    "goes-after-none": {
        "en": "not chosen after what was looked at so far",
        "zh": "浏览过已看商品的顾客没有选择它",
    },
}


def phrase(key: str, language: str, /, **parts: object) -> str:
    """A phrase of this module in a language.

    Raises:
        InputError: A language without phrases.
    """
    if language not in LANGUAGES:
        raise InputError(f"no language {language!r}", expected=f"one of {', '.join(LANGUAGES)}")
    return _PHRASES[key][language].format(**parts)


def attribute_name(ontology: Ontology, attribute: str, language: str) -> str:
    """Name of an attribute, its id where the ontology has none."""
    known = ontology.attributes.get(attribute)
    return known.name(language) if known else attribute


def value_words(ontology: Ontology, values: Sequence[tuple[str, float]], language: str) -> str:
    """What an item has of one attribute: names of its values, or its number with the unit."""
    if not values:
        return phrase("unknown", language)
    return phrase("and", language).join(_one(ontology, node, number, language) for node, number in values)


def _one(ontology: Ontology, node: str, number: float, language: str) -> str:
    attribute, value = split_value_id(node)
    if value == NUMBER:
        known = ontology.attributes.get(attribute)
        return f"{number:g} {known.unit}" if known and known.unit else f"{number:g}"
    term = ontology.values.get(value) or ontology.brands.get(value)
    if term is not None:
        return term.name(language)
    return phrase(value, language) if value in {"true", "false", "unknown"} else value
