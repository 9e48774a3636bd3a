"""The page of what was assumed and what is doubtful, as text and as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from kgrank.profiling.doubts import ColumnRole, Doubt

TITLE = "What kgrank init assumed"

HOW_TO_CHANGE = (
    "To change the type of an attribute or what a column is: edit mapping.yaml, and have a new folder made by "
    "it, kgrank init DATA-FOLDER --mapping mapping.yaml --out NEW. Labels, values and units: edit the ontology."
)

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid #ddd; }
td.count { text-align: right; }
.remedy { color: #555; }
code { background: #f4f4f4; }
"""


@dataclass(frozen=True)
class Page:
    """What the page says.

    Attributes:
        summary: Lines about the whole.
        doubts: The doubts, those on which most depends first.
        roles: What each column was taken as.
        next_steps: Commands.
    """

    summary: tuple[str, ...]
    doubts: tuple[Doubt, ...]
    roles: tuple[ColumnRole, ...]
    next_steps: tuple[str, ...]


def page_text(page: Page) -> str:
    """The page as plain text."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Page) -> Iterator[str]:
    yield TITLE
    yield "=" * len(TITLE)
    yield ""
    yield from page.summary
    yield ""
    yield HOW_TO_CHANGE
    yield ""
    yield f"Doubtful, what matters most first ({len(page.doubts)})"
    yield ""
    for number, doubt in enumerate(page.doubts, 1):
        yield f"{number:>3}. {where(doubt)}: {doubt.text}"
        if doubt.examples or doubt.count:
            yield f"     {_evidence(doubt)}"
        if doubt.remedy:
            yield f"     {doubt.remedy}"
    yield ""
    yield "Columns"
    yield ""
    for role in page.roles:
        detail = f" ({role.detail})" if role.detail else ""
        cells = f"{role.share:.0%} filled{', ' if role.examples else ''}{_shown(role.examples)}"
        yield f"  {role.file}: {role.column}: {role.role}{detail}, {cells}"
    yield ""
    yield "Next"
    yield ""
    yield from (f"  {step}" for step in page.next_steps)


def page_html(page: Page) -> str:
    """The page as one HTML file without anything from elsewhere."""
    doubts = "".join(
        f"<tr><td>{number}</td><td>{escape(where(d))}</td><td>{escape(d.text)}<br>"
        f"<span class=remedy>{escape(d.remedy)}</span></td><td class=count>{d.count:,}</td>"
        f"<td>{escape(_shown(d.examples))}</td></tr>\n"
        for number, d in enumerate(page.doubts, 1)
    )
    roles = "".join(
        f"<tr><td>{escape(r.file)}</td><td>{escape(r.column)}</td><td>{escape(r.role)}</td>"
        f"<td>{escape(r.detail)}</td><td class=count>{r.share:.0%}</td>"
        f"<td>{escape(_shown(r.examples))}</td></tr>\n"
        for r in page.roles
    )
    summary = "".join(f"<p>{escape(line)}</p>\n" for line in page.summary)
    steps = "".join(f"<p><code>{escape(step)}</code></p>\n" for step in page.next_steps)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title>'
        f"<style>{_STYLE}</style></head><body>\n<h1>{TITLE}</h1>\n{summary}"
        f"<p>{escape(HOW_TO_CHANGE)}</p>\n"
        "<h2>Doubtful, what matters most first</h2>\n"
        "<table><tr><th></th><th>where</th><th>what was assumed</th><th>count</th><th>examples</th></tr>\n"
        f"{doubts}</table>\n<h2>Columns</h2>\n"
        "<table><tr><th>file</th><th>column</th><th>taken as</th><th></th><th>filled</th><th>examples</th></tr>\n"
        f"{roles}</table>\n<h2>Next</h2>\n{steps}</body></html>\n"
    )


def where(doubt: Doubt) -> str:
    """The file and the column of a doubt."""
    return f"{doubt.file}, {doubt.column}" if doubt.column else doubt.file


def _evidence(doubt: Doubt) -> str:
    counted = f"{doubt.count:,} in all" if doubt.count else ""
    shown = f"such as {_shown(doubt.examples)}" if doubt.examples else ""
    return ", ".join(part for part in (counted, shown) if part) + "."


def _shown(examples: Sequence[str]) -> str:
    return ", ".join(text if len(text) <= 40 else f"{text[:39]}…" for text in examples)
