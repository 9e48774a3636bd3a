"""From files to statements: everything that keeps a file from being read (codes P)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import RdfFormat, parse

from kgrank.documents import MOST_DEEP
from kgrank.errors import InputError
from kgrank.ontology.check.graph import Graph
from kgrank.ontology.check.messages import Message
from kgrank.ontology.vocabulary import PREFIXES

_MOST_ERRORS = 20
"""Syntax errors reported from one file; more are of no help."""

BASE = "https://kgrank.invalid/"
"""What a relative IRI is relative to, so that it is read rather than refused."""
_MERGE = re.compile(r"^(<{7}|\|{7}|={7}|>{7})(?: .*)?$", re.MULTILINE)
_PREFIX = re.compile(r"^[ \t]*@?prefix[ \t]+(\w*):[ \t]*<([^>\n]*)>", re.MULTILINE | re.IGNORECASE)
_CURLY = re.compile("[“”„‟‘’]")
_BRACKET = re.compile(r"[()\[\]]")
_COMMENT_OR_TEXT = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|<[^<>\s]*>|#[^\n]*', re.DOTALL
)
_HEADING = re.compile(r"^Parser error .*?\d: ")
_PACKED = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"\xd0\xcf\x11\xe0")
_FOREIGN = {"<?xml": "XML", "<rdf:rdf": "XML", "<!doctype": "a web page", "<html": "a web page", "{": "JSON"}
"""How files in other formats begin."""

_BEYOND = re.compile(
    r"<<|\{\||@[A-Za-z][A-Za-z0-9-]*--(?:ltr|rtl)|^[ \t]*@?version\b", re.MULTILINE | re.IGNORECASE
)
"""What Turtle 1.2 has and 1.1 lacks: most tools refuse it, and it says nothing that kgrank reads."""

_RDF_ENDINGS = frozenset(
    {".ttl", ".turtle", ".trig", ".nt", ".nq", ".n3", ".jsonld", ".rdf", ".rdfs", ".rj", ".trix"}
    | {".owl", ".owx", ".ofn", ".omn", ".obo", ".hdt"}
)
"""Files that hold statements; those that end with .ttl are read."""

_PERHAPS = {".xml": ("rdf:RDF", "<Ontology", "<TriX"), ".json": ('"@context"', '"@graph"', '"@id"')}
"""Files that hold statements where one of these words stands in them."""

_BESIDE = (".gz", ".bz2", ".xz", ".zip", ".txt", ".bak", ".orig", ".old", ".rej", "~")
"""What follows .ttl in the name of a packed file, a copy, or one that an editor named."""

_CONVERTIBLE = frozenset({".trig", ".nt", ".nq", ".n3", ".jsonld", ".rdf", ".owl"})
"""Endings of files that rdflib's command ``rdfpipe`` reads without being told their syntax."""

_LOOK = "Look at this line and the end of the line before"
_WORDING = tuple(
    (re.compile(pattern), found, todo)
    for pattern, found, todo in (
        (
            r"The prefix (\S*): has not been declared",
            "the short name {0}: is not declared",
            "Copy its @prefix line from another file of this folder",
        ),
        (
            r"([.;,]) is not a valid RDF object",
            "a value is missing before {0}, or a list ( is not closed",
            _LOOK,
        ),
        (
            r"(.+) is not a valid RDF object",
            "{0} is not a valid value",
            "Write a short name (a:color), a number, or a text in quotes",
        ),
        (r"(.+) is not a valid predicate", "{0} is not a valid word (predicate)", _LOOK),
        (r"(.+) is not a valid subject or graph name", "{0} cannot begin a statement", _LOOK),
        (r"blank node property lists should end with a '\]'", "a bracket [ is opened and not closed", _LOOK),
    )
)
"""What the parser says, what an editor reads, and what to do."""

_HEAD = re.compile(r"^[^\s#]", re.MULTILINE)


@dataclass(frozen=True)
class Parsed:
    """One file: its text, its statements, what keeps it from being read, its short names with their lines."""

    text: str
    graph: Graph
    problems: list[Message]
    prefixes: list[tuple[str, str, int]]


def parse_file(path: Path) -> Parsed:
    """Reads one Turtle file."""
    text, problems = _text(path)
    return Parsed(text, Graph(), problems, []) if problems else parse_text(path.name, text)


def parse_text(name: str, text: str) -> Parsed:
    """Reads the text of a Turtle file with Unix line ends."""
    graph = Graph()
    prefixes = _declarations(text)
    problems = [*_foreign_prefixes(name, prefixes), *_statements(name, text, graph)]
    return Parsed(text, graph, problems, prefixes)


