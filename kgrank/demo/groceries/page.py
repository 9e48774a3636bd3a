"""The page of results, as one HTML file beside its pictures."""

from __future__ import annotations

from html import escape
from pathlib import Path

from kgrank.demo.groceries.package import PACKAGE
from kgrank.demo.groceries.pictures import department_picture, neighbours_picture, tastes_picture
from kgrank.demo.groceries.results import GroceryResults
from kgrank.files import make_folder, write_text
from kgrank.ontology.vocabulary import plural
from kgrank.ranking.answers import Importance

PAGE, PICTURES = "results.html", "pictures"

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0 2rem; font-size: 13px; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid #ddd; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
td small { color: #666; }
img { max-width: 100%; }
"""
_METRICS = {
    "held_out_choices": "choices held out",
    "held_out_log_likelihood": "log-likelihood of one of them",
    "held_out_top1": "share of them that the shop ranks first",
    "next_log_likelihood": "log-likelihood with the terms of behaviour",
    "network_gain": "what the network of people and items gains a choice",
    "network_gain_error": "its standard error, clustered by household",
    "network_gain_shuffled": "what it gains with households shuffled",
}


def write_page(results: GroceryResults, folder: Path) -> Path:
    """Writes the page and its pictures.

    Returns:
        The page's file.

    Raises:
        InputError: matplotlib is not installed, or a file cannot be written.
    """
    make_folder(folder / PICTURES)
    attributes = results.attributes
    departments = {name: f"{PICTURES}/department-{n}.png" for n, name in enumerate(results.departments, 1)}
    for name, file in departments.items():
        department_picture(name, results.departments[name], attributes, folder / file)
    neighbours, tastes = f"{PICTURES}/neighbours.png", f"{PICTURES}/shoppers.png"
    neighbours_picture(results, folder / neighbours)
    if results.tastes:
        tastes_picture(results.tastes, folder / tastes)
    parts = [
        _summary(results),
        "<h2>One category beside its neighbours</h2>\n",
        _picture(neighbours, f"Shares in {results.category.name} and in the categories most like it"),
        _shoppers(tastes) if results.tastes else "",
        "<h2>All categories</h2>\n",
        *(
            f"<h3>{escape(name)}</h3>\n{_picture(file, f'Shares in the categories of {name}')}"
            f"{_table(results.departments[name], attributes)}"
            for name, file in departments.items()
        ),
    ]
    write_text(folder / PAGE, _html("Groceries: what decides", "".join(parts)))
    return folder / PAGE


def _summary(results: GroceryResults) -> str:
    choices = sum(c.choice_count for c in results.categories)
    lines = [
        f"{plural(len(results.categories), 'category')} in {plural(len(results.departments), 'department')}, "
        f"{choices:,} choices.",
        f"The data are from the Python package {PACKAGE}: its text calls them simulated after real shopping, for "
        "education and exploration, not for commercial decisions.",
        *results.notes,
    ]
    rows = "".join(
        f"<tr><td>{text}</td><td>{results.metrics[name]:.5g}</td></tr>\n"
        for name, text in _METRICS.items()
        if name in results.metrics
    )
    return "".join(f"<p>{escape(line)}</p>\n" for line in lines) + f"<table>\n{rows}</table>\n"


def _shoppers(picture: str) -> str:
    return (
        "<h2>How shoppers differ</h2>\n<p>The standard deviation between shoppers of what an attribute is worth "
        "to them: of a number for one unit of its spread, of values on average over them.</p>\n"
        f"{_picture(picture, 'Standard deviation between shoppers by attribute')}"
    )


def _table(categories: tuple[Importance, ...], attributes: dict[str, str]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in attributes.values())
    rows = "".join(
        f"<tr><td>{escape(c.name)}</td><td>{c.choice_count:,}</td>{_shares(c, attributes)}</tr>\n"
        for c in categories
    )
    return f"<table>\n<tr><th>category</th><th>choices</th>{head}</tr>\n{rows}</table>\n"


def _shares(category: Importance, attributes: dict[str, str]) -> str:
    learned = {a.attribute: a for a in category.attributes}
    cells = (
        f"{a.share:.2f} <small>{a.lower:.2f}–{a.upper:.2f}</small>" if (a := learned.get(name)) else ""
        for name in attributes
    )
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _picture(file: str, text: str) -> str:
    return f'<p><img src="{escape(file)}" alt="{escape(text)}"></p>\n'


def _html(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>\n<h1>{escape(title)}</h1>\n{body}</body></html>\n"
    )
