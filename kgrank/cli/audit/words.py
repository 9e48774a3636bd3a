"""Words of the audit's tables and lines, English and Chinese."""

from __future__ import annotations

from kgrank.cli.words import lookup

_WORDS = {
    "supported": {"en": "supported", "zh": "支持"},
    "leans for": {"en": "leans for", "zh": "倾向支持"},
    "silent": {"en": "silent", "zh": "无法判断"},
    "leans against": {"en": "leans against", "zh": "倾向反对"},
    "contradicted": {"en": "contradicted", "zh": "被推翻"},
    "verdict": {"en": "verdict", "zh": "结论"},
    "rule": {"en": "rule, and what the data say", "zh": "规则，以及数据所示"},
    "the rule": {"en": "rule", "zh": "规则"},
    "category": {"en": "category", "zh": "品类"},
    "sure": {"en": "sure", "zh": "把握"},
    "chance": {"en": "chance", "zh": "偶然"},
    "data": {"en": "data", "zh": "数据"},
    "with rules": {"en": "with rules", "zh": "加规则"},
    "evidence": {"en": "evidence", "zh": "证据"},
    "right": {"en": "right", "zh": "整体成立"},
    "choices": {"en": "choices", "zh": "选择数"},
    "people": {"en": "people", "zh": "人数"},
    "before": {"en": "before", "zh": "之前"},
    "after": {"en": "after", "zh": "之后"},
    "change": {"en": "change", "zh": "变化"},
    "in": {"en": "{name}: {text}", "zh": "{name}：{text}"},
    "no surer": {"en": "no surer\nthan chance", "zh": "不高于偶然"},
    "no effect": {
        "en": "No surer than chance ({chance:.3g}), so without effect.",
        "zh": "把握不高于偶然（{chance:.3g}），因此不起作用。",
    },
    "legend": {
        "en": "data: probability that the rule holds, from the choices alone. evidence: logarithm of the Bayes "
        "factor for it.\nright: probability that a rule about several categories is right as a whole, exceptions "
        "allowed, before and after the choices.",
        "zh": "数据：仅按选择数据，规则成立的概率。证据：支持规则的贝叶斯因子的对数。\n"
        "整体成立：涉及多个品类的规则整体上成立（允许例外）的概率，选择数据之前与之后。",
    },
    "conflict": {"en": "[yellow]Conflict[/]: {sentence} [dim]{instead}[/]",
                 "zh": "[yellow]冲突[/]：{sentence}[dim]{instead}[/]"},
    "none": {
        "en": "No rule speaks about part-worths in a category with items.",
        "zh": "没有规则涉及有商品的品类中的偏好。",
    },
    "count": {
        "en": "{count} rules, weights {version}; chance alone would contradict about {wrong:.1f} that are right.",
        "zh": "{count} 条规则，权重 {version}；仅因偶然，约有 {wrong:.1f} 条正确的规则会被推翻。",
    },
    "nothing": {
        "en": "{rules}: speaks of no category with choices; nothing would change.",
        "zh": "{rules}：不涉及有选择数据的品类，不会有任何变化。",
    },
    "still": {
        "en": "In {still:,} of {count:,} categories no share would move by {least}.",
        "zh": "{count:,} 个品类中有 {still:,} 个，各份额的变化不到 {least}。",
    },
    "shares": {
        "en": "[bold]{name}[/]: shares of the decision, from {choices:,} choices of {people:,} people",
        "zh": "[bold]{name}[/]：在决策中的份额，来自 {people:,} 人的 {choices:,} 次选择",
    },
    "more categories": {
        "en": "And {count:,} more categories, which change less (--json).",
        "zh": "另有 {count:,} 个品类，变化更小（--json）。",
    },
    "more probable": {
        "en": "The rule {rule} would hold more probably: {before:.2f} → {after:.2f}.",
        "zh": "规则 {rule} 成立的可能性会上升：{before:.2f} → {after:.2f}。",
    },
    "less probable": {
        "en": "The rule {rule} would hold less probably: {before:.2f} → {after:.2f}.",
        "zh": "规则 {rule} 成立的可能性会下降：{before:.2f} → {after:.2f}。",
    },
}  # fmt: skip

word = lookup(_WORDS)
"""A word or sentence of the table, with its parts filled in."""
