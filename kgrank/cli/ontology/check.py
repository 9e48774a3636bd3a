"""``kgrank ontology``: check what catalog teams wrote, and say its rules as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.text import Text

from kgrank.cli.common import out, print_json, require_extra, waiting
from kgrank.errors import InputError, did_you_mean
from kgrank.files import write_text
from kgrank.interrupts import acknowledge
from kgrank.ontology.check import Message, examine
from kgrank.ontology.check.sarif import sarif as sarif_text
from kgrank.ontology.kinds.kind import LANGUAGES
from kgrank.ontology.model import Ontology
from kgrank.ontology.read import read_ontology
from kgrank.ontology.sentences import sentence
from kgrank.ontology.vocabulary import plural
from kgrank.resources import ontology_folder

Source = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="A folder of Turtle files, or a shipped ontology: fashion.")
]
_Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(check)
    app.command()(rules)
    app.command()(graph)


def check(
    source: Source,
    json: _Json = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail the check too.")] = False,
    shacl: Annotated[bool, typer.Option("--shacl", help="Run the shipped SHACL shapes as well.")] = False,
    shapes: Annotated[Path | None, typer.Option(help="Run SHACL shapes of your own as well.")] = None,
    sarif: Annotated[Path | None, typer.Option(help="Write the messages to a SARIF file.")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay, and check what each save reaches, until Ctrl-C.")
    ] = False,
) -> None:
    """Find every mistake in one run, each with file, line, column and what to do.

    Exit code 1 where there are errors, or with --strict warnings.

    Example: kgrank ontology check fashion
    """
    folder = ontology_folder(source)
    if shacl or shapes:
        require_extra("shacl")
    if watch:
        if json or strict or shacl or shapes or sarif:
            raise InputError("--watch goes with no other option", todo="Run the check once more for these.")
        _watch(folder)
        return
    with waiting(f"checking {escape(str(folder))}"):
        examination = examine(folder)
    messages = list(examination.messages)
    if shacl or shapes:
        from kgrank.ontology.shacl import check_shapes

        for file in [None] * shacl + [shapes] * (shapes is not None):
            messages += [m for m in check_shapes(folder, file) if m not in messages]
    if sarif is not None:
        write_text(sarif, sarif_text(folder, messages))
    errors = sum(m.severity == "error" for m in messages)
    warnings = len(messages) - errors
    if json:
        listed = [asdict(m) for m in messages]
        print_json({"folder": str(folder), "errors": errors, "warnings": warnings, "messages": listed})
    else:
        print_messages(folder, messages)
        out.print(_counts(messages, examination.ontology))
    if errors or (strict and warnings):
        raise typer.Exit(1)


def _watch(folder: Path) -> None:
    """Prints what is wrong, and after each save what is wrong with what it reaches."""
    from kgrank.ontology.check.session import Session
    from kgrank.ontology.check.watch import look, watch

    before = look(folder)
    session = Session(folder)
    print_messages(folder, session.messages)
    out.print(f"{_totals(session.messages)}. Watching {len(session.files)} files; Ctrl-C ends it.")
    try:
        for save in watch(session, before):
            parts = (("changed", save.changed), ("new", save.added), ("deleted", save.deleted))
            named = "; ".join(f"{what}: {', '.join(names)}" for what, names in parts if names)
            out.print(Text(f"{datetime.now():%H:%M:%S} {named}"), style="dim")
            print_messages(folder, save.messages)
            out.print(f"{_totals(save.messages)} ({save.seconds:.2f} s); in all {_totals(session.whole())}")
    except KeyboardInterrupt:
        acknowledge()
        out.print("stopped")


def _totals(messages: Sequence[Message]) -> str:
    errors = sum(m.severity == "error" for m in messages)
    return f"{plural(errors, 'error')}, {plural(len(messages) - errors, 'warning')}"


def rules(
    source: Source,
    category: Annotated[str | None, typer.Option(help="Only the rules that hold in this category.")] = None,
    language: Annotated[str, typer.Option(help=f"Language of the sentences: {', '.join(LANGUAGES)}.")] = "en",
    json: _Json = False,
) -> None:
    """List each rule as a sentence, with its author, date and reason.

    Example: kgrank ontology rules fashion --category sneakers
    """
    ontology = read_ontology(source)
    if category is not None:
        _require_category(ontology, category, source)
    listed = [
        {
            "id": rule.id,
            "kind": rule.kind,
            "sentence": sentence(rule, ontology, language),
            "sure": rule.sure,
            "hard": rule.hard,
            "creator": rule.creator,
            "created": rule.created,
            "because": rule.because.get(language) or next(iter(rule.because.values()), ""),
        }
        for rule in ontology.rules.values()
        if category is None or category in ontology.scope(rule)
    ]
    if json:
        print_json(listed)
        return
    for entry in listed:
        out.print(Text(str(entry["id"]), style="bold"), end="  ")
        out.print(Text(str(entry["sentence"])))
        out.print(Text(f"    {entry['because']} ({entry['creator']}, {entry['created']})", style="dim"))
    out.print(plural(len(listed), "rule"))


def graph(
    source: Source,
    svg: Annotated[Path, typer.Option("--svg", metavar="FILE", help="Where to write the picture.")],
    category: Annotated[str | None, typer.Option(help="Only this category and what is below it.")] = None,
    language: Annotated[str, typer.Option(help="Language of the names.")] = "en",
) -> None:
    """Draw the category tree with its order rules as an SVG picture.

    Example: kgrank ontology graph fashion --svg fashion.svg
    """
    from kgrank.ontology.picture import picture

    ontology = read_ontology(source)
    if category is not None:
        _require_category(ontology, category, source)
    write_text(svg, picture(ontology, category, language))
    out.print(Text(f"wrote {svg}"))


def _require_category(ontology: Ontology, category: str, folder: Path) -> None:
    if category not in ontology.categories:
        raise InputError(
            f"no category {category}", where=folder, todo=did_you_mean(category, ontology.categories)
        )


def print_messages(folder: Path, messages: Sequence[Message]) -> None:
    """One message a line, the place bold."""
    for message in messages:
        place = f"{folder}/{message.file}:{message.line}:{message.column}"
        line = message.line_text()
        text = Text(f"{folder}/{line}")
        text.stylize("bold", 0, len(place))
        color = "red" if message.severity == "error" else "yellow"
        text.stylize(color, len(place) + 2, len(place) + 2 + len(message.code))
        out.print(text)


def _counts(messages: Sequence[Message], ontology: Ontology | None) -> str:
    counts = _totals(messages)
    if ontology is None:
        return counts
    things = (("category", ontology.categories), ("attribute", ontology.attributes), ("rule", ontology.rules))
    return f"{counts}: {', '.join(plural(len(terms), name) for name, terms in things)}"
