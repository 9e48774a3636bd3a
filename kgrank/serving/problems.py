"""Answers that are errors, as JSON: what was found, where, what was expected, what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from starlette.types import Send

from kgrank.errors import InputError, KgrankError
from kgrank.serving.messages import shortened

Headers = list[tuple[bytes, bytes]]
JSON = b"application/json"
ALWAYS: Headers = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
"""Headers of every answer: rankings are personal, and no browser may take an answer for a page."""

_PROCESS = re.compile(r"\bprocess \d+")


class ProblemError(Exception):
    """An answer that is an error."""

    def __init__(
        self, status: int, found: str, todo: str | None = None, headers: Headers | None = None
    ) -> None:
        super().__init__(found)
        self.status = status
        self.body = msgspec.json.encode({"error": {"found": found, "todo": todo}})
        self.headers = headers or []


def problem_of(status: int, error: KgrankError) -> ProblemError:
    """The answer for an error of a query or of the store."""
    problem = ProblemError(status, "")
    public = error if isinstance(error, InputError) else without_address(error)
    details = {
        "found": shortened(public.problem),
        "where": public.where,
        "expected": public.expected,
        "todo": public.todo,
    }
    problem.body = msgspec.json.encode({"error": details})
    return problem


def without_address(error: KgrankError) -> KgrankError:
    """The same without the store's address and the numbers of processes, which callers must not learn."""
    where = "the store" if error.where else None
    problem = _PROCESS.sub("another process", error.problem)
    todo = None if error.todo is None else _PROCESS.sub("the other process", error.todo)
    return KgrankError(problem, where=where, expected=error.expected, todo=todo)


def unavailable(error: KgrankError) -> ProblemError:
    """The store does not answer, or nothing is served yet."""
    problem = problem_of(503, error)
    problem.headers.append((b"retry-after", b"2"))
    return problem


async def send_answer(
    send: Send, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]] = (), kind: bytes = JSON
) -> None:
    """Sends an answer whole."""
    size = str(len(body)).encode()
    start = [(b"content-type", kind), (b"content-length", size), *ALWAYS, *headers]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})


async def send_problem(send: Send, problem: ProblemError) -> None:
    """Sends an error."""
    await send_answer(send, problem.status, problem.body, problem.headers)
