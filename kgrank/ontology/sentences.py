"""Rules as sentences, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from kgrank.errors import InputError
from kgrank.ontology.kinds.kind import LANGUAGES
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import BRAND, Condition, Ontology, Rule, Term


@dataclass(frozen=True)
class _Phrases:
    """The phrases of one language; the words in braces are filled in."""

    where: str
    except_: str
    segment: str
    whole: str
    sure: str
    hard: str
    list_sep: str
    and_: str
    more_than: str
    chain_sep: str
    equals: str
    between: str
    from_: str
    up_to: str
    yes: str
    no: str
    any_brand: str
    more: str
    less: str


_ENGLISH = _Phrases(
    where="in {places}",
    except_=" except {places}",
    segment="for {segments}, ",
    whole="{place}, {body} ({sure}).",
    sure="{percent} sure",
    hard="always",
    list_sep=", ",
    and_=" and ",
    more_than="{a} matters more than {b}",
    chain_sep=", and ",
    equals="{a} is {value}",
    between="{a} is from {low} to {high}",
    from_="{a} is at least {low}",
    up_to="{a} is at most {high}",
    yes="yes",
    no="no",
    any_brand="no brand takes more than",
    more="higher",
    less="lower",
)

_CHINESE = _Phrases(
    where="在{places}中",
    except_="（{places}除外）",
    segment="对{segments}，",
    whole="{place}，{body}（{sure}）。",
    sure="把握{percent}",
    hard="必须成立",
    list_sep="、",
    and_="和",
    more_than="{a}比{b}更重要",
    chain_sep="，",
    equals="{a}为{value}",
    between="{a}在{low}到{high}之间",
    from_="{a}不低于{low}",
    up_to="{a}不高于{high}",
    yes="是",
    no="否",
    any_brand="任一品牌最多占",
    more="高",
    less="低",
)

_BRAND_CAP = {"en": "{brand} takes at most", "zh": "{brand}最多占"}


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
    def phrases(self) -> _Phrases:
        return _CHINESE if self.language == "zh" else _ENGLISH

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
        return _BRAND_CAP[self.language].format(brand=self._name(self.ontology.brands, brand))

    def _attribute(self, attribute: str) -> str:
        """The name inside a sentence: "Heel height" is "heel height", "UV filter" stays."""
        name = self._name(self.ontology.attributes, attribute)
        return name if name[1:2].isupper() else name[:1].lower() + name[1:]

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
