"""``kgrank ask``: what to find out next, and how much of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from kgrank.cli.common import err, out, print_answer, waiting
from kgrank.cli.options import Category, Json, Language, Store, default_store, table
from kgrank.errors import InputError

if TYPE_CHECKING:
    from kgrank.survey.next_questions import NextQuestions

_SHOWN = 10
_SHEETS = (".csv", ".xlsx")


def _sheet(subject: str) -> Callable[[Path | None], Path | None]:
    """A callback that refuses a file that is no sheet before anything is computed or written."""

    def checked(path: Path | None) -> Path | None:
        if path is not None and path.suffix.lower() not in _SHEETS:
            raise InputError(
                f"{subject} not written as this",
                where=path,
                expected=f"a file that ends in {' or '.join(_SHEETS)}",
            )
        return path

    return checked


def ask_command(
    category: Category,
    store: Store = None,
    width: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=1.0,
            help="Wanted mean width of the 95 % intervals of the shares; by default half of what it is.",
        ),
    ] = None,
    tasks: Annotated[int, typer.Option(min=2, max=500, help="Different choice tasks.")] = 48,
    items: Annotated[int, typer.Option(min=2, max=10, help="Items of a task; 2 makes pairs.")] = 4,
    each: Annotated[int, typer.Option(min=1, max=50, help="Tasks that one person answers.")] = 12,
    survey: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Writes the tasks as a sheet to fill in (.csv, .xlsx).",
            callback=_sheet("a survey is"),
        ),
    ] = None,
    people: Annotated[
        int | None,
        typer.Option(
            min=1, max=10_000, help="People for whom the sheet has tasks; by default as many as needed."
        ),
    ] = None,
    values: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Writes all missing values as a sheet (.csv, .xlsx).",
            callback=_sheet("values are"),
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    language: Language = "en",
    json: Json = False,
) -> None:
    """Say what to find out next of a category: values to fill in, choice tasks to have answered, and by how many.

    The tasks show the category's own items; which ones are shown together is chosen by what the weights do not
    know yet. The sheet of --survey is read back by kgrank load, with the lines of mapping that are printed.

    Example: kgrank ask dresses --store demo-shop/graph.lb

    Example: kgrank ask dresses --width 0.05 --survey tasks.csv --people 40
    """
    from kgrank.graph.connect import open_store
    from kgrank.ranking import open_shop
    from kgrank.ranking.catalogue.category_names import category_id
    from kgrank.survey.missing_values import write_missing_values
    from kgrank.survey.next_questions import next_questions
    from kgrank.survey.questionnaire import mapping_lines, write_questionnaire
    from kgrank.weights.posteriors import served_posteriors

    with open_store(store or default_store()) as opened:
        shop = open_shop(opened, history=False)
        posteriors = served_posteriors(opened, shop.weights)
        log = opened.nodes("Log").row(0, named=True)
        dated, outside = log["clock"] == "utc", bool(log["outside"])
    category, each = category_id(shop.ontology, category), min(each, tasks)
    with waiting("choosing what to show together"):
        answer = next_questions(
            shop,
            posteriors,
            category,
            width=width,
            tasks=tasks,
            items=items,
            each=each,
            seed=seed,
            language=language,
        )
    if values is not None:
        write_missing_values(values, answer.missing)
    if survey is not None:
        write_questionnaire(
            survey,
            shop,
            category,
            [task.items for task in answer.tasks],
            people=people or answer.people or 1,
            each=each,
            day=str(date.today()) if dated else None,
            language=language,
            seed=seed,
        )
    if json:
        print_answer(answer)
        return
    _print(answer, values, survey)
    if survey is not None:
        lines = mapping_lines(survey, shop, category, dated=dated, outside=outside, language=language)
        _print_steps(lines, outside=outside)


def _print_steps(lines: str, *, outside: bool) -> None:
    """How the sheet becomes choices."""
    err.print(
        "Write 1 in the column chosen for what a person takes, and put the sheet beside the shop's files."
    )
    if outside:
        err.print("Who takes nothing of a task leaves its 0s; delete the rows of tasks that nobody answered.")
    err.print("In their mapping:")
    err.print(lines, markup=False)


def _print(answer: NextQuestions, values: Path | None, survey: Path | None) -> None:
    out.print(f"[bold]{escape(answer.name)}[/]: what to find out next")
    if answer.missing:
        rows = table("fill in", "of items", "may move a score by", right={"of items", "may move a score by"})
        for group in answer.missing_by_attribute[:_SHOWN]:
            rows.add_row(escape(group.name), f"{group.item_count:,}", f"± {group.deviation:.2f}")
        out.print(rows)
        if values is None:
            out.print("Which items they are: --values FILE, or --json.")
        else:
            out.print(f"Which items they are: {values}", markup=False)
    else:
        out.print("No item lacks a value.")
    out.print(
        f"The intervals of the shares are {answer.width:.3f} wide on average; {answer.wanted:.3f} is wanted."
    )
    out.print(_needed(answer))
    if survey is None:
        if answer.people != 0:
            out.print("The tasks as a sheet to fill in: --survey FILE.")
    else:
        out.print(f"The tasks: {survey}", markup=False)


def _needed(answer: NextQuestions) -> str:
    size = len(answer.tasks[0].items)
    if answer.people == 0:
        return "They are narrow enough: nobody needs to be asked."
    if answer.people is None:
        return "No number of answers is expected to make them so narrow: ask for a wider --width."
    at_random = "more" if answer.people_at_random is None else f"{answer.people_at_random:,}"
    who = "person" if answer.people == 1 else "people"
    return (
        f"Expected to do: {answer.people:,} {who} with {answer.each} tasks of {size} items each; with items drawn "
        f"at random, {at_random}."
    )


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("ask")(ask_command)