def parse_files(folder: Path) -> dict[str, Parsed]:
    """The Turtle files of a folder by name.

    Raises:
        InputError: There is no such folder, or no Turtle file in it.
    """
    if not folder.is_dir():
        raise InputError("no such folder", where=folder, expected="a folder of Turtle files")
    paths = turtle_files(folder)
    if not paths:
        others = [f"{m.file}: {m.text}. {m.advice}." for m in unread_files(folder)]
        todo = " ".join(others[:3]) or None
        raise InputError(
            "no .ttl file in this folder", where=folder, expected="ontology.ttl and others", todo=todo
        )
    return {path.name: parse_file(path) for path in paths}


def turtle_files(folder: Path) -> list[Path]:
    """The files of a folder that end with ``.ttl``, in whatever case; hidden ones are left out."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.suffix.lower() == ".ttl" and not p.name.startswith("."))


def unread_files(folder: Path) -> list[Message]:
    """A warning for each file that says something in RDF and is not read: in a folder below, or no Turtle."""
    messages = []
    for path in sorted(p for p in folder.rglob("*") if _says_rdf(p)):
        inside = path.relative_to(folder)
        below, turtle = len(inside.parts) > 1, path.suffix.lower() == ".ttl"
        if any(part.startswith(".") for part in inside.parts) or (turtle and not below):
            continue
        problem, todo = _why_unread(path, below=below)
        messages.append(
            Message(
                file=inside.as_posix(),
                line=1,
                column=1,
                code="W101",
                severity="warning",
                text=f"this file is not read, since {problem}",
                advice=todo + (" into the folder of the other files" if below else "") + ", or take it out",
            )
        )
    return messages


def _says_rdf(path: Path) -> bool:
    """Whether a file holds statements, by its name, or for XML and JSON by its first words."""
    name, ending = path.name.lower(), path.suffix.lower()
    if ending in _RDF_ENDINGS:
        return True
    if any(name.endswith(f"{rdf}{more}") for rdf in _RDF_ENDINGS for more in _BESIDE):
        return path.is_file()
    if ending not in _PERHAPS or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(4_000).decode("utf-8", "replace")
    return any(word in head for word in _PERHAPS[ending])


def _why_unread(path: Path, *, below: bool) -> tuple[str, str]:
    """Why a file is not read, and what to do with it."""
    ending, name = path.suffix.lower(), path.name
    if ending == ".ttl":
        return "it is in a folder below", "Move it"
    where = "it is in a folder below, and " if below else ""
    if ending == ".turtle" or name.lower().endswith((".ttl.txt", ".turtle.txt")):
        return f"{where}its name does not end with .ttl", "Rename it"
    if ending in (".gz", ".bz2", ".xz", ".zip"):
        return f"{where}it is packed", "Unpack it"
    if name.lower().endswith(("~", ".bak", ".orig", ".old", ".rej")):
        return f"{where}it is named as a copy", "Rename it so that it ends with .ttl"
    todo = "Write it as Turtle (.ttl)"
    if ending in _CONVERTIBLE and not below:
        todo = f"Write it as Turtle: rdfpipe {shlex.quote(name)} -o turtle > {shlex.quote(path.stem)}.ttl"
    return f"{where}{path.suffix} is not Turtle", todo


def together(files: Mapping[str, Parsed]) -> tuple[Graph, dict[str, str], list[Message]]:
    """The statements of all files, the texts of those that could be read, and what cannot be read."""
    graph = Graph()
    for parsed in files.values():
        graph.merge(parsed.graph)
    texts = {name: parsed.text for name, parsed in files.items() if parsed.text}
    problems = [m for parsed in files.values() for m in parsed.problems]
    return graph, texts, sorted([*problems, *divided_prefixes(files)])


def parse_folder(folder: Path) -> tuple[Graph, dict[str, str], list[Message]]:
    """The statements of a folder's Turtle files, the files' texts by name, and what cannot be read.

    Raises:
        InputError: There is no such folder, or no Turtle file in it.
    """
    return together(parse_files(folder))


def _text(path: Path) -> tuple[str, list[Message]]:
    """The text of a file without its byte order mark and with Unix line ends."""
    name = path.name
    if path.exists() and not path.is_file():
        problem = "this is a folder, not a file" if path.is_dir() else "this is no file that can be read"
        return "", [_message(name, 1, 1, "P002", problem, "Move it, or give it another ending than .ttl")]
    try:
        data = path.read_bytes()
    except OSError as error:
        return "", [
            _message(name, 1, 1, "P002", f"the file cannot be read ({error.strerror})", "Check its rights")
        ]
    if data.startswith(_PACKED):
        problem = "this is a packed file (zip, gzip, xlsx), not text"
        return "", [
            _message(name, 1, 1, "P004", problem, "Unpack it; for a workbook: kgrank ontology import")
        ]
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:100]:
        return "", [_message(name, 1, 1, "P003", "the file is UTF-16, not UTF-8", "Save it again as UTF-8")]
    try:
        text = data.decode("utf-8").lstrip("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        problem = f"byte {data[error.start]:#04x} is not UTF-8 (a Windows or GBK file?)"
        return "", [_message(name, line, column, "P004", problem, "Save the file as UTF-8")]
    if not text.strip():
        return "", [_message(name, 1, 1, "P005", "the file is empty", "Restore it from git, or delete it")]
    other = next(
        (what for mark, what in _FOREIGN.items() if text.lstrip()[:9].lower().startswith(mark)), None
    )
    if other is not None:
        todo = "Write Turtle: c:shoes a kg:Category ; …"
        return "", [_message(name, 1, 1, "P001", f"this is {other}, not Turtle", todo)]
    marker = _MERGE.search(text)
    if marker:
        problem = "an unfinished git merge is left in the file"
        todo = "Choose one side and delete the <<<<<<< ======= >>>>>>> lines"
        return "", [_message(name, text.count("\n", 0, marker.start()) + 1, 1, "P006", problem, todo)]
    return text, []


def _declarations(text: str) -> list[tuple[str, str, int]]:
    """The prefixes that a file declares, their namespaces, and the lines."""
    return [(m.group(1), m.group(2), text.count("\n", 0, m.start()) + 1) for m in _PREFIX.finditer(text)]


def _foreign_prefixes(name: str, prefixes: Iterable[tuple[str, str, int]]) -> Iterator[Message]:
    """A well-known prefix bound to another namespace makes every word of the file unknown."""
    for prefix, iri, line in prefixes:
        if PREFIXES.get(prefix, iri) != iri:
            problem = (
                f"the short name {prefix}: stands for <{iri}> here, but kgrank uses <{PREFIXES[prefix]}>"
            )
            yield _message(name, line, 1, "P008", problem, "Copy the @prefix line from kgrank.ttl")


def divided_prefixes(files: Mapping[str, Parsed]) -> list[Message]:
    """A prefix of the shop that one file binds to another namespace than most files."""
    uses: dict[str, list[tuple[str, str, int]]] = {}
    for name, parsed in files.items():
        for prefix, iri, line in parsed.prefixes:
            if prefix not in PREFIXES:
                uses.setdefault(prefix, []).append((iri, name, line))
    messages = []
    for prefix, locations in uses.items():
        iris = [iri for iri, _, _ in locations]
        usual = max(dict.fromkeys(iris), key=iris.count)
        for iri, name, line in locations:
            if iri != usual:
                problem = f"the short name {prefix}: stands for <{iri}> here and for <{usual}> in other files"
                messages.append(_message(name, line, 1, "P009", problem, "Make the @prefix lines the same"))
    return messages


def _statements(name: str, text: str, graph: Graph) -> list[Message]:
    """Adds a file's statements to the graph; the parser continues after a syntax error, so all are reported."""
    # Blank nodes of two files must not meet; relative IRIs are made absolute rather than refused.
    triples = parse(text.encode(), RdfFormat.TURTLE, base_iri=BASE, rename_blank_nodes=True)
    errors: list[SyntaxError] = []
    while len(errors) < _MOST_ERRORS:
        try:
            graph.add(triples)
            break
        except SyntaxError as error:
            errors.append(error)
    graph.files = {subject: [name] for subject in graph.nodes}
    return _explained(name, text, errors) if errors else _nested(name, text) or _beyond(name, text)


