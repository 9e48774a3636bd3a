"""The evidence on each rule, in words, English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.data.design import Layout
from kgrank.choice.importance import importance
from kgrank.choice.rules.segment_rules import SegmentRuleEvidence, departure
from kgrank.choice.rules.verdict import verdict
from kgrank.choice.rules.weigh import Conflict, RuleEvidence, RulePosteriors
from kgrank.ontology.kinds.kind import LANGUAGES, Measure
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import Ontology, Rule
from kgrank.ontology.sentences import sentence
from kgrank.weights.model import Population, RuleConflict, RuleFinding, RuleText

_PHRASES = {
    "list": {"en": ", ", "zh": "、"},
    "and": {"en": " and ", "zh": "和"},
    "next": {"en": "; ", "zh": "；"},
    "in": {"en": "{place}: {text}", "zh": "{place}：{text}"},
    "more": {"en": "{names} and {count} more", "zh": "{names}等{total}个"},
    "holds": {"en": "holds in {holds} of {count} categories", "zh": "在{count}个品类中的{holds}个成立"},
    "rising": {"en": "more {name} is better", "zh": "{name}越高越好"},
    "falling": {"en": "less {name} is better", "zh": "{name}越低越好"},
    "neither": {"en": "{name} goes up and down", "zh": "{name}有升有降"},
    "nobody": {
        "en": "{segment}: nothing is known of its people's tastes",
        "zh": "{segment}：尚不了解其成员的偏好",
    },
    "conflict": {
        "en": "{rules} cannot all be right in {places}: by the choices each may hold (probability {alone}), "
        "all together with {together:.3f}.",
        "zh": "{rules}在{places}中不可能都成立："
        "仅按选择数据，各自可能成立（概率{alone}），同时成立的概率为{together:.3f}。",
    },
}


def stored_finding(evidence: RuleEvidence, ontology: Ontology, posteriors: RulePosteriors) -> RuleFinding:
    """A rule's evidence as it is stored."""
    instead = {
        language: _Words(ontology, posteriors, language).by_category(evidence) for language in LANGUAGES
    }
    finding = _finding(evidence, ontology, instead)
    if len(evidence.counted) > 1 and evidence.has_effect:
        return replace(
            finding,
            prob_rule_right=evidence.prob_rule_right,
            prob_rule_right_prior=evidence.prob_rule_right_prior,
        )
    return finding


def stored_segment_finding(
    evidence: SegmentRuleEvidence, ontology: Ontology, posteriors: RulePosteriors, population: Population
) -> RuleFinding:
    """The evidence on a rule for segments as it is stored.

    Args:
        evidence: Against the choices of the people of its segments.
        ontology: Names.
        posteriors: Of the categories' part-worths.
        population: With the segments' means by the choices alone.
    """
    instead = {
        language: _segments_in_words(evidence, ontology, posteriors, population, language)
        for language in LANGUAGES
    }
    return _finding(evidence.overall, ontology, instead)


def _finding(evidence: RuleEvidence, ontology: Ontology, instead: Mapping[str, str]) -> RuleFinding:
    """A rule's evidence, with what the data say instead, by language."""
    text = {
        language: RuleText(sentence(evidence.rule, ontology, language), words)
        for language, words in instead.items()
    }
    english = text.pop("en")
    return RuleFinding(
        rule=evidence.rule.id,
        sentence=english.sentence,
        confidence=evidence.rule.sure,
        prob_prior=evidence.prob_prior,
        prob_data=evidence.prob_data,
        prob_posterior=evidence.prob_posterior,
        log_bayes_factor=evidence.log_bayes_factor,
        verdict=verdict(evidence.prob_data, evidence.prob_prior),
        instead=english.instead,
        choice_count=evidence.choice_count,
        person_count=evidence.person_count,
        has_effect=evidence.has_effect,
        translations=text,
    )


def _segments_in_words(
    evidence: SegmentRuleEvidence,
    ontology: Ontology,
    posteriors: RulePosteriors,
    population: Population,
    language: str,
) -> str:
    """What the mean tastes of each of a rule's segments say of its subject."""
    parts = []
    for segment in evidence.overall.rule.segments:
        name = ontology.segments[segment].name(language)
        if segment not in evidence.by_segment:
            parts.append(_PHRASES["nobody"][language].format(segment=name))
            continue
        of_segment = evidence.by_segment[segment]
        means = {
            c: posteriors.mean_without_rules[c] + departure(posteriors.layouts[c], population, segment)
            for c in of_segment.counted
        }
        words = _Words(ontology, replace(posteriors, mean_without_rules=means), language)
        parts.append(words.phrase("in", place=name, text=words.by_category(of_segment)))
    return _PHRASES["next"][language].join(parts)


