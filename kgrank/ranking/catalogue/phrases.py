"""Values, contributions and comparisons in words, English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence

from kgrank.errors import InputError
from kgrank.graph.schema import NUMBER, split_value_id
from kgrank.ontology.model import BRAND, Ontology
from kgrank.ontology.units import number_texts

LANGUAGES = ("en", "zh")

_PHRASES = {
    "unknown": {"en": "unknown", "zh": "未知"},
    "true": {"en": "yes", "zh": "是"},
    "false": {"en": "no", "zh": "否"},
    "and": {"en": ", ", "zh": "、"},
    "has": {"en": "{name}: {value}", "zh": "{name}：{value}"},
    "for-you": {"en": "{words}, for you {amount:+.2f}", "zh": "{words}，对您 {amount:+.2f}"},
    "from-to": {"en": "{low} to {high}{unit}", "zh": "{low} 至 {high}{unit}"},
    "from": {"en": "{low}{unit} or more", "zh": "{low}{unit} 以上"},
    "up-to": {"en": "{high}{unit} or less", "zh": "{high}{unit} 以下"},
    "pinned": {"en": "pinned to place {position}: {reason}", "zh": "固定在第 {position} 位：{reason}"},
    "buried": {"en": "put behind all others: {reason}", "zh": "排在其他商品之后：{reason}"},
    "excluded": {"en": "excluded: {reason}", "zh": "已排除：{reason}"},
    "boosted": {"en": "boosted by the shop: {reason}", "zh": "由商店加权：{reason}"},
    "diverse": {
        "en": "moved up for variety, by its score number {position}",
        "zh": "为多样性上移，按得分排第 {position}",
    },
    "capped": {
        "en": "stands lower: {name} {value} takes at most {share} of the first {top} places",
        "zh": "位置后移：{name}{value}在前 {top} 位中最多占 {share}",
    },
    "cap-short": {
        "en": "a cap could not be kept, for lack of other items: {reason}",
        "zh": "缺少其他商品，无法遵守上限：{reason}",
    },
    "pin-absent": {
        "en": "{item} is pinned but is not among these items",
        "zh": "{item} 已固定，但不在这些商品之中",
    },
    "candidates-dropped": {
        "en": "Not ranked, since they are not in the shop or not in this category: {items}",
        "zh": "以下商品不在商店中或不属于该类别，未参与排序：{items}",
    },
    "nobody-known": {
        "en": "Nothing tells this shopper's tastes: ranked by the average shopper's.",
        "zh": "尚无此顾客的偏好信息：按平均顾客排序。",
    },
    "shift-value": {
        "en": "{name} {before} → {after}: you looked at {taken} {value} {category} of {events}, "
        "and {usual} of {category} are {value}.",
        "zh": "{name} {before} → {after}：您看的 {events} 件中 {taken} 件为{value}，"
        "而{category}中有 {usual} 为{value}。",
    },
    "shift-only": {
        "en": "{name} {before} → {after}: the one that you looked at is {value}, and {usual} of {category} are.",
        "zh": "{name} {before} → {after}：您看过的一件为{value}，而{category}中有 {usual} 为{value}。",
    },
    "shift-one": {
        "en": "{name} {before} → {after}: of {events} {category} that you looked at one is {value}, "
        "and {usual} of {category} are.",
        "zh": "{name} {before} → {after}：您看的 {events} 件中 1 件为{value}，"
        "而{category}中有 {usual} 为{value}。",
    },
    "shift-number": {
        "en": "{name} {before} → {after}: what you looked at has {average} on average, all {category} {usual}.",
        "zh": "{name} {before} → {after}：您看过的商品平均为 {average}，全部{category}平均为 {usual}。",
    },
    "shift-none": {
        "en": "{name} {before} → {after}: nothing that you looked at tells more of it.",
        "zh": "{name} {before} → {after}：您看过的商品对此没有更多说明。",
    },
    "facet-one": {
        "en": "{name} is left out: {values} value among these items divides nothing.",
        "zh": "不显示{name}：这些商品只有 {values} 个取值，无法区分。",
    },
    "facet-covers": {
        "en": "{name} is left out: only {coverage} of these items have a value, fewer than {least}.",
        "zh": "不显示{name}：只有 {coverage} 的商品有取值，低于 {least}。",
    },
    "facet-reason": {
        "en": "{name} is {share} of the decision, {coverage} of the likely choices have a value, and two of them "
        "differ in it in {divides} of cases.",
        "zh": "{name}占决定的 {share}；{coverage} 的可能选择有取值；其中任意两件有 {divides} 的机会不同。",
    },
    "facet-value": {
        "en": "{name}: {share} of the likely choices, {items} of the items",
        "zh": "{name}：占可能选择的 {share}，占商品的 {items}",
    },
    "over": {
        "en": "{first} stands above {second} by {difference:+.2f}, ± {margin:.2f}.",
        "zh": "{first}的得分比{second}高 {difference:+.2f}（± {margin:.2f}）。",
    },
    "under": {
        "en": "{first} does not stand above {second}: it has {difference:+.2f}, ± {margin:.2f}.",
        "zh": "{first}并不高于{second}：得分差 {difference:+.2f}（± {margin:.2f}）。",
    },
    "against": {
        "en": "{name}: {first} against {second}, {difference:+.2f} ± {margin:.2f}.",
        "zh": "{name}：{first}对{second}，{difference:+.2f} ± {margin:.2f}。",
    },
    "alike": {"en": "{name}: {first} for both.", "zh": "{name}：两者均为{first}。"},
    "change": {
        "en": "{name} from {old} to {new} ({gain:+.2f})",
        "zh": "{name}由{old}改为{new}（{gain:+.2f}）",
    },
    "way": {
        "en": "{title} would be number {position} with {changes}.",
        "zh": "若{changes}，{title}将排第 {position}。",
    },
    "within-already": {
        "en": "{title} is number {position} already.",
        "zh": "{title}已排第 {position}。",
    },
    "no-way": {
        "en": "No change of its attributes brings {title} into the first {first}: it lacks {gap:.2f}, "
        "and the best values of all of them add {best:.2f}.",
        "zh": "改变属性无法使{title}进入前 {first}：差 {gap:.2f}，全部取最优值也只加 {best:.2f}。",
    },
    "by-segment": {
        "en": "By the mean tastes of the segment {segment}, from choices of {people:,} people.",
        "zh": "按人群“{segment}”的平均偏好，来自 {people:,} 人的选择。",
    },
    "no-population": {
        "en": "These weights do not say how shoppers differ: the session moves no taste.",
        "zh": "此权重未说明顾客之间的差异：本次会话不改变偏好。",
    },
    "no-words": {"en": "No item has any of the words: {words}.", "zh": "没有商品包含：{words}。"},
    "some-words": {
        "en": "No item has all {all} words; these have {matched} of them. No item has: {missing}.",
        "zh": "没有商品包含全部 {all} 个词；这些商品包含其中 {matched} 个。没有商品包含：{missing}。",
    },
    "few-words": {
        "en": "No item has all {all} words; these have {matched} of them.",
        "zh": "没有商品包含全部 {all} 个词；这些商品包含其中 {matched} 个。",
    },
    "filter-empty": {
        "en": "The filter {filter} leaves none of {items} items.",
        "zh": "筛选“{filter}”后，{items} 件商品一件不剩。",
    },
    "category-empty": {"en": "{name} has no items.", "zh": "{name}没有商品。"},
    "more-is-better": {"en": "more is better", "zh": "越高越好"},
    "less-is-better": {"en": "less is better", "zh": "越低越好"},
    "is": {"en": "{name} is {value}", "zh": "{name}为{value}"},
    "missing": {"en": "{name} is not known: it adds nothing.", "zh": "{name}未知：不加分。"},
    "only": {"en": "the only value here", "zh": "此处唯一的取值"},
    "best": {"en": "the best of {count} values", "zh": "{count} 个取值中最好"},
    "last": {"en": "the last of {count} values", "zh": "{count} 个取值中最差"},
    "rank": {"en": "number {rank} of {count} values", "zh": "{count} 个取值中第 {rank}"},
    "better-than": {"en": "better than in {share} of the items", "zh": "好于 {share} 的商品"},
    "adds": {
        "en": "{what}: {how}; {difference:+.2f} against the average item here.",
        "zh": "{what}：{how}；比此类目的平均商品 {difference:+.2f}。",
    },
    "position-of": {
        "en": "{title} is number {position} of {items} in {category}, with a score of {score:+.2f}.",
        "zh": "{title}在“{category}”的 {items} 件商品中排第 {position}，得分 {score:+.2f}。",
    },
    "goes-after-none": {
        "en": "not chosen after what was looked at so far",
        "zh": "浏览过已看商品的顾客没有选择它",
    },
    "term-goes-after": {"en": "often chosen after {title}", "zh": "常在“{title}”之后被选择"},
    "term-goes-after-last": {"en": "often chosen soon after {title}", "zh": "常在“{title}”之后不久被选择"},
    "term-goes-after-all": {
        "en": "often chosen some time after {title}",
        "zh": "常在“{title}”之后某时被选择",
    },
    "term-later": {"en": "chosen later by people who chose {title}", "zh": "选择“{title}”的顾客后来选择了它"},
    "term-earlier": {
        "en": "chosen earlier by people who chose {title}",
        "zh": "选择“{title}”的顾客先前选择了它",
    },
    "term-right-after": {"en": "often the very next after {title}", "zh": "常紧接“{title}”被选择"},
    "term-share-of-next": {
        "en": "a large share of those who chose {title} went on to it",
        "zh": "选择“{title}”的顾客中很多人接着选择它",
    },
    "term-together": {"en": "chosen by the same people as {title}", "zh": "与“{title}”被同一批顾客选择"},
    "term-two-steps": {
        "en": "goes after what goes after your items",
        "zh": "常在您已看商品的后续商品之后被选择",
    },
    "term-three-steps": {"en": "three steps on from your items", "zh": "距您已看商品三步之内"},
    "term-popular": {"en": "how often it is chosen at all", "zh": "总体被选择的次数"},
    "term-history-length": {"en": "the length of your history", "zh": "浏览历史的长度"},
    "few-people": {
        "en": "few people chose it beside what was looked at so far",
        "zh": "少数顾客在已看商品之外也选择了它",
    },
    "few-people-like-you": {
        "en": "few people who share items with you chose it",
        "zh": "与您有共同商品的顾客中少数选择了它",
    },
    "by-people": {"en": "{words}: {people} people", "zh": "{words}（{people} 人）"},
    "by-person": {"en": "{words}: one person", "zh": "{words}（1 人）"},
    "term-people-like-you": {
        "en": "chosen by people who share items with you",
        "zh": "与您有共同商品的顾客选择了它",
    },
    "term-no-people-like-you": {
        "en": "nobody who shares an item with you chose it",
        "zh": "与您有共同商品的顾客都没有选择它",
    },
    "term-popular-now": {
        "en": "how often it was chosen lately (half as much after {days} days)",
        "zh": "近期被选择的次数（每 {days} 天减半）",
    },
    "term-words": {"en": "its title has {words} in common with {title}", "zh": "标题与“{title}”都有{words}"},
    "term-no-words": {
        "en": "its title has no word in common with your items",
        "zh": "标题与您已看商品没有共同的词",
    },
    "term-same-group": {"en": "the same {name} as {title}", "zh": "与“{title}”{name}相同"},
    "term-other-group": {"en": "another {name} than {title}", "zh": "与“{title}”{name}不同"},
    "term-group-in-history": {
        "en": "how much of your history is of its {name}",
        "zh": "您的历史中同{name}商品的多少",
    },
    "term-group-flow": {
        "en": "how often people go on from your items' {name} to its {name}",
        "zh": "顾客从您已看商品的{name}转到其{name}的多少",
    },
    "term-popular-group": {"en": "how often its {name} is chosen at all", "zh": "其{name}总体被选择的次数"},
    "term-pair": {"en": "both together: {first}; {second}", "zh": "两者兼有：{first}；{second}"},
    "term-buyers": {"en": "how many people bought it", "zh": "购买过它的顾客人数"},
    "because": {"en": "because {what}", "zh": "因为{what}"},
    "although": {"en": "although {what}", "zh": "虽然{what}"},
    "bought": {"en": "you bought {title}", "zh": "您买过“{title}”"},
    "bought-through": {
        "en": "you bought {title}, through its {relation}",
        "zh": "您买过“{title}”，通过它的{relation}",
    },
    "bought-few": {"en": "you bought something that few people bought", "zh": "您买过少数顾客购买的商品"},
    "liking-none": {"en": "nothing that you bought says anything of it", "zh": "您买过的商品与它无关"},
    "liking-usual": {
        "en": "what you bought, against what the average person buys",
        "zh": "您买过的商品与平均顾客所买的相比",
    },
    "liking-rest": {"en": "{count} more items that you bought", "zh": "您买过的其他 {count} 件商品"},
    "liking-rest-one": {"en": "one more item that you bought", "zh": "您买过的另外 1 件商品"},
    "liking-average": {
        "en": "what the average person's purchases add, taken off",
        "zh": "扣除平均顾客的购买所加的部分",
    },
    "both": {"en": " and ", "zh": "和"},
    "group-category": {"en": "category", "zh": "类目"},
    "group-aisle": {"en": "category above", "zh": "上级类目"},
    "group-brand": {"en": "brand", "zh": "品牌"},
}


def phrase(key: str, language: str, /, **parts: object) -> str:
    """A phrase of this module in a language.

    Raises:
        InputError: A language without phrases.
    """
    return _PHRASES[key][checked_language(language)].format(**parts)


def checked_language(language: str) -> str:
    """The language.

    Raises:
        InputError: A language without phrases.
    """
    if language not in LANGUAGES:
        raise InputError(f"no language {language!r}", expected=f"one of {', '.join(LANGUAGES)}")
    return language


def grouping_name(grouping: str, language: str) -> str:
    """Name of what items are grouped by; an attribute other than the brand goes by its id."""
    key = f"group-{grouping}"
    return phrase(key, language) if key in _PHRASES else grouping


def attribute_name(ontology: Ontology, attribute: str, language: str) -> str:
    """Name of an attribute, its id where the ontology has none."""
    known = ontology.attributes.get(attribute)
    return known.name(language) if known else attribute


def value_words(ontology: Ontology, values: Sequence[tuple[str, float]], language: str) -> str:
    """What an item has of one attribute: names of its values, or its number with the unit."""
    if not values:
        return phrase("unknown", language)
    return phrase("and", language).join(_one(ontology, node, number, language) for node, number in values)


def value_name(ontology: Ontology, attribute: str, value: str, language: str) -> str:
    """Name of a value, its id where the ontology has none."""
    term = (ontology.brands if attribute == BRAND else ontology.values).get(value)
    if term is not None:
        return term.name(language)
    return phrase(value, language) if value in {"true", "false", "unknown"} else value


def _one(ontology: Ontology, node: str, number: float, language: str) -> str:
    attribute, value = split_value_id(node)
    if value != NUMBER:
        return value_name(ontology, attribute, value, language)
    known = ontology.attributes.get(attribute)
    unit = known.unit if known else None
    (text,) = number_texts((number,), unit)
    return f"{text} {unit}" if unit else text
