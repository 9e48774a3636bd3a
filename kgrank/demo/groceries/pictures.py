"""Pictures of what was learned of the groceries: attributes and categories by name, nothing of single people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from kgrank.control_characters import drawable
from kgrank.demo.groceries.household_groups import HouseholdGroups
from kgrank.demo.groceries.results import GroceryResults, Taste
from kgrank.errors import InputError
from kgrank.files import write_file
from kgrank.ranking.answers import Importance

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = ("#222222", "#4878a8", "#e0a030", "#3a8f6b", "#c8553d")
_GRID = "#dddddd"
_ROW, _PANEL = 0.24, 1.75
_MOST_TASTES = 12


def department_picture(
    name: str, categories: Sequence[Importance], attributes: dict[str, str], path: Path
) -> None:
    """Shares with their intervals: a row a category, a panel an attribute.

    Raises:
        InputError: matplotlib is not installed, or the file cannot be written.
    """
    figure = _figure(2.8 + _PANEL * len(attributes), 1.2 + _ROW * len(categories))
    panels = figure.subplots(1, len(attributes), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (attribute, title) in zip(panels, attributes.items(), strict=True):
        _intervals(axes, [(row, c, attribute) for row, c in enumerate(categories)], _COLOURS[1])
        axes.set_title(_readable(title), fontsize=9.5)
    # Last: a limit that is set on one panel ends what they share from growing with the next.
    for axes in panels:
        _plain(axes)
    panels[0].set_yticks(range(len(categories)), [_readable(c.name) for c in categories], fontsize=8.5)
    panels[0].set_ylim(len(categories) - 0.4, -0.6)
    figure.suptitle(
        f"{_readable(name)}: shares of the decision, with 95 % intervals", fontsize=11, x=0.01, ha="left"
    )
    _save(figure, path)


def overview_picture(results: GroceryResults, path: Path) -> None:
    """The shares of all categories by attribute, with their median.

    Raises:
        InputError: matplotlib is not installed, or the file cannot be written.
    """
    attributes = results.attributes
    shares = {a: [x.share for c in results.categories for x in c.attributes if x.attribute == a and x.upper > 0]
              for a in attributes}  # fmt: skip
    figure = _figure(8.0, 1.2 + 0.42 * len(attributes))
    axes = figure.add_subplot()
    for row, values in enumerate(shares.values()):
        axes.vlines(values, row - 0.26, row + 0.26, color=_COLOURS[1], lw=1.0, alpha=0.35, zorder=2)
        if values:
            axes.plot(median(values), row, "o", color=_COLOURS[0], ms=6, zorder=3)
    names = (f"{_readable(name)} ({len(shares[a])})" for a, name in attributes.items())
    axes.set_yticks(range(len(attributes)), names, fontsize=10)
    axes.invert_yaxis()
    axes.set_title("What decides: a line a category, the dot their median", fontsize=11, loc="left")
    axes.set_xlabel("share of the decision (in brackets: categories in which it differs)", fontsize=9)
    _plain(axes)
    _save(figure, path)


def neighbours_picture(shown: Sequence[Importance], attributes: dict[str, str], path: Path) -> None:
    """The shares of a category, the first, beside those of its neighbours.

    Raises:
        InputError: matplotlib is not installed, or the file cannot be written.
    """
    figure = _figure(8.0, 1.3 + 0.14 * len(attributes) * len(shown))
    axes = figure.add_subplot()
    for number, category in enumerate(shown):
        shift = 0.7 * (number - (len(shown) - 1) / 2) / len(shown)
        rows = [(row + shift, category, attribute) for row, attribute in enumerate(attributes)]
        _intervals(axes, rows, _COLOURS[number], _readable(category.name))
    axes.set_yticks(range(len(attributes)), [_readable(n) for n in attributes.values()], fontsize=10)
    axes.invert_yaxis()
    axes.set_title(f"{_readable(shown[0].name)} beside the categories most like it", fontsize=11, loc="left")
    axes.set_xlabel("share of the decision, with its 95 % interval", fontsize=9)
    figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=9)
    _plain(axes)
    _save(figure, path)


def tastes_picture(tastes: Sequence[Taste], path: Path) -> None:
    """How much shoppers differ in each attribute.

    Raises:
        InputError: matplotlib is not installed, or the file cannot be written.
    """
    figure = _figure(8.0, 1.3 + 0.32 * len(tastes))
    axes = figure.add_subplot()
    axes.barh(range(len(tastes)), [t.deviation for t in tastes], height=0.55, color=_COLOURS[1], zorder=2)
    axes.set_yticks(range(len(tastes)), [_readable(t.name) for t in tastes], fontsize=10)
    axes.invert_yaxis()
    axes.set_title("How households differ", fontsize=11, loc="left")
    axes.set_xlabel("standard deviation between households, in logits", fontsize=9)
    _plain(axes)
    _save(figure, path)


def groups_picture(groups: HouseholdGroups, path: Path) -> None:
    """The mean tastes of each group, a panel a group; of many tastes those in which groups differ most.

    Raises:
        InputError: matplotlib is not installed, or the file cannot be written.
    """
    means = [[taste.mean for taste in g.tastes] for g in groups.groups]
    between = [max(taste) - min(taste) for taste in zip(*means, strict=True)]
    rows = sorted(sorted(range(len(between)), key=lambda k: -between[k])[:_MOST_TASTES])
    figure = _figure(2.6 + _PANEL * len(means), 1.3 + 0.3 * len(rows))
    panels = figure.subplots(1, len(means), sharex=True, sharey=True, squeeze=False)[0]
    for number, (axes, group) in enumerate(zip(panels, groups.groups, strict=True), 1):
        shown = [group.tastes[k].mean for k in rows]
        colours = [_COLOURS[1] if value > 0 else _COLOURS[4] for value in shown]
        axes.barh(range(len(rows)), shown, height=0.6, color=colours, zorder=2)
        axes.axvline(0, color=_COLOURS[0], lw=0.8, zorder=3)
        axes.set_title(f"Group {number}\n{group.households:,} households", fontsize=9.5)
        _plain(axes, from_zero=False)
    names = [_readable(groups.groups[0].tastes[k].taste) for k in rows]
    panels[0].set_yticks(range(len(rows)), names, fontsize=8.5)
    panels[0].invert_yaxis()
    figure.supxlabel("mean taste against the average shopper, in logits", fontsize=9)
    _save(figure, path)


def _intervals(
    axes: Axes, rows: Sequence[tuple[float, Importance, str]], colour: str, label: str | None = None
) -> None:
    """The share of an attribute of a category with its interval, at the height of each row."""
    # Where an attribute never differs it has no share, not one of nothing.
    learned = [
        (row, a)
        for row, category, name in rows
        for a in category.attributes
        if a.attribute == name and a.upper > 0
    ]
    heights = [row for row, _ in learned]
    lower, upper = [a.lower for _, a in learned], [a.upper for _, a in learned]
    axes.hlines(heights, lower, upper, color=colour, lw=1.3, zorder=2)
    axes.plot([a.share for _, a in learned], heights, "o", color=colour, ms=4, zorder=3, label=label)


def _figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError(
            "pictures need matplotlib, which is not installed",
            todo="Install it: pip install 'kgrank[groceries]'",
        ) from None
    return Figure(figsize=(width, height), layout="constrained")


def _plain(axes: Axes, *, from_zero: bool = True) -> None:
    if from_zero:
        axes.set_xlim(left=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8)
    axes.grid(axis="x", color=_GRID, lw=0.6, zorder=0)
    axes.set_axisbelow(True)


def _save(figure: Figure, path: Path) -> None:
    write_file(path, lambda file: figure.savefig(file, dpi=110, format="png"))


def _readable(name: str) -> str:
    """A name without control characters; a dollar sign in it is no formula."""
    return drawable(name).replace("$", r"\$")
