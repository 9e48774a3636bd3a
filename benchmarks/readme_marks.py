"""What scripts write into README, each part between two marks of its own."""

from __future__ import annotations

from kgrank.errors import InputError


def between_marks(text: str, begin: str, end: str, written: str, subject: str) -> str:
    """The text with what stands between two marks written anew.

    Args:
        text: Of README.
        begin: The first mark.
        end: The second.
        written: What stands between them from now on.
        subject: What it is about, for the error.

    Raises:
        InputError: A mark is gone.
    """
    before, first, rest = text.partition(begin)
    _, second, after = rest.partition(end)
    if not (first and second):
        raise InputError(
            f"the marks of the {subject} are gone", where="README.md", expected=f"{begin} and {end}"
        )
    return f"{before}{begin}\n\n{written}\n\n{end}{after}"
