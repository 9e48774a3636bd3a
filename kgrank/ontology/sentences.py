"""Rules as sentences, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from kgrank.errors import InputError
from kgrank.ontology.kinds.kind import LANGUAGES
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import BRAND, Condition, Ontology, Rule, Term
from kgrank.ontology.phrases import PHRASES, Phrases


def sentence(rule: Rule, ontology: Ontology, language: str = "en") -> str:
    """The rule in one sentence; ``language`` is one of ``LANGUAGES``.

    Raises:
        InputError: The language is another one.
    """
    if language not in LANGUAGES:
        raise InputError(f"rules cannot be said in {language}", expected=" or ".join(LANGUAGES))
    return _Sentences(ontology, language).of(rule)


@dataclass(frozen=True)
class _Sentences:
    ontology: Ontology
    language: str

    @property
    def phrases(self) -> Phrases:
        return PHRASES[self.language]

    def of(self, rule: Rule) -> str:
        words = self.phrases
        location = words.where.format(places=self._categories(rule.categories))
        if rule.but_not:
            location += words.except_.format(places=self._categories(rule.but_not))
        if rule.segments:
            names = [self._name(self.ontology.segments, s) for s in rule.segments]
            location = words.segment.format(segments=self._list(names)) + location
        body = rule_kind(rule.kind).sentences[self.language].format(**self._fields(rule))
        sure = words.hard if rule.hard else words.sure.format(percent=_percent(rule.sure))
        text = words.whole.format(place=location, body=body, sure=sure)
        return text[0].upper() + text[1:]

    def _fields(self, rule: Rule) -> dict[str, str]:
        """Everything that a sentence of any kind may mention."""
        words = self.phrases
        steps = (
            words.more_than.format(a=self._attribute(a), b=self._attribute(b))
            for a, b in pairwise(rule.order)
        )
        return {
            "a": self._attribute(rule.attribute) if rule.attribute else "",
            "chain": words.chain_sep.join(steps),
            "share": _percent(rule.share),
            "within": _percent(rule.within),
            "better": words.more if rule.better == "More" else words.less,
            "values": " > ".join(self._value(rule.attribute, v) for v in rule.values),
            "members": self._list([self._member(m) for m in rule.members]),
            "when": self._list([self._condition(c) for c in rule.when]),
            "then": self._condition(rule.then) if rule.then else "",
            "then_a": self._attribute(rule.then.attribute) if rule.then else "",
            "brand": self._brand(rule.brand),
            "top": str(rule.top),
        }

    def _condition(self, test: Condition) -> str:
        words, a = self.phrases, self._attribute(test.attribute)
        if test.value is not None:
            return words.equals.format(a=a, value=self._value(test.attribute, test.value))
        low, high = (self._quantity(test.attribute, n) for n in (test.minimum, test.maximum))
        if test.minimum is not None and test.maximum is not None:
            return words.between.format(a=a, low=low, high=high)
        return (
            words.from_.format(a=a, low=low)
            if test.minimum is not None
            else words.up_to.format(a=a, high=high)
        )

    def _quantity(self, attribute: str, number: float | None) -> str:
        known = self.ontology.attributes.get(attribute)
        unit = f" {known.unit}" if known is not None and known.unit else ""
        return "" if number is None else f"{number:.12g}{unit}"

    def _value(self, attribute: str | None, value: str | bool | float) -> str:
        if isinstance(value, bool):
            return self.phrases.yes if value else self.phrases.no
        if isinstance(value, int | float):
            return self._quantity(attribute or "", value)
        return self._name(self.ontology.brands if attribute == BRAND else self.ontology.values, value)

    def _member(self, member: str) -> str:
        if member in self.ontology.attributes:
            return self._attribute(member)
        return self._name(self.ontology.values, member)

    def _brand(self, brand: str | None) -> str:
        if brand is None:
            return self.phrases.any_brand
        return self.phrases.brand_cap.format(brand=self._name(self.ontology.brands, brand))

    def _attribute(self, attribute: str) -> str:
        return within_sentence(self._name(self.ontology.attributes, attribute))

    def _categories(self, categories: tuple[str, ...]) -> str:
        return self._list([self._name(self.ontology.categories, c) for c in categories])

    def _name(self, terms: Mapping[str, Term], key: str) -> str:
        term = terms.get(key)
        return key if term is None else term.name(self.language)

    def _list(self, names: list[str]) -> str:
        if len(names) < 2:
            return "".join(names)
        return self.phrases.list_sep.join(names[:-1]) + self.phrases.and_ + names[-1]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.4g}%"


def within_sentence(name: str) -> str:
    """A name as it is written inside a sentence: "Heel height" is "heel height"; "UV" and "Unit Price" stay."""
    return name if any(map(str.isupper, name[1:])) else name[:1].lower() + name[1:]
