"""The phrases that rules of every kind share, by language; a kind's own sentence is in its row of ``kinds``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """The phrases of one language; the words in braces are filled in.

    Those that begin with ``also_`` are only read, never written.
    """

    where: str
    except_: str
    segment: str
    everywhere: tuple[str, ...]
    whole: str
    sure: str
    hard: str
    list_sep: str
    and_: str
    also_and: tuple[str, ...]
    more_than: str
    chain_sep: str
    equals: str
    between: str
    from_: str
    up_to: str
    also_equals: tuple[str, ...]
    also_from: tuple[str, ...]
    also_up_to: tuple[str, ...]
    yes: str
    no: str
    any_brand: str
    brand_cap: str
    more: str
    less: str
    also_more: tuple[str, ...]
    also_less: tuple[str, ...]


PHRASES: Mapping[str, Phrases] = {
    "en": Phrases(
        where="in {places}",
        except_=" except {places}",
        segment="for {segments}, ",
        everywhere=("everywhere", "in all categories", "in every category"),
        whole="{place}, {body} ({sure}).",
        sure="{percent} sure",
        hard="always",
        list_sep=", ",
        and_=" and ",
        also_and=(", and ", "; ", ","),
        more_than="{a} matters more than {b}",
        chain_sep=", and ",
        equals="{a} is {value}",
        between="{a} is from {low} to {high}",
        from_="{a} is at least {low}",
        up_to="{a} is at most {high}",
        also_equals=("{a} = {value}", "{a}: {value}"),
        also_from=("{a} >= {low}", "{a} ≥ {low}"),
        also_up_to=("{a} <= {high}", "{a} ≤ {high}"),
        yes="yes",
        no="no",
        any_brand="no brand takes more than",
        brand_cap="{brand} takes at most",
        more="higher",
        less="lower",
        also_more=("more", "larger", "greater", "bigger"),
        also_less=("less", "smaller"),
    ),
    "zh": Phrases(
        where="在{places}中",
        except_="（{places}除外）",
        segment="对{segments}，",
        everywhere=("在所有类目中",),
        whole="{place}，{body}（{sure}）。",
        sure="把握{percent}",
        hard="必须成立",
        list_sep="、",
        and_="和",
        also_and=("，", "与", "及"),
        more_than="{a}比{b}更重要",
        chain_sep="，",
        equals="{a}为{value}",
        between="{a}在{low}到{high}之间",
        from_="{a}不低于{low}",
        up_to="{a}不高于{high}",
        also_equals=("{a}是{value}", "{a}：{value}"),
        also_from=(),
        also_up_to=(),
        yes="是",
        no="否",
        any_brand="任一品牌最多占",
        brand_cap="{brand}最多占",
        more="高",
        less="低",
        also_more=("大",),
        also_less=("小",),
    ),
}
