"""``kgrank help``: the pages of documentation, in the terminal."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from kgrank.cli.common import out
from kgrank.errors import InputError, did_you_mean
from kgrank.resources import help_pages


def help_command(
    topic: Annotated[
        str | None, typer.Argument(metavar="TOPIC", help="Which page; without it the topics are listed.")
    ] = None,
) -> None:
    """Show a page of documentation, or list the topics.

    Example: kgrank help file-schemas
    """
    pages = help_pages()
    if topic is None:
        _print_topics({name: _title(page.read_text(encoding="utf-8")) for name, page in pages.items()})
        return
    if topic not in pages:
        raise InputError(
            f"there is no help on {topic}",
            todo=f"{did_you_mean(topic, pages)} All topics: kgrank help".strip(),
        )
    text = pages[topic].read_text(encoding="utf-8")
    if out.is_terminal:
        from rich.markdown import Markdown

        out.print(Markdown(text), soft_wrap=False)
    else:
        out.print(Text(text), end="")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("help")(help_command)


def _print_topics(titles: dict[str, str]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, title in titles.items():
        table.add_row(name, title)
    out.print(table)
    out.print("A page: kgrank help TOPIC. Options of a command: kgrank COMMAND --help.")


def _title(text: str) -> str:
    """The page's heading, without marks for code."""
    heading = next((line for line in text.splitlines() if line.startswith("# ")), "")
    return heading.removeprefix("# ").replace("`", "")
