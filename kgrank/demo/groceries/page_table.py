"""The table of all categories on the page of results: searched and sorted in the browser, whole without."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from kgrank.demo.groceries.results import GroceryResults
from kgrank.ranking.answers import Importance

TABLE = "categories"
"""The table's id."""

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 82rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0 2rem; font-size: 13px; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid #ddd; white-space: nowrap; }
th { vertical-align: bottom; }
th button { all: unset; cursor: pointer; font-weight: bold; white-space: normal; }
th button:focus-visible { outline: 2px solid #4878a8; }
th[aria-sort=ascending] button::after { content: " ▲"; }
th[aria-sort=descending] button::after { content: " ▼"; }
thead th { position: sticky; top: 0; background: #fff; }
th:first-child, td:first-child, td.text, th.text { text-align: left; }
td.text { white-space: normal; min-width: 14rem; }
td small { color: #666; }
img { max-width: 100%; }
input { font: inherit; padding: .3rem .5rem; width: 20rem; }
"""

SCRIPT = """
const table = document.getElementById("categories"), body = table.tBodies[0];
document.getElementById("search").addEventListener("input", event => {
  const words = event.target.value.toLowerCase().split(" ");
  for (const row of body.rows) row.hidden = !words.every(w => row.dataset.words.includes(w));
});
[...table.tHead.rows[0].cells].forEach((head, column) => head.firstChild.addEventListener("click", () => {
  const now = head.getAttribute("aria-sort");
  const down = now === "ascending" || (head.dataset.number && !now);
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = row => row.cells[column].dataset.value ?? row.cells[column].textContent;
  const by = head.dataset.number ? (a, b) => key(a) - key(b) : (a, b) => key(a).localeCompare(key(b));
  body.append(...[...body.rows].sort((a, b) => down ? by(b, a) : by(a, b)));
}));
"""


def category_table(results: GroceryResults) -> str:
    """All categories: department, choices, households, each share with its interval, and the neighbours."""
    names = {c.category: c.name for c in results.categories}
    heads = [
        _head("category"),
        _head("department"),
        _head("choices", number=True),
        _head("households", number=True),
        *(_head(name, number=True) for name in results.attributes.values()),
        _head("most alike"),
    ]
    rows = "".join(
        _row(department, c, [names[n] for n in results.neighbours[c.category]], results)
        for department, categories in results.departments.items()
        for c in categories
    )
    return (
        '<p><label>Search: <input id="search" type="search" placeholder="category or department"></label> '
        "A click on a column's name sorts by it. “–”: it never differs between the products of a choice, or is "
        "not known of any.</p>\n"
        f'<table id="{TABLE}">\n<thead><tr>{"".join(heads)}</tr></thead>\n<tbody>\n{rows}</tbody></table>\n'
    )


def _head(name: str, *, number: bool = False) -> str:
    kind = ' data-number="1"' if number else ' class="text"'
    return f"<th{kind}><button>{escape(name)}</button></th>"


def _row(department: str, category: Importance, alike: list[str], results: GroceryResults) -> str:
    words = escape(f"{category.name} {department}".lower())
    return (
        f'<tr data-words="{words}"><td>{escape(category.name)}</td><td class="text">{escape(department)}</td>'
        f"{_count(category.choice_count)}{_count(category.person_count)}{''.join(_shares(category, results))}"
        f'<td class="text">{escape("; ".join(alike))}</td></tr>\n'
    )


def _count(number: int) -> str:
    return f'<td data-value="{number}">{number:,}</td>'


def _shares(category: Importance, results: GroceryResults) -> Iterator[str]:
    learned = {a.attribute: a for a in category.attributes}
    for name in results.attributes:
        a = learned.get(name)
        if a is None or a.upper == 0:
            yield '<td data-value="-1">–</td>'
        else:
            yield f'<td data-value="{a.share:.6f}">{a.share:.2f} <small>{a.lower:.2f}–{a.upper:.2f}</small></td>'