def stored_conflict(rules: Conflict, ontology: Ontology, posteriors: RulePosteriors) -> RuleConflict:
    """A conflict of rules, with its sentence, as it is kept with the weights."""
    text = {language: _Words(ontology, posteriors, language).conflict(rules) for language in LANGUAGES}
    english = text.pop("en")
    return RuleConflict(
        rules=tuple(rule.id for rule in rules.rules),
        sentence=english.sentence,
        categories=rules.categories,
        alone=rules.alone,
        together=rules.together,
        instead=english.instead,
        translations=text,
    )


@dataclass(frozen=True)
class _Words:
    """What posteriors without rules say, in one language."""

    ontology: Ontology
    posteriors: RulePosteriors
    language: str

    def phrase(self, key: str, **parts: object) -> str:
        return _PHRASES[key][self.language].format(**parts)

    def conflict(self, rules: Conflict) -> RuleText:
        ids = [rule.id for rule in rules.rules]
        names = [self.category(c) for c in rules.categories]
        separator = self.phrase("list")
        places = separator.join(names[:3])
        if len(names) > 3:
            places = self.phrase("more", names=places, count=len(names) - 3, total=len(names))
        by_rule = (self.data_alone(rule, rules.worst) for rule in rules.rules)
        return RuleText(
            self.phrase(
                "conflict",
                rules=separator.join(ids[:-1]) + self.phrase("and") + ids[-1],
                places=places,
                alone=separator.join(f"{p:.2f}" for p in rules.alone),
                together=rules.together,
            ),
            self.phrase("next").join(dict.fromkeys(by_rule)),
        )

    def by_category(self, evidence: RuleEvidence) -> str:
        """What a rule is about, category by category where they differ."""
        parts = [
            self.phrase("in", place=self.category(c), text=self.data_alone(evidence.rule, c))
            for c in evidence.counted[:3]
        ]
        count = len(evidence.counted)
        if count > 1:
            parts.insert(0, self.phrase("holds", holds=count - len(evidence.fails_in), count=count))
        return self.phrase("next").join(parts)

    def data_alone(self, rule: Rule, category: str) -> str:
        """What a rule is about, in one category."""
        layout = self.posteriors.layouts[category]
        part_worths = self.posteriors.mean_without_rules[category]
        measure = rule_kind(rule.kind).measure
        if measure is Measure.DIRECTION:
            return self.direction(rule, layout, part_worths)
        if measure is not None and not measure.of_shares:
            return self.utilities(rule, layout, part_worths)
        shares = dict(zip(layout.block, importance(layout, part_worths).tolist(), strict=True))
        named = sorted((a for a in rule.attributes if a in shares), key=lambda a: -shares[a])
        return self.phrase("list").join(f"{self.attribute(a)} {shares[a]:.0%}" for a in named)

    def direction(self, rule: Rule, layout: Layout, part_worths: Floats) -> str:
        """Whether more or less of an attribute is better."""
        block = layout.block[str(rule.attribute)]
        columns = part_worths[block.columns]
        rise = columns if block.number else np.diff(columns)
        key = "rising" if (rise > 0).all() else "falling" if (rise < 0).all() else "neither"
        return self.phrase(key, name=self.attribute(str(rule.attribute)))

    def utilities(self, rule: Rule, layout: Layout, part_worths: Floats) -> str:
        """The part-worths of the values that a rule names, the best first."""
        named = [
            n for n in layout.nodes if n.split("=", 1)[1] in (*rule.values, *rule.members)
            and (rule.attribute is None or n.startswith(f"{rule.attribute}="))
        ]  # fmt: skip
        named.sort(key=lambda n: -part_worths[layout.column[n]])
        return " > ".join(f"{self.value(n)} {part_worths[layout.column[n]]:+.2f}" for n in named)

    def value(self, node: str) -> str:
        value = node.split("=", 1)[1]
        term = self.ontology.values.get(value) or self.ontology.brands.get(value)
        return value if term is None else term.name(self.language)

    def category(self, category: str) -> str:
        return self.ontology.categories[category].name(self.language)

    def attribute(self, attribute: str) -> str:
        return self.ontology.attributes[attribute].name(self.language)
