"""docs/data.md, from data_sets.yaml."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from benchmarks.data_sets import DataSet

HEAD = """# Public data sets

<!-- Written by `python benchmarks/tables.py` from benchmarks/data_sets.yaml. -->

Benchmarks, tests and one notebook read public data sets. None of them is part of kgrank; each keeps its own
licence. You download what the section of a set names; `benchmarks/prepare.py` makes the folder that is read of it:

```
python benchmarks/prepare.py choice_camera --from bayesm_3.1-6.tar.gz --to data/choice_camera
export KGRANK_DATA=data
python benchmarks/importance.py --data choice_camera
```

`KGRANK_DATA` names the folder with one folder for each set; `--data` takes a folder too. `--from` takes an
archive, a folder or single files, several where a set has several sources. Checksums are compared before and
after; `--any-version` accepts another version, and says what differs. `--check` compares a folder that is there.
`python benchmarks/prepare.py --list` shows all sets. Files that R saved are read by the Python package rdata
(extra `bench`); no R is needed. Where a set is missing, a script says so, and tests that need it
are left out with one line.

Checksums are SHA-256 of the content: unpacked where a name ends in `.gz`, of the table as CSV for Parquet (packing
differs between versions, what is inside does not), of all files in order of their names for a pattern. The
importance benchmark compares with a plain logit, which `prepare.py` computes from the data
(`benchmarks/plain_logit.py`).
"""


def page(sets: Mapping[str, DataSet]) -> str:
    """The whole page."""
    return "\n".join([HEAD, *(line for name in sets for line in _section(name, sets[name]))])


def _section(name: str, which: DataSet) -> Iterator[str]:
    yield from (f"## {name}", "", _filled(which.about), "")
    yield _filled(f"Licence: {which.licence}")
    if which.cite:
        yield from ("", _filled(f"To cite: {which.cite}"))
    if which.note:
        yield from ("", _filled(which.note))
    yield from ("", "| source, version, what to download | file | SHA-256 |", "|---|---|---|")
    for source in which.sources:
        for number, (file, digest) in enumerate(source.files.items()):
            first = f"{source.name}, {source.version}: {source.get}" if number == 0 else ""
            yield f"| {first} | `{file}` | `{digest}` |".replace("|  |", "| |")
    yield from ("", "| file that is read | SHA-256 |", "|---|---|")
    for file, digests in which.files.items():
        yield f"| `{file}` | {' or '.join(f'`{d}`' for d in digests)} |"
    yield ""


def _filled(text: str) -> str:
    return textwrap.fill(text, 115, break_long_words=False, break_on_hyphens=False)
