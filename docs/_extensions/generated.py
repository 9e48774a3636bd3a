"""Reference pages from the code: ``<!-- generated: NAME -->`` in a page is replaced when the site is built."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from kgrank.cli.main import app as command_line
from kgrank.learning.configuration.config import RunConfig
from kgrank.people.registry import HOLDINGS
from kgrank.serving import reference
from kgrank.serving.endpoints import ENDPOINTS
from kgrank.serving.openapi import document

MARK = re.compile(r"^<!-- generated: ([\w-]+) -->$", re.MULTILINE)


def commands() -> str:
    """Every command with its arguments, options and examples."""
    return "\n".join(
        _command(path, command) for path, command in _leaves(typer.main.get_command(command_line))
    )


def _leaves(command: Any, path: tuple[str, ...] = ("kgrank",)) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(path), command
    for name, child in sorted((below or {}).items()):
        yield from _leaves(child, (*path, name))


def _command(path: str, command: Any) -> str:
    context = typer.Context(command, info_name=path)
    about, *examples = re.split(r"\s*Example: ", command.help or "")
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    shown = "\n".join(" ".join(example.split()) for example in examples)
    parts = [f"## {path}\n", f"{about}\n", f"```\n{usage}\n```\n"]
    for kind in ("argument", "option"):
        records = [
            p.get_help_record(context) for p in command.get_params(context) if p.param_type_name == kind
        ]
        rows = [(f"`{name}`", _cell(help_)) for name, help_ in filter(None, records)]
        if rows:
            parts.append(_table((kind, ""), rows))
    if shown:
        parts.append(f"{'Examples' if len(examples) > 1 else 'Example'}:\n\n```\n{shown}\n```\n")
    return "\n".join(parts)


def configuration() -> str:
    """Every key of a run's configuration with its type, default and meaning."""
    sections: list[tuple[str, str, Any]] = [("The run", "", RunConfig)]
    tables = []
    for title, prefix, kind in sections:
        intro, meanings = reference.parse_docstring(kind.__doc__ or "")
        hints = get_type_hints(kind)
        rows = []
        for field in fields(kind):
            inner = next((t for t in _alternatives(hints[field.name]) if is_dataclass(t)), None)
            key = f"{prefix}{field.name}"
            if field.name not in meanings:
                raise ExtensionError(f"{kind.__name__}.{field.name} has no meaning in its docstring")
            if inner is not None:
                sections.append((f"`{key}`", f"{key}.", inner))
            rows.append(
                (f"`{key}`", _type(hints[field.name]), _default(field), _cell(_code(meanings[field.name])))
            )
        tables.append(
            f"## {title}\n\n{_code(intro)}\n\n{_table(('key', 'type', 'default', 'meaning'), rows)}"
        )
    return "\n".join(tables)


def _alternatives(hint: Any) -> tuple[Any, ...]:
    """The members of a union; else the type itself."""
    single = get_origin(hint) in (None, tuple, dict, list, Literal)
    return (hint,) if single else get_args(hint)


def _type(hint: Any) -> str:
    members = _alternatives(hint)
    if len(members) > 1:
        return " or ".join(_type(member) for member in members)
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin is tuple:
        return f"list of {_type(inner[0])}"
    if origin is dict or is_dataclass(hint):
        return "section"
    names = {
        str: "text",
        int: "whole number",
        float: "number",
        bool: "`true` or `false`",
        type(None): "nothing",
    }
    return names.get(hint, getattr(hint, "__name__", str(hint)))


def _default(field: Field[Any]) -> str:
    if field.default is MISSING:
        return "required" if field.default_factory is MISSING else ""
    value = field.default
    return "nothing" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def http_interface() -> str:
    """Every operation and every schema of the HTTP service."""
    described = document(ENDPOINTS)
    parts = ["## Operations\n"]
    for operation in reference.operations(described):
        heading = f"### {operation.method} {operation.path}\n\n{operation.summary}\n"
        parts.append(f"{heading}\n{_raw(operation.html)}")
    parts.append("## Messages and answers\n")
    parts += [f"### {name}\n\n{_raw(html)}" for name, html in reference.schemas(described).items()]
    return "\n".join(parts)


def _raw(html: str) -> str:
    return f"````{{raw}} html\n{html}\n````\n"


def _code(text: str) -> str:
    return text.replace("``", "`")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def people() -> str:
    """Everything that holds data of persons."""
    rows = [
        (
            f"`{row.name}`",
            row.place.value,
            _cell(row.what),
            _cell(row.removal),
            _cell(row.remains) or "nothing",
        )
        for row in HOLDINGS
    ]
    return _table(("where", "kind", "what it holds", "`kgrank forget`", "what remains"), rows)


GENERATED: dict[str, Callable[[], str]] = {
    "commands": commands,
    "configuration": configuration,
    "http-interface": http_interface,
    "people": people,
}


def _fill(_: Sphinx, page: str, source: list[str]) -> None:
    source[0] = MARK.sub(lambda mark: GENERATED[mark[1]](), source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Fills pages in as they are read."""
    app.connect("source-read", _fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
