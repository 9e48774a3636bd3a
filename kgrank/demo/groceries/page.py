"""The page of results, as one HTML file beside its pictures, and the same figures as a JSON document."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from kgrank.codec import encode
from kgrank.demo.groceries.household_groups import HouseholdGroups
from kgrank.demo.groceries.package import PACKAGE
from kgrank.demo.groceries.page_table import SCRIPT, STYLE, TABLE, category_table
from kgrank.demo.groceries.pictures import (
    department_picture,
    groups_picture,
    neighbours_picture,
    overview_picture,
    tastes_picture,
)
from kgrank.demo.groceries.results import GroceryResults
from kgrank.files import make_folder, write_text
from kgrank.ontology.vocabulary import plural

PAGE, FIGURES, PICTURES = "results.html", "results.json", "pictures"

TERMS = (
    f"The data are from the Python package {PACKAGE}: its text calls them simulated after real shopping, for "
    "education and exploration, not for commercial decisions or as research on real consumers."
)

_METRICS = {
    "held_out_choices": "choices held out",
    "held_out_log_likelihood": "log-likelihood of one of them by its attributes",
    "held_out_top1": "share of them that the attributes rank first",
    "next_log_likelihood": "log-likelihood of the choices from which the terms of behaviour were learned",
}


def write_page(results: GroceryResults, folder: Path) -> Path:
    """Writes the page, its pictures and the JSON document of its figures.

    Returns:
        The page's file.

    Raises:
        InputError: matplotlib is not installed, or a file cannot be written.
    """
    make_folder(folder / PICTURES)
    write_text(folder / FIGURES, json.dumps(encode(results), ensure_ascii=False, allow_nan=False) + "\n")
    parts = [
        _summary(results),
        _overview(results, folder),
        _households(results, folder),
        "<h2>All categories</h2>\n",
        category_table(results),
        "<h2>Departments</h2>\n",
        *(_department(number, name, results, folder) for number, name in enumerate(results.departments, 1)),
    ]
    write_text(folder / PAGE, _html("Groceries: what decides", "".join(parts)))
    return folder / PAGE


def _summary(results: GroceryResults) -> str:
    choices = sum(c.choice_count for c in results.categories)
    lines = [
        f"{plural(len(results.categories), 'category')} in {plural(len(results.departments), 'department')}, "
        f"{choices:,} choices.",
        TERMS,
        *results.notes,
    ]
    rows = "".join(
        f"<tr><td>{text}</td><td>{results.metrics[name]:,.5g}</td></tr>\n"
        if results.metrics[name] < 1e5 and results.metrics[name] % 1
        else f"<tr><td>{text}</td><td>{results.metrics[name]:,.0f}</td></tr>\n"
        for name, text in _METRICS.items()
        if name in results.metrics
    )
    return "".join(f"<p>{escape(line)}</p>\n" for line in lines) + f"<table>\n{rows}</table>\n"


def _overview(results: GroceryResults, folder: Path) -> str:
    file = f"{PICTURES}/overview.png"
    overview_picture(results, folder / file)
    return (
        "<h2>What decides</h2>\n<p>A share is what an attribute takes of the decision in a category: the range of "
        "its part-worths over the sum of all ranges. A line is a category, the dot their median. "
        f'<a href="#{TABLE}">The table below</a> has each with its 95 % interval.</p>\n'
        f"{_picture(file, 'Shares of all categories by attribute')}"
    )


def _households(results: GroceryResults, folder: Path) -> str:
    text = ""
    if results.tastes:
        file = f"{PICTURES}/shoppers.png"
        tastes_picture(results.tastes, folder / file)
        text += (
            "<h2>How households differ</h2>\n<p>The standard deviation between households of what an attribute is "
            "worth to them: of a number for one unit of its spread, of values on average over them.</p>\n"
            f"{_picture(file, 'Standard deviation between households by attribute')}"
        )
    if results.groups.groups:
        text += _groups(results.groups, folder)
    return text


def _groups(groups: HouseholdGroups, folder: Path) -> str:
    file = f"{PICTURES}/groups.png"
    groups_picture(groups, folder / file)
    items = "".join(
        f"<li><b>Group {number}</b>, {plural(g.households, 'household')}: {escape(g.sentence)}.</li>\n"
        for number, g in enumerate(groups.groups, 1)
    )
    return (
        "<h2>Households that are alike</h2>\n<p>Groups of at least ten households by their tastes, as their "
        f"choices in all categories tell them (k-means). {groups.explained:.0%} of the differences between "
        "households lie between the groups: the borders are fluid.</p>\n"
        f"<ul>\n{items}</ul>\n{_picture(file, 'Mean tastes of each group')}"
    )


def _department(number: int, name: str, results: GroceryResults, folder: Path) -> str:
    categories = results.departments[name]
    shares = f"{PICTURES}/department-{number}.png"
    department_picture(name, categories, results.attributes, folder / shares)
    text = f"<h3>{escape(name)}</h3>\n{_picture(shares, f'Shares in the categories of {name}')}"
    beside = results.beside(name)
    if len(beside) > 1:
        file = f"{PICTURES}/neighbours-{number}.png"
        neighbours_picture(beside, results.attributes, folder / file)
        text += _picture(file, f"Shares in {beside[0].name} and in the categories most like it")
    return text


def _picture(file: str, text: str) -> str:
    return f'<p><img src="{escape(file)}" alt="{escape(text)}" loading="lazy"></p>\n'


def _html(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body>\n<h1>{escape(title)}</h1>\n{body}<script>{SCRIPT}</script>"
        "</body></html>\n"
    )