def _nested(name: str, text: str) -> list[Message]:
    """The first bracket within too many others: what lays out, exports or merges a file reads it part by part."""
    if _first_too_deep(text) is None:
        return []
    at = _first_too_deep(_without_texts(text))
    if at is None:
        return []
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    what = f"more than {MOST_DEEP} brackets inside each other"
    return [_message(name, line, column, "P001", what, "Write the inner ones as statements of their own")]


def _first_too_deep(text: str) -> int | None:
    """The offset of the first bracket with too many open before it; those in texts are counted too."""
    depth = 0
    for match in _BRACKET.finditer(text):
        depth += 1 if match[0] in "([" else -1
        if depth > MOST_DEEP:
            return match.start()
    return None


def _without_texts(text: str) -> str:
    """The same with spaces in place of texts and comments."""
    return _COMMENT_OR_TEXT.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def _beyond(name: str, text: str) -> list[Message]:
    """The first mark of a newer Turtle, outside texts and comments."""
    if not any(mark in text for mark in ("<<", "{|", "--ltr", "--rtl", "version", "VERSION")):
        return []
    match = _BEYOND.search(_without_texts(text))
    if match is None:
        return []
    line = text.count("\n", 0, match.start()) + 1
    column = match.start() - text.rfind("\n", 0, match.start())
    what = f"{match.group().strip()} belongs to Turtle 1.2, which kgrank does not read"
    return [_message(name, line, column, "P001", what, "Say it as a statement of its own, or in a comment")]


