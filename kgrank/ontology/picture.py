"""The category tree and its order rules as one SVG picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

import networkx as nx

from kgrank.control_characters import harmless
from kgrank.ontology.model import Ontology, Rule

_ROW, _INDENT, _CHIP, _GAP, _MARGIN = 30, 24, 24, 44, 16
_STYLE = """
text { font: 13px system-ui, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", sans-serif; fill: #1f2933; }
text.old { fill: #8a94a0; }
path.tree { stroke: #b6bec8; fill: none; }
rect.chip { fill: #e8f0fb; stroke: #7d9cc4; }
path.order { stroke: #2f5d95; fill: none; marker-end: url(#tip); }
path.hard { stroke-width: 2.5; }
line.row { stroke: #eef1f4; }
"""


@dataclass(frozen=True)
class _Chain:
    """The order rules of one category: attributes in columns, the one that matters most first."""

    columns: tuple[tuple[str, ...], ...] = ()
    links: tuple[tuple[str, str, Rule], ...] = ()

    @property
    def height(self) -> int:
        return max((len(c) for c in self.columns), default=1)


def picture(ontology: Ontology, category: str | None = None, language: str = "en") -> str:
    """An SVG document: categories down the left, beside each the order rules that name it.

    An arrow goes from what matters more to what matters less; the surer the rule the darker, hard ones thick.
    With ``category`` only its branch is drawn.
    """
    tops = (category,) if category is not None else ontology.roots
    rows = [c for top in tops for c in _branch(ontology, top)]
    depth = {c: len(ontology.ancestors(c)) - len(ontology.ancestors(tops[0])) for c in rows}
    chains = {c: _chain(ontology, c) for c in rows}
    tops_at, y = {}, _MARGIN
    for c in rows:
        tops_at[c] = y
        y += _ROW * chains[c].height
    left = (
        max((_MARGIN + depth[c] * _INDENT + _width(_name(ontology, c, language)) for c in rows), default=0)
        + 30
    )
    parts: list[str] = []
    right = left
    for c in rows:
        parts += _category(ontology, c, tops_at, depth, language)
        drawn, end = _orders(ontology, chains[c], left, tops_at[c], language)
        parts += drawn
        right = max(right, end)
    width, height = right + _MARGIN, y + _MARGIN
    lines = [f'<line class="row" x1="0" x2="{width}" y1="{at}" y2="{at}"/>' for at in tops_at.values()]
    return "\n".join([*_head(width, height), *lines, *parts, "</svg>\n"])


def _branch(ontology: Ontology, top: str) -> Iterator[str]:
    """A category and all below it, each right below its parent."""
    yield top
    for child in ontology.children[top]:
        yield from _branch(ontology, child)


def _chain(ontology: Ontology, category: str) -> _Chain:
    rules = [r for r in ontology.rules.values() if r.order and category in r.categories]
    links = [(a, b, rule) for rule in rules for a, b in pairwise(rule.order)]
    graph = nx.DiGraph([(a, b) for a, b, _ in links])
    # Attributes in a circle share one column; the check reports the circle.
    whole = nx.condensation(graph)
    columns = [
        tuple(a for node in generation for a in sorted(whole.nodes[node]["members"]))
        for generation in nx.topological_generations(whole)
    ]
    return _Chain(tuple(columns), tuple(links))


def _category(
    ontology: Ontology, category: str, tops_at: dict[str, int], depth: dict[str, int], language: str
) -> Iterator[str]:
    x, y = _MARGIN + depth[category] * _INDENT, tops_at[category] + _ROW // 2
    parent = ontology.categories[category].parent
    if parent in tops_at:
        from_x, from_y = x - _INDENT + 7, tops_at[parent] + _ROW // 2 + 9
        yield f'<path class="tree" d="M{from_x} {from_y} V{y} H{x - 3}"/>'
    old = ' class="old"' if ontology.categories[category].deprecated else ""
    yield f'<text x="{x}" y="{y + 4}"{old}>{_text(_name(ontology, category, language))}</text>'


def _orders(ontology: Ontology, chain: _Chain, left: int, top: int, language: str) -> tuple[list[str], int]:
    """The chips and arrows of one category, and where they end."""
    boxes: dict[str, tuple[int, int, int]] = {}
    parts: list[str] = []
    x = left
    for column in chain.columns:
        width = max(_width(ontology.attributes[a].name(language)) for a in column) + 16
        for row, attribute in enumerate(column):
            y = top + row * _ROW + (_ROW - _CHIP) // 2
            boxes[attribute] = (x, y, width)
            label = _text(ontology.attributes[attribute].name(language))
            parts.append(f'<rect class="chip" x="{x}" y="{y}" width="{width}" height="{_CHIP}" rx="5"/>')
            parts.append(f'<text x="{x + 8}" y="{y + 16}">{label}</text>')
        x += width + _GAP
    parts += [_arrow(boxes[a], boxes[b], rule) for a, b, rule in chain.links]
    return parts, x


def _arrow(start: tuple[int, int, int], end: tuple[int, int, int], rule: Rule) -> str:
    x1, y1 = start[0] + start[2], start[1] + _CHIP // 2
    x2, y2 = end[0] - 4, end[1] + _CHIP // 2
    bend = (x1 + x2) // 2
    title = f"<title>{_text(rule.id)}: {'must hold' if rule.hard else f'{rule.sure:.0%} sure'}</title>"
    class_ = "order hard" if rule.hard else "order"
    shade = 0.35 + 0.65 * max(0.0, 2 * rule.sure - 1)
    curve = f"M{x1} {y1} C{bend} {y1} {bend} {y2} {x2} {y2}"
    return f'<path class="{class_}" opacity="{shade:.2f}" d="{curve}">{title}</path>'


def _head(width: int, height: int) -> Sequence[str]:
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    tip = '<path d="M0 0 L8 4 L0 8 z" fill="#2f5d95"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto" '
        f'markerUnits="userSpaceOnUse">{tip}</marker></defs>',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    )


def _name(ontology: Ontology, category: str, language: str) -> str:
    return ontology.categories[category].name(language)


def _width(text: str) -> int:
    """About how wide a text is; Chinese characters are twice as wide."""
    return sum(14 if ord(c) > 0x2E80 else 8 for c in text)


def _text(text: str) -> str:
    """A text of the ontology as XML."""
    return escape(harmless(text))
