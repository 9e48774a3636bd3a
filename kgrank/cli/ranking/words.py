"""Words of the tables and lines of rankings, English and Chinese."""

from __future__ import annotations

from kgrank.cli.words import lookup

_WORDS = {
    "item": {"en": "item", "zh": "商品"},
    "title": {"en": "title", "zh": "标题"},
    "score": {"en": "score", "zh": "得分"},
    "reasons": {"en": "strongest reasons", "zh": "主要原因"},
    "curated": {"en": "stands here because", "zh": "排在此处的原因"},
    "value": {"en": "value", "zh": "取值"},
    "adds": {"en": "adds", "zh": "加分"},
    "better than": {"en": "better than", "zh": "好于"},
    "weight": {"en": "weight", "zh": "权重"},
    "interval": {"en": "95% interval", "zh": "95% 区间"},
    "segment": {"en": "segment", "zh": "人群"},
    "own": {"en": "own", "zh": "本人"},
    "average": {"en": "shoppers'\naverage", "zh": "顾客\n平均"},
    "without rules": {"en": "without\nrules", "zh": "不计\n规则"},
    "rules say": {"en": "rules say", "zh": "规则所述"},
    "filter": {"en": "filter", "zh": "筛选"},
    "decides": {"en": "decides", "zh": "作用"},
    "values": {"en": "values", "zh": "取值"},
    "more": {"en": ", {count} more", "zh": "，另有 {count} 个"},
    "filters for": {
        "en": "[bold]{name}[/]: filters for {items:,} items",
        "zh": "[bold]{name}[/]：{items:,} 件商品的筛选",
    },
    "what decides": {"en": "[bold]{name}[/]: what decides here", "zh": "[bold]{name}[/]：决定选择的因素"},
    "learned": {
        "en": "Learned from {choices:,} choices of {people:,} shoppers.",
        "zh": "由 {people:,} 位顾客的 {choices:,} 次选择得出。",
    },
    "from others": {"en": "Learned from other categories.", "zh": "由其他类目得出。"},
    "rule": {
        "en": "Rule {rule}:{verdict} {sentence} {instead}",
        "zh": "规则 {rule}：{verdict} {sentence}{instead}",
    },
    "page": {
        "en": "{shown} of {items:,} items in {name}, weights {version}.",
        "zh": "{name}的 {items:,} 件商品中的 {shown} 件，权重 {version}。",
    },
    "no page": {
        "en": "{name} has no page {page}: it has {items:,} items.",
        "zh": "{name}没有第 {page} 页：共 {items:,} 件商品。",
    },
    "own choices": {
        "en": "For {user}, by {choices:,} of their own choices.",
        "zh": "为 {user} 排序，依据其本人的 {choices:,} 次选择。",
    },
    "no tastes": {
        "en": "Note: nothing tells the tastes of {user}: by the average shopper's.",
        "zh": "说明：尚无 {user} 的偏好信息：按平均顾客排序。",
    },
    "own purchases": {
        "en": "For {user}, by the {items:,} items that they bought.",
        "zh": "为 {user} 排序，依据其买过的 {items:,} 件商品。",
    },
    "liking": {"en": "By what you bought, {logits}:", "zh": "按您买过的商品，{logits}："},
    "warning": {"en": "[bold]Warning[/]: {text}", "zh": "[bold]警告[/]：{text}"},
    "many warnings": {
        "en": "{count:,} problems in the data; --json has each in full.",
        "zh": "数据中有 {count:,} 个问题；--json 显示全部。",
    },
    "problem": {"en": "problem", "zh": "问题"},
    "count": {"en": "count", "zh": "数量"},
    "categories": {"en": "categories", "zh": "类目"},
}  # fmt: skip

word = lookup(_WORDS)
"""A word or sentence of the table, with its parts filled in."""
