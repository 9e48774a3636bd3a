"""Two versions of an ontology compared, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Literal

from kgrank.ontology.effect import Cell, Effect, effect, says
from kgrank.ontology.model import Attribute, AttributeType, Ontology, Rule, Term

Sign = Literal["+", "-", "~", "!", ">"]
_KINDS = (
    ("category", "categories"),
    ("attribute", "attributes"),
    ("value", "values"),
    ("brand", "brands"),
    ("segment", "segments"),
    ("person", "people"),
    ("rule", "rules"),
)
_GUARDED = ("category", "attribute", "value", "brand", "segment")
"""Kinds that data and weights name: one that was released is deprecated or replaced, never taken out."""

_SPOKEN = {
    "names": "name",
    "also_under": "also under",
    "replaced_by": "replaced by",
    "minimum": "min",
    "maximum": "max",
    "but_not": "but not",
    "when": "if",
    "categories": "in",
    "creator": "by",
    "created": "on",
    "because": "reason",
}
_SHOWN = 5


@dataclass(frozen=True)
class Change:
    """One thing that is new, gone, changed, changed in its meaning (!), or replaced (>)."""

    sign: Sign
    kind: str
    id: str
    what: str
    name: str = ""

    def line(self) -> str:
        """The change in one line."""
        named = f" ({self.name})" if self.name and self.name != self.id else ""
        return f"{self.sign} {self.kind} {self.id}{named}: {self.what}"


@dataclass(frozen=True)
class Difference:
    """All changes, and what they do to learned weights."""

    changes: tuple[Change, ...]
    weights: Effect

    @property
    def removals(self) -> tuple[Change, ...]:
        """Things that were taken out and that data or weights may still name."""
        return tuple(c for c in self.changes if c.sign == "-" and c.kind in _GUARDED)


def difference(old: Ontology, new: Ontology) -> Difference:
    """What changed from one version to the other."""
    changes = [*_header(old, new)]
    for kind, name in _KINDS:
        changes += _changes(kind, getattr(old, name), getattr(new, name))
    return Difference(tuple(changes), effect(old, new))


def _header(old: Ontology, new: Ontology) -> Iterator[Change]:
    if old.version != new.version:
        yield Change("~", "ontology", new.version, f"version {old.version} becomes {new.version}")
    if old.languages != new.languages:
        yield Change(
            "~",
            "ontology",
            new.version,
            f"languages {' '.join(old.languages)} become {' '.join(new.languages)}",
        )


def _changes(kind: str, old: Mapping[str, Term | Rule], new: Mapping[str, Term | Rule]) -> Iterator[Change]:
    for id_, after in new.items():
        before = old.get(id_)
        if before is None:
            yield Change("+", kind, id_, "new", _name(after))
        elif before != after:
            yield from _changed(kind, before, after)
    for id_, before in old.items():
        if id_ not in new:
            yield Change("-", kind, id_, "taken out", _name(before))


def _changed(kind: str, before: Term | Rule, after: Term | Rule) -> Iterator[Change]:
    if isinstance(before, Term) and isinstance(after, Term) and after.deprecated and not before.deprecated:
        if after.replaced_by:
            yield Change(">", kind, after.id, f"replaced by {after.replaced_by}", after.name())
        else:
            yield Change("~", kind, after.id, "deprecated, nothing replaces it", after.name())
    parts = list(_fields(before, after))
    if not parts:
        return
    differences = ", ".join(p for _, p in parts)
    if isinstance(before, Attribute) and isinstance(after, Attribute) and _means_otherwise(before, after):
        yield Change("!", kind, after.id, f"{differences}: its weights mean something else now", after.name())
    elif isinstance(after, Rule) and isinstance(before, Rule) and says(before) == says(after):
        yield Change("~", kind, after.id, f"{differences} (means the same)")
    else:
        yield Change("~", kind, after.id, differences, _name(after))


def _means_otherwise(before: Attribute, after: Attribute) -> bool:
    reordered = after.type is AttributeType.ORDERED and [v for v in before.values if v in after.values] != [
        v for v in after.values if v in before.values
    ]
    return before.type is not after.type or before.unit != after.unit or reordered


def _fields(before: Term | Rule, after: Term | Rule) -> Iterator[tuple[str, str]]:
    """The fields that differ, each with a word about how."""
    for field in fields(after):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old != new and field.name not in ("iri", "deprecated", "replaced_by"):
            yield field.name, f"{_SPOKEN.get(field.name, field.name)} {_how(old, new)}".strip()


def _how(old: object, new: object) -> str:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        signs = _signed(old.keys(), new.keys())
        both = [k for k in old if k in new and old[k] != new[k]]
        turned = [k if isinstance(old[k], tuple) else f"{k} {old[k]} → {new[k]}" for k in both]
        return ", ".join([*signs, *turned])
    if isinstance(old, tuple | frozenset) and isinstance(new, tuple | frozenset):
        names = all(isinstance(x, str) for x in (*old, *new))
        signs = _signed(old, new) if names else []
        return ", ".join(signs) or ("reordered" if names else "changed")
    return f"{_plain(old)} → {_plain(new)}"


def _signed(old: Iterable[str], new: Iterable[str]) -> list[str]:
    before, after = dict.fromkeys(old), dict.fromkeys(new)
    added = [f"+{x}" for x in after if x not in before]
    return [*added, *(f"−{x}" for x in before if x not in after)]


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None or value == "" else str(value)


def _name(thing: Term | Rule) -> str:
    return thing.name() if isinstance(thing, Term) else ""


def weight_lines(change_effect: Effect) -> Iterator[str]:
    """What becomes of the weights, one line a group, with the first few cells."""
    scaled = {f"{c}/{a} × {factor:g}": None for (c, a), factor in change_effect.rescaled.items()}
    renamed = {f"{'/'.join(new)}": None for new in change_effect.renamed.values()}
    joined = {"/".join(c): None for c in change_effect.joined}
    yield _group(len(change_effect.kept), "carry over unchanged")
    yield _group(len(change_effect.renamed), "carry over under a new name", list(renamed))
    yield _group(
        len(change_effect.joined), "end where others stand already: retrain to join them", list(joined)
    )
    yield _group(len(change_effect.rescaled), "are kept in another unit", list(scaled))
    yield _group(
        len(change_effect.prior),
        "are kept, but a rule about them changed: retrain",
        _names(change_effect.prior),
    )
    yield _group(
        len(change_effect.stale),
        "are stale (meaning or place changed): retrain from the old value",
        _names(change_effect.stale),
    )
    yield _group(len(change_effect.gone), "are gone: kept in history, not served", _names(change_effect.gone))
    yield _group(
        len(change_effect.new),
        "are new, untrained: they start from the category above",
        _names(change_effect.new),
    )


def _names(cells: Sequence[Cell]) -> list[str]:
    return ["/".join(c) for c in cells]


def _group(count: int, what: str, names: Sequence[str] = ()) -> str:
    shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    return f"{count:>8} {what}{': ' + shown if shown else ''}"


def as_json(difference: Difference) -> dict[str, object]:
    """The difference as plain values; weights that carry over unchanged are only counted."""
    weights = difference.weights
    return {
        "changes": [asdict(c) for c in difference.changes],
        "removals": [c.id for c in difference.removals],
        "weights": {
            "kept": len(weights.kept),
            "renamed": [[list(a), list(b)] for a, b in weights.renamed.items()],
            "joined": [[list(a), list(b)] for a, b in weights.joined.items()],
            "rescaled": [[list(c), factor] for c, factor in weights.rescaled.items()],
            **{w: [list(c) for c in getattr(weights, w)] for w in ("prior", "stale", "gone", "new")},
        },
    }
