"""Rules against rules, in each category with what it inherits, and for each segment (codes R43)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from pyoxigraph import NamedNode

from kgrank.ontology.check.feasibility import Link, binding, bounds, circle, interval, smallest_conflict
from kgrank.ontology.check.graph import Draft
from kgrank.ontology.check.messages import SourceLocation
from kgrank.ontology.kinds.kind import ActsOn, Measure
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import AttributeType, Condition, Ontology, Rule
from kgrank.ontology.vocabulary import KG, Kind

_OF_ITEMS = (ActsOn.MISSING_VALUES, ActsOn.ITEMS)
_NAMED = 20
"""Conflicts of one kind that are named in a category: whoever has more mends these first."""

_NOT_MEANT = ("id", "iri", "sure", "because", "creator", "created")


def check_conflicts(draft: Draft, ontology: Ontology) -> None:
    """Reports rules that say the same, and rules that cannot hold together.

    A conflict of hard rules is an error; where a soft rule takes part it is a warning, for in training the
    least sure one yields. A conflict that is inherited is reported once, at the highest category. Of more than
    ``_NAMED`` in a category some are named, and those among hard rules in any case.
    """
    judge = _Judge(draft, ontology)
    judge.repetitions()
    for category, rules in _contexts(ontology):
        judge.opposites(category, rules)
        rest = judge.circles(category, rules)
        judge.shares(category, [r for r in rest if _measure(r) in (Measure.SHARE, Measure.STEP)])


def _contexts(ontology: Ontology) -> Iterator[tuple[str, list[Rule]]]:
    """Each category with the rules that hold there: for everybody, then with those of each segment."""
    by_category: dict[str, list[Rule]] = {c: [] for root in ontology.roots for c in ontology.subtree(root)}
    for rule in ontology.rules.values():
        for category in ontology.scope(rule):
            by_category[category].append(rule)
    for category, rules in by_category.items():
        everybody = [r for r in rules if not r.segments]
        yield category, everybody
        for segment in dict.fromkeys(s for r in rules for s in r.segments):
            yield category, [r for r in rules if not r.segments or segment in r.segments]


class _Judge:
    """Compares rules, and remembers the conflicts that it has reported."""

    def __init__(self, draft: Draft, ontology: Ontology) -> None:
        self._draft = draft
        self._ontology = ontology
        self._reported: set[frozenset[str]] = set()
        self._crowded: set[str] = set()

    def repetitions(self) -> None:
        """Rules that state the same, or bound the same share twice."""
        same: dict[str, Rule] = {}
        bounded: dict[tuple[object, ...], Rule] = {}
        for rule in self._ontology.rules.values():
            meaning = repr({k: v for k, v in vars(rule).items() if k not in _NOT_MEANT})
            first = same.setdefault(meaning, rule)
            if first is not rule:
                text = f"{rule.id} says the same as {first.id}"
                self._draft.report.add("R426", self._place(rule), text, "Keep one")
                continue
            if _measure(rule) is not Measure.SHARE:
                continue
            key = (rule.kind, rule.attribute, rule.categories, rule.but_not, rule.segments)
            first = bounded.setdefault(key, rule)
            if first is not rule:
                text = f"{rule.id} and {first.id} bound {rule.attribute} in the same place twice"
                self._draft.report.add("W427", self._place(rule, "share"), text, "Keep the stricter one")

    def opposites(self, category: str, rules: Sequence[Rule]) -> None:
        """Two rules that contradict each other in a category."""
        better: dict[str | None, Rule] = {}
        # Hard rules first, so that two of them are compared with each other and not with a soft one alone.
        directed = sorted((r for r in rules if _measure(r) is Measure.DIRECTION), key=lambda r: not r.hard)
        for rule in directed:
            first = better.setdefault(rule.attribute, rule)
            if first.better != rule.better:
                text = (
                    f"{first.attribute} in {self._name(category)}: {first.id} says kg:{first.better}, "
                    f"{rule.id} kg:{rule.better}"
                )
                self._report("R430", [first, rule], self._place(rule, "better"), text, "Keep one")
        # Of thousands of rules most are of other kinds, and pairs of all would be millions.
        of_items = [r for r in rules if rule_kind(r.kind).acts_on in _OF_ITEMS]
        for first, second in combinations(of_items, 2):
            if self._contradict(first, second):
                text = f"{first.id} and {second.id} contradict each other in {self._name(category)}"
                self._report("R435", [first, second], self._place(second, "then"), text, "Change one of them")

    def circles(self, category: str, rules: Sequence[Rule]) -> list[Rule]:
        """Orders of attributes, and of values, that go in a circle; answers with the rules that are left."""
        table = self._ontology.applicable(category)
        left = list(rules)
        for named in range(_NAMED + 1):
            links = [
                Link(*pair, rule) for rule in left for pair in pairwise(a for a in rule.order if a in table)
            ] + [
                Link(f"{rule.attribute} {more}", f"{rule.attribute} {less}", rule)
                for rule in left
                if _measure(rule) is Measure.FALL
                for more, less in pairwise(rule.values)
            ]
            round_trip = circle(links)
            if not round_trip:
                return left
            if named == _NAMED:
                break
            taking_part = list({link.rule.id: link.rule for link in round_trip}.values())
            self._circle(category, round_trip, taking_part)
            left.remove(_yielding(taking_part))
        self._more(category)
        hard = [r for r in left if r.hard]
        kept = {r.id for r in self.circles(category, hard)} if len(hard) < len(left) else set()
        # Other orders may still go in circles, and are not compared with shares.
        return [r for r in left if r.id in kept or not r.order]

    def shares(self, category: str, rules: Sequence[Rule]) -> None:
        """Bounds and orders of shares that no shares can meet."""
        attributes = tuple(self._ontology.applicable(category))
        left = list(rules)
        for named in range(_NAMED + 1):
            candidates = binding(left)
            if not candidates or bounds(candidates, attributes).feasible:
                return
            if named == _NAMED:
                break
            conflict = smallest_conflict(candidates, lambda rules: bounds(rules, attributes).feasible)
            if not conflict:
                return
            self._shares(category, conflict, attributes)
            left.remove(_yielding(conflict))
        self._more(category)
        hard = [r for r in left if r.hard]
        if len(hard) < len(left):
            self.shares(category, hard)

    def _more(self, category: str) -> None:
        """That there are more conflicts in a category than were named; once for it and all below it."""
        if not self._crowded.isdisjoint(self._ontology.lineage(category)):
            return
        self._crowded.add(category)
        location = self._draft.nodes[Kind.CATEGORY][category].location()
        text = f"{self._name(category)} has more rules that fight than the {_NAMED} conflicts named here"
        self._draft.report.add("W437", location, text, "Mend these, then check again")

    def _circle(self, category: str, links: Sequence[Link], rules: Sequence[Rule]) -> None:
        names = [link.more.split(" ")[-1] for link in links]
        chain = " > ".join([*names, names[0]])
        listed = ", ".join(r.id for r in rules)
        last = links[-1]
        if _measure(last.rule) is Measure.FALL:
            code, kind, word = "R438", Kind.VALUE, "values"
            text = f"the preferred {last.rule.attribute} goes in a circle"
        else:
            code, kind, word = "R434", Kind.ATTRIBUTE, "order"
            text = "the order goes in a circle"
        text = f"{text} in {self._name(category)}: {chain} (rules {listed})"
        location = self._place(last.rule, word, kind, names[0])
        self._report(code, rules, location, text, "Turn one of them round")

    def _shares(self, category: str, rules: Sequence[Rule], attributes: Sequence[str]) -> None:
        """Words for a smallest conflict: what is wrong with it can be read off its bounds."""
        where = self._name(category)
        orders = [r for r in rules if _measure(r) is Measure.STEP]
        limits = bounds(rules, attributes)
        lower = max((r for r in rules if r not in orders), key=lambda r: interval(r)[0])
        upper = min((r for r in rules if r not in orders), key=lambda r: interval(r)[1])
        low, high = interval(lower)[0], interval(upper)[1]
        if limits.crossed is not None and orders:
            text = (
                f"{upper.attribute} before {lower.attribute} in {where}, but {upper.attribute} is at most "
                f"{high:g} ({upper.id}) and {lower.attribute} at least {low:g} ({lower.id})"
            )
            location = self._place(orders[0], "order", Kind.ATTRIBUTE, upper.attribute)
            self._report("R433", rules, location, text, "Change the order or the bounds")
        elif limits.crossed is not None:
            contradiction = f"at least {low:g} ({lower.id}) but at most {high:g} ({upper.id})"
            text = f"{lower.attribute} in {where}: {contradiction}"
            self._report(
                "R431", rules, self._place(rules[-1], "share"), text, "Lower the one or raise the other"
            )
        elif sum(limits.lower.values()) > 1:
            text = f"the least shares in {where} add up to {sum(limits.lower.values()):.2f}, above 1"
            location = self._place(lower, "share")
            self._report("R432", rules, location, f"{text}: {_listing(rules, 0)}", "Lower some of them")
        else:
            text = f"the greatest shares in {where} add up to {sum(limits.upper.values()):.2f}, below 1"
            location = self._place(upper, "share")
            self._report("R436", rules, location, f"{text}: {_listing(rules, 1)}", "Raise some of them")

    def _contradict(self, first: Rule, second: Rule) -> bool:
        """Whether two rules, of which one fills in a value, cannot both be right of one item."""
        if first.then is None or second.then is None:
            return False
        fills_in = [rule_kind(r.kind).acts_on is ActsOn.MISSING_VALUES for r in (first, second)]
        if not any(fills_in):
            return False
        if all(fills_in):
            if set(first.when) != set(second.when) or first.then.attribute != second.then.attribute:
                return False
            several = self._ontology.attributes[first.then.attribute].type is AttributeType.CHOICES
            return not several and _apart(first.then, second.then)
        implies, excludes = (first, second) if fills_in[0] else (second, first)
        never = {*excludes.when, excludes.then}
        return implies.then in never and never <= {*implies.when, implies.then}

    def _report(
        self, code: str, rules: Sequence[Rule], location: SourceLocation, text: str, advice: str
    ) -> None:
        taking_part = frozenset(r.id for r in rules)
        if taking_part in self._reported:
            return
        self._reported.add(taking_part)
        if all(r.hard for r in rules):
            self._draft.report.add(code, location, text, advice)
            return
        yields = _yielding(rules)
        todo = f"{advice}; as it is, {yields.id} yields (kg:sure {yields.sure:g})"
        self._draft.report.add(code, location, text, todo, severity="warning")

    def _place(
        self, rule: Rule, word: str | None = None, kind: Kind = Kind.ATTRIBUTE, named: str | None = None
    ) -> SourceLocation:
        node = self._draft.nodes[Kind.RULE][rule.id]
        target = self._draft.nodes[kind].get(named or "")
        written = word is not None and node.all(KG + word)
        return node.location(
            KG + word if word and written else None, NamedNode(target.iri) if target else None
        )

    def _name(self, category: str) -> str:
        return self._ontology.categories[category].name()


def _measure(rule: Rule) -> Measure | None:
    return rule_kind(rule.kind).measure


def _yielding(rules: Sequence[Rule]) -> Rule:
    """The least sure rule; of equals the one written last."""
    return min(reversed(rules), key=lambda r: r.sure)


def _listing(rules: Sequence[Rule], end: int) -> str:
    """Rules with the bounds that they set, the greatest first; orders by name."""
    shares = sorted(((interval(r)[end], r) for r in rules if r.attribute), key=lambda pair: -pair[0])
    bounded = [f"{r.id} {share:g}" for share, r in shares]
    return ", ".join([*bounded, *(f"the order {r.id}" for r in rules if r.order)])


def _apart(first: Condition, second: Condition) -> bool:
    """Whether no single value meets both."""
    if first.value is not None and second.value is not None:
        return first.value != second.value
    lows = [c.value if isinstance(c.value, float) else c.minimum for c in (first, second)]
    highs = [c.value if isinstance(c.value, float) else c.maximum for c in (first, second)]
    low = max((x for x in lows if x is not None), default=None)
    high = min((x for x in highs if x is not None), default=None)
    return low is not None and high is not None and low > high