def _explained(name: str, text: str, errors: list[SyntaxError]) -> list[Message]:
    """One message a cause: follow-ups in the same block, or after an open quote, are left out."""
    lines = text.split("\n")
    open_quote = _open_quote(text)
    errors = _best_worded(errors)
    heads = [text.count("\n", 0, m.start()) + 1 for m in _HEAD.finditer(text)]
    messages: list[Message] = []
    seen: set[object] = set()
    for error in errors:
        line = max(1, min(error.lineno or 1, len(lines)))
        if open_quote is not None and line >= open_quote and not _CURLY.search(lines[line - 1]):
            messages.append(
                _message(
                    name, open_quote, 1, "P001", "a quote is opened and not closed", "Close it on its line"
                )
            )
            break
        message = _explain(name, lines, line, error)
        undeclared = message.text.endswith("is not declared")
        block = message.text if undeclared else sum(head <= message.line for head in heads)
        if block not in seen:
            seen.add(block)
            messages.append(message)
        if not undeclared and message.line <= _first_line(lines):
            break  # Nothing of the file is Turtle.
    return messages


def _best_worded(errors: list[SyntaxError]) -> list[SyntaxError]:
    """Of two errors at one place, the one that names what is missing."""
    best: dict[object, SyntaxError] = {}
    for error in errors:
        location = (error.lineno, error.offset)
        if location not in best or "dot is expected" in error.msg:
            best[location] = error
    return list(best.values())


def _explain(name: str, lines: list[str], line: int, error: SyntaxError) -> Message:
    """The parser's words as an editor's."""
    column = max(1, error.offset or 1)
    here = lines[line - 1]
    curly = _CURLY.search(_COMMENT_OR_TEXT.sub(lambda m: " " * len(m.group()), here))
    if curly:
        problem = "curly quotes " + " ".join(dict.fromkeys(_CURLY.findall(here)))
        return _message(name, line, curly.start() + 1, "P001", problem, 'Use straight quotes: "…"')
    says = _HEADING.sub("", error.msg)
    if "dot is expected" in says and column == 1:
        todo = "End the block with ' .' ('; ' goes on with the same thing, ' .' ends it)"
        problem = "a full stop is missing after the last statement"
        return _message(name, _line_before(lines, line), 1, "P001", problem, todo)
    if "dot is expected" in says:
        token = here[column - 1 :].split(" ", 1)[0]
        todo = "; goes on with another word, , with another value, . ends the statement"
        return _message(name, line, column, "P001", f"a mark is missing before {token}", todo)
    for pattern, problem, todo in _WORDING:
        match = pattern.fullmatch(says)
        if match:
            return _message(name, line, column, "P001", problem.format(*match.groups()), todo)
    return _message(name, line, column, "P001", says[:1].lower() + says[1:].rstrip("."), _LOOK)


def _line_before(lines: list[str], line: int) -> int:
    """The nearest line above that says something."""
    for number in range(line - 1, 0, -1):
        text = lines[number - 1].strip()
        if text and not text.startswith("#"):
            return number
    return line


def _open_quote(text: str) -> int | None:
    """The first line with a quote that is not closed on it, comments, IRIs and long texts aside."""
    rest = _COMMENT_OR_TEXT.sub(lambda m: "\n" * m.group().count("\n"), text)
    at = rest.find('"')
    return None if at < 0 else rest.count("\n", 0, at) + 1


def _first_line(lines: list[str]) -> int:
    """The first line that is neither blank nor a comment."""
    return next((n for n, t in enumerate(lines, 1) if t.strip() and not t.lstrip().startswith("#")), 1)


def _message(file: str, line: int, column: int, code: str, text: str, advice: str) -> Message:
    return Message(file=file, line=line, column=column, code=code, severity="error", text=text, advice=advice)
