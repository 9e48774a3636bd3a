"""What a check says, and the places it says it of."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Literal

from kgrank.ontology.check.positions import positions

Severity = Literal["error", "warning"]


@dataclass(frozen=True, order=True)
class Message:
    """One finding: where, which code, what is wrong, what to do. ``line`` 0: the file is missing."""

    file: str
    line: int
    column: int
    code: str
    severity: Severity
    text: str
    advice: str

    def line_text(self) -> str:
        """``file:line:column: CODE what is wrong. What to do.`` in one line."""
        location = f"{self.file}:{self.line}:{self.column}"
        return f"{location}: {self.code} {_sentence(self.text)} {_sentence(self.advice)}"


@dataclass(frozen=True)
class SourceLocation:
    """A statement, or part of one: a subject, one of its words, one object of that word.

    ``object`` is an IRI, or a literal's text after a quotation mark; ``nth`` counts repeated ones from 0.
    """

    file: str
    subject: str
    word: str | None = None
    object: str | None = None
    nth: int = 0


class Report:
    """Collects findings; gives them lines and columns at the end, from the files that have one."""

    def __init__(self) -> None:
        self._found: list[tuple[SourceLocation, str, Severity, str, str]] = []
        self._repeats: dict[tuple[str, str], int] = {}
        self._causes: dict[int, tuple[str, str]] = {}

    def add(
        self, code: str, location: SourceLocation, text: str, advice: str, severity: Severity | None = None
    ) -> None:
        """Notes a finding; without a severity the code's first letter says it."""
        grade: Severity = "warning" if code.startswith("W") else "error"
        self._found.append((location, code, severity or grade, text, advice))

    def add_once(self, cause: str, code: str, location: SourceLocation, text: str, advice: str) -> None:
        """Notes a finding the first time that its cause is met with its code; later ones are only counted."""
        repeated = (cause, code)
        if repeated in self._repeats:
            self._repeats[repeated] += 1
            return
        self._repeats[repeated] = 0
        self.add(code, location, text, advice)
        self._causes[len(self._found) - 1] = repeated

    def __len__(self) -> int:
        return len(self._found)

    def codes(self, since: int = 0) -> set[str]:
        """The codes of the findings, those before the ``since``-th left out."""
        return {code for _, code, *_ in self._found[since:]}

    def errors(self, since: int = 0) -> int:
        """How many of the findings are errors, those before the ``since``-th left out."""
        return sum(severity == "error" for _, _, severity, _, _ in self._found[since:])

    def messages(self, texts: Mapping[str, str], only: Container[str] | None = None) -> list[Message]:
        """The findings in the order of the files.

        Args:
            texts: The files by name.
            only: The subjects whose findings are wanted; all where it is not given.
        """
        located = set()
        wanted = [(n, f) for n, f in enumerate(self._found) if only is None or f[0].subject in only]
        subjects: dict[str, set[str]] = {}
        for _, (location, *_) in wanted:
            subjects.setdefault(location.file, set()).add(location.subject)
        indexes = {f: positions(texts[f], named) for f, named in subjects.items() if f in texts}
        for nth, (location, code, severity, text, advice) in wanted:
            more = self._repeats.get(self._causes.get(nth, ("", "")), 0)
            if more:
                text = f"{text} (and {more} more time{'s' if more > 1 else ''})"
            index = indexes.get(location.file)
            line, column = (0, 1) if index is None else index.find(location)
            located.add(
                Message(
                    file=location.file,
                    line=line,
                    column=column,
                    code=code,
                    severity=severity,
                    text=text,
                    advice=advice,
                )
            )
        return sorted(located)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."
