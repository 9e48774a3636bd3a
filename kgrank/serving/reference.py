"""An OpenAPI document as HTML that needs no script and no other file: ``/docs``, and the reference of the site."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from inspect import cleandoc
from itertools import groupby
from typing import Any

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem 1.5rem 6rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .875em; }
pre { padding: .75rem; overflow-x: auto; border: 1px solid #8886; border-radius: .25rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid #8884; }
h2 { border-top: 2px solid #8886; padding-top: .75rem; margin-top: 3rem; }
section { margin-top: 1.5rem; }
nav ul { list-style: none; padding-left: 0; columns: 2; }
"""

POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page's Content-Security-Policy: its own style sheet and nothing else."""


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    Attributes:
        group: The part of the path that operations of one kind share.
        method: In capitals.
        path: With parameters in braces.
        summary: One sentence.
        html: Parameters, message, example and answers.
    """

    group: str
    method: str
    path: str
    summary: str
    html: str

    @property
    def anchor(self) -> str:
        """Its id in a page."""
        return re.sub(r"\W+", "-", f"{self.method} {self.path}".lower()).strip("-")


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """All operations, in the order of the document."""
    return [
        Operation(_group(path), method.upper(), path, operation["summary"], _operation(operation))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def schemas(document: Mapping[str, Any]) -> dict[str, str]:
    """HTML of each schema by its name; links lead to ``#schema-NAME``, an id that the HTML holds."""
    named = document["components"]["schemas"]
    return {name: f'<div id="schema-{name}">{_schema(schema)}</div>' for name, schema in named.items()}


def page(document: Mapping[str, Any]) -> str:
    """The whole document as one page."""
    info, groups = document["info"], groupby(operations(document), lambda operation: operation.group)
    contents, parts = [], []
    for group, members in groups:
        parts.append(f"<h2>{escape(group)}</h2>")
        for operation in members:
            name = f"<code>{operation.method} {escape(operation.path)}</code>"
            contents.append(f'<li><a href="#{operation.anchor}">{name}</a></li>')
            heading = f"<h3>{name}</h3><p>{_prose(operation.summary)}</p>"
            parts.append(f'<section id="{operation.anchor}">{heading}{operation.html}</section>')
    parts.append("<h2>Messages and answers</h2>")
    for name, html in schemas(document).items():
        parts.append(f"<section><h3>{escape(name)}</h3>{html}</section>")
    title = f"{escape(info['title'])} {escape(info['version'])}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}: HTTP interface</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>{title}</h1><p>{_prose(info['description'])}</p>"
        "<p>A key, where the service asks for one, is sent as <code>Authorization: Bearer KEY</code>. "
        'The same for programs: <a href="openapi.json">openapi.json</a>.</p>'
        f"<nav><ul>{''.join(contents)}</ul></nav>{''.join(parts)}</body></html>\n"
    )


def _group(path: str) -> str:
    parts = [part for part in path.split("/") if part]
    return "/" + "/".join(parts[:2] if len(parts) > 1 else parts)


def _operation(operation: Mapping[str, Any]) -> str:
    parts = []
    if operation.get("security") == []:
        parts.append("<p>Needs no key.</p>")
    if "description" in operation:
        parts.append(f"<p>{_prose(operation['description'])}</p>")
    if operation.get("parameters"):
        rows = [
            (f"<code>{escape(p['name'])}</code>", escape(p["in"]), _type(p["schema"]))
            for p in operation["parameters"]
        ]
        parts.append(_table(("parameter", "in", "type"), rows))
    for content in operation.get("requestBody", {}).get("content", {}).values():
        parts.append(f"<p>Message: {_type(content['schema'])}, for example</p>")
        parts.append(f"<pre>{escape(json.dumps(content['example'], indent=2, ensure_ascii=False))}</pre>")
    answers = [
        (f"<code>{code}</code>", _prose(answer["description"]), _content(answer))
        for code, answer in sorted(operation["responses"].items())
    ]
    return "".join([*parts, _table(("status", "meaning", "answer"), answers)])


def _content(answer: Mapping[str, Any]) -> str:
    """What an answer holds, by media type where it is no schema's."""
    contents = answer.get("content", {}).items()
    return ", ".join(_type(c["schema"]) if c["schema"] else f"<code>{escape(k)}</code>" for k, c in contents)


def _schema(schema: Mapping[str, Any]) -> str:
    intro, meanings = parse_docstring(schema.get("description", ""))
    text = f"<p>{_prose(intro)}</p>" if intro else ""
    if "properties" not in schema:
        return f"{text}<p>{_type(schema)}</p>"
    return text + _table(("field", "type", "default", "meaning"), list(_fields(schema, meanings)))


def _fields(
    schema: Mapping[str, Any], meanings: Mapping[str, str], prefix: str = ""
) -> Iterator[tuple[str, ...]]:
    for name, part in schema["properties"].items():
        default = f"<code>{escape(json.dumps(part['default']))}</code>" if "default" in part else ""
        need = "required" if name in schema.get("required", ()) else default
        meaning = _prose(part.get("description") or meanings.get(name, ""))
        yield f"<code>{escape(prefix + name)}</code>", _type(part), need, meaning
        if "properties" in part:
            yield from _fields(part, parse_docstring(part.get("description", ""))[1], f"{prefix}{name}.")


def parse_docstring(docstring: str) -> tuple[str, dict[str, str]]:
    """A docstring's text, and the meaning of each name in its section ``Attributes``."""
    intro, _, section = cleandoc(docstring).partition("\nAttributes:\n")
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    return intro.strip(), {name: " ".join(text.split()) for name, text in entries}


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f'<a href="#schema-{name}">{escape(name)}</a>'
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(_type(part) for part in schema[several])
    if "enum" in schema:
        return " or ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema["enum"])
    kinds = schema.get("type", "any")
    if isinstance(kinds, list):
        return " or ".join(escape(kind) for kind in kinds)
    words = escape(kinds)
    if isinstance(schema.get("items"), Mapping):
        words = f"list of {_type(schema['items'])}"
    elif isinstance(schema.get("additionalProperties"), Mapping):
        words = f"object with values of {_type(schema['additionalProperties'])}"
    return ", ".join([words, *_bounds(schema)])


BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "pattern": "like {}",
}


def _bounds(schema: Mapping[str, Any]) -> list[str]:
    return [
        escape(words.format(f"{schema[key]:,}" if key != "pattern" else schema[key]))
        for key, words in BOUNDS.items()
        if key in schema
    ]


def _prose(text: str) -> str:
    """Escaped text with its code marked, a paragraph after each empty line."""
    marked = re.sub(r"``(.+?)``|`(.+?)`", lambda m: f"<code>{m[1] or m[2]}</code>", escape(text))
    return re.sub(r"\n\s*\n", "</p><p>", marked)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table class="docutils"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
