"""Prints the changes of one version from CHANGELOG.md: ``python scripts/release_notes.py 0.4.0``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"


def sections(text: str) -> dict[str, str]:
    """The text below each heading ``## [VERSION]`` or ``## [VERSION] - DATE``, by version, newest first."""
    pieces = re.split(r"^## \[([^\]]+)\].*$", text, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], (body.strip() for body in pieces[2::2]), strict=True))


def main(arguments: list[str]) -> int:
    """Prints the section of a version; exit code 2 where there is none."""
    versions = sections(CHANGELOG.read_text(encoding="utf-8"))
    if len(arguments) != 1 or arguments[0] not in versions:
        problem = f"no version {arguments[0]!r}" if len(arguments) == 1 else "one version must be named"
        print(
            f"error: {CHANGELOG.name}: {problem}; expected one of {', '.join(versions)}. "
            "Name it: make release-notes VERSION=0.4.0",
            file=sys.stderr,
        )
        return 2
    print(versions[arguments[0]])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
