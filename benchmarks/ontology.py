"""The ontology tools at full size: how long they take, and whether they lose anything.

    python benchmarks/ontology.py
    python benchmarks/ontology.py --pyshacl

Writes Shopify's taxonomy with Chinese names and 3,000 generated rules (about 220,000 triples) into a temporary
folder, and measures on it. ``--pyshacl`` runs rdflib and pySHACL beside the check; that takes minutes. The last
line is one JSON object.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.data_sets import data_folder
from benchmarks.machine import command, environment, finish, script_parser
from benchmarks.ontology_set import write_full_size
from kgrank.ontology.check.session import Session
from kgrank.ontology.diff import difference
from kgrank.ontology.layout import sound_texts
from kgrank.ontology.read import read_ontology
from kgrank.ontology.tables.trip import export, plan_import, read_sheets, write_outcome
from kgrank.ontology.triples import comparable_triples
from kgrank.ontology.versions import read_versions
from kgrank.profiling.taxonomies import bring

FILES = ("aa.ttl", "el.ttl", "hg.ttl")
CATEGORIES = ("aa-1-1-1", "el-2", "hg-3-2", "sg-1-1", "fb-2")
_CHECK = """
import resource, sys, time
from pathlib import Path
from kgrank.ontology.check import examine
start = time.perf_counter()
found = examine(Path(sys.argv[1]))
seconds = time.perf_counter() - start
triples = sum(len(o) for w in found.draft.graph.nodes.values() for o in w.values())
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, len(found.errors), triples)
"""
_PYSHACL = """
import sys, time
from pathlib import Path
from rdflib import Graph
from pyshacl import validate
start = time.perf_counter()
graph = Graph()
for path in sorted(Path(sys.argv[1]).glob("*.ttl")):
    graph.parse(path, format="turtle")
read = time.perf_counter() - start
conforms, _, _ = validate(graph, shacl_graph=Graph().parse(sys.argv[2], format="turtle"), inference="none")
print(time.perf_counter() - start, read, conforms)
"""


def timed(work: Callable[[], object]) -> float:
    """Seconds that a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def best(work: Callable[[], object]) -> float:
    """The least of three times: what else the machine does can only add to it."""
    return min(timed(work) for _ in range(3))


def fresh(program: str, *arguments: object) -> list[str]:
    """What a program prints in a process of its own."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def rechecks(folder: Path) -> tuple[float, float]:
    """The slowest of three files, and the median of five categories; each the best of three times."""
    session = Session(folder)
    files = [best(partial(session.recheck_file, name)) for name in FILES]
    categories = [best(partial(session.recheck_category, category)) for category in CATEGORIES]
    return max(files), median(categories)


def diff_seconds(folder: Path, other: Path) -> float:
    """The comparison of two full-size versions, with a renamed vertical and changed rules."""
    shutil.copytree(folder, other)
    for name, old, new in (("hg.ttl", "类目", "品类"), ("rules.ttl", "kg:share 0.5 ", "kg:share 0.55 ")):
        text = (other / name).read_text(encoding="utf-8")
        assert old in text
        (other / name).write_text(text.replace(old, new), encoding="utf-8")
    return timed(lambda: difference(*read_versions(str(folder), str(other))))


def links(taxonomy: Path, folder: Path) -> int:
    """The links of the taxonomy after folding and unfolding."""
    bring("shopify", taxonomy, folder)
    ontology = read_ontology(folder)
    return sum(len(ontology.applicable(c)) for c in ontology.categories)


def tables(folder: Path, book: Path, back: Path) -> tuple[float, float, bool]:
    """Seconds to export and to import into an empty folder, and whether the two say the same."""
    out = timed(lambda: export(folder, workbook=book))
    home = timed(lambda: write_outcome(plan_import(read_sheets(workbook=book), back), back))
    return (
        out,
        home,
        comparable_triples(sound_texts(folder).values()) == comparable_triples(sound_texts(back).values()),
    )


def main() -> None:
    """Runs all and prints the figures."""
    parser = script_parser(__doc__, data="shopify_taxonomy")
    parser.add_argument("--pyshacl", action="store_true", help="run rdflib and pySHACL beside it (minutes)")
    options = parser.parse_args()
    taxonomy = data_folder(options.data)
    about = environment("pyoxigraph", "rdflib", "pyshacl")
    with TemporaryDirectory() as name:
        root = Path(name)
        folder = root / "full"
        write_full_size(taxonomy, folder)
        check, peak, errors, triples = map(float, fresh(_CHECK, folder))
        print(f"check: {check:.2f} s for {triples:.0f} triples, {errors:.0f} errors, {peak:.0f} MB")
        file, category = rechecks(folder)
        print(f"again: one file {file:.3f} s, one category {category:.4f} s")
        diff = diff_seconds(folder, root / "other")
        print(f"diff: {diff:.2f} s")
        unfolded = links(taxonomy, root / "shopify")
        print(f"import of the taxonomy: {unfolded} links after unfolding")
        exported, imported, same = tables(folder, root / "full.xlsx", root / "back")
        print(
            f"xlsx: out {exported:.1f} s, back {imported:.1f} s, {'isomorphic' if same else 'NOT isomorphic'}"
        )
        pyshacl = None
        if options.pyshacl:
            shapes = Path(__file__).parents[1] / "ontology" / "shapes.ttl"
            seconds, read, conforms = fresh(_PYSHACL, folder, shapes)
            pyshacl = float(seconds)
            print(f"rdflib and pySHACL: {pyshacl:.1f} s, reading {float(read):.1f} s, conforms: {conforms}")
    figures = {
        "check_seconds": round(check, 3),
        "pyshacl_seconds": pyshacl and round(pyshacl, 1),
        "pyshacl_ratio": pyshacl and round(pyshacl / check, 1),
        "recheck_file_seconds": round(file, 3),
        "recheck_category_seconds": round(category, 4),
        "diff_seconds": round(diff, 3),
        "links": unfolded,
        "xlsx_export_seconds": round(exported, 2),
        "xlsx_import_seconds": round(imported, 2),
        "xlsx_isomorphic": same,
        "triples": int(triples),
        "peak_mb": round(peak),
    }
    finish("ontology", figures, {"environment": about})


if __name__ == "__main__":
    command(main)
