"""What the cells of a column look like: several values in one, steps of a ladder, texts that are no values."""

from __future__ import annotations

import re
from collections import Counter

import polars as pl

from kgrank.profiling.headings import plain_letters

LIST_SEPARATORS = ("|", ";", ",", "/", "+", " & ", " and ", " und ", " et ", " y ", "、", "，", "\n")
PATH_SEPARATORS = (">", "»", "›", "::", "|", "/", "\\", ".")

_LEAST_LISTED = 0.05
"""Share of cells with several values from which a column has several."""

_RECURRING = 0.6
"""Share of the parts of such cells that must occur in other cells."""

_LONG_TEXT = 60
"""Characters of an average cell from which a column is running text."""

_OWN_TEXT, _FEWEST = 0.6, 12
"""Share of different cells from which a column has no values to choose from; of how many cells."""

_LADDERS = (
    "xxxs 3xs|xxs 2xs|xs|s|m|l|xl|xxl 2xl|xxxl 3xl|xxxxl 4xl|5xl|6xl",
    "extra small|small|medium|large|extra large|extra extra large",
    "mini|klein|mittel|gross|sehr gross|xxl",
    "tres petit|petit|moyen|grand|tres grand",
    "muy pequeno|pequeno|mediano|grande|muy grande",
    "very low|low|medium|high|very high",
    "sehr niedrig|niedrig|mittel|hoch|sehr hoch",
    "leicht|mittel|schwer",
    "light|medium|dark|extra dark",
    "faible|moyen|eleve",
    "bajo|medio|alto",
    "beginner|intermediate|advanced|expert",
    "anfanger|fortgeschritten|profi",
    "g|f|e|d|c|b|a|a+|a++|a+++",
    "小|中|大|特大",
    "小号|中号|大号|加大号",
    "低|中|高",
)
"""Words in an order that all shops share, least first; of several words for one step, any counts."""


_FEWEST_STEPS = 3
"""Steps of a ladder that a column must have."""


def ladder(texts: pl.Series) -> tuple[str, ...]:
    """The distinct texts, least to most, where all are steps of one ladder; empty where they are not."""
    distinct = sorted(set(texts))
    keys = {text: " ".join(plain_letters(text).replace("-", " ").split()) for text in distinct}
    for steps in _LADDERS:
        rank = {word: n for n, step in enumerate(steps.split("|")) for word in _words(step)}
        if not all(key in rank for key in keys.values()):
            continue
        ranks = {rank[key] for key in keys.values()}
        if steps.endswith("+") and not any("+" in key for key in keys.values()):
            continue  # Single letters can be anything.
        if len(ranks) >= _FEWEST_STEPS:
            # Of two spellings of one step, the more frequent one stays.
            by_count = sorted(distinct, key=lambda text: (int((texts == text).sum()), text))
            step_text = {rank[keys[text]]: text for text in by_count}
            return tuple(step_text[n] for n in sorted(step_text))
    return ()


def _words(step: str) -> list[str]:
    """The words for one step: those of sizes are single, those of phrases go together."""
    return step.split() if re.fullmatch(r"[x\d]*[sl]( [x\d]*[sl])*", step) else [step]


def list_separator(texts: pl.Series) -> str | None:
    """What parts several values in one cell; None where cells hold one value each.

    Parts must recur: in ``Red, Blue`` and ``Red`` they do, in ``Smith, John`` they do not.
    """
    best: tuple[float, str] | None = None
    distinct = texts.unique().sort()
    if len(texts) < 3 or texts.str.contains(r"^[\d.,\s]+$").all():
        return None
    for separator in LIST_SEPARATORS:
        holding = texts.filter(texts.str.contains(separator, literal=True))
        if len(holding) < max(2, _LEAST_LISTED * len(texts)):
            continue
        cells = [[p.strip() for p in text.split(separator)] for text in distinct]
        if any(len(part) > 40 for cell in cells for part in cell):
            continue
        if separator in "/+" and any(re.search(rf"\d\s*{re.escape(separator)}\s*\d", t) for t in holding):
            continue
        if separator == "," and holding.str.contains(r"\d,\d").any():
            continue
        counts = Counter(p.casefold() for cell in cells for p in set(cell) if p)
        parts = [p.casefold() for cell in cells if len(cell) > 1 for p in cell if p]
        repeated_cells = int(holding.is_duplicated().sum()) / len(holding)
        recurring = sum(counts[p] > 1 for p in parts) / max(len(parts), 1)
        closed = len(counts) <= 0.8 * len(distinct) or (repeated_cells >= 0.9 and separator in "|;,\n")
        if (
            (recurring >= _RECURRING or closed)
            and len(counts) < 200
            and (best is None or recurring > best[0])
        ):
            best = (recurring, separator)
    return None if best is None else best[1]


def path_separator(texts: pl.Series) -> str | None:
    """What parts the steps of category paths; None where cells are single names."""
    for separator in PATH_SEPARATORS:
        holding = texts.str.contains(separator, literal=True)
        share = int(holding.sum()) / max(len(texts), 1)
        if not share:
            continue
        if separator in (">", "»", "›", "::"):
            return separator
        if separator == "." and texts.str.contains(r"\s").any():
            continue
        cells = [t.split(separator) for t in texts.unique()]
        tops = {cell[0].strip() for cell in cells}
        if share >= 0.5 and len(tops) <= max(1, 0.7 * len(cells)):
            return separator
    return None


def several_paths(texts: pl.Series, path: str | None) -> str | None:
    """What parts several category paths in one cell (WooCommerce, Magento); None where a cell has one."""
    if path is None:
        return None
    for separator in (",", ";", "|"):
        holding = texts.filter(texts.str.contains(separator, literal=True))
        if separator == path or not len(holding):
            continue
        single = texts.filter(~texts.str.contains(separator, literal=True))
        tops = {t.split(path)[0].strip() for t in single}
        tops |= {t.split(separator)[0].split(path)[0].strip() for t in holding}
        starts = [p.split(path)[0].strip() for t in holding for p in t.split(separator)]
        if sum(start in tops for start in starts) >= 0.9 * len(starts):
            return separator
    return None


def no_values(texts: pl.Series) -> str | None:
    """Why the texts of a column, which are no numbers, are not values to choose from; None where they are."""
    if reason := unreadable(texts):
        return reason
    if int(texts.str.len_chars().sum()) > _LONG_TEXT * len(texts):
        return "running text"
    if len(texts) >= _FEWEST and texts.n_unique() > _OWN_TEXT * len(texts):
        return "nearly every item has a text of its own"
    return None


def unreadable(texts: pl.Series) -> str | None:
    """What the cells of a column are where no part of them is a word of the catalogue."""
    if _share(texts, r"^(?:https?://|www\.|//\S+\.\S)") > 0.5:
        return "a web address or a picture"
    if _share(texts, r"<\w+[^>]*>") > 0.2 or _share(texts, r"^[\[{].*[\]}]$") > 0.5:
        return "markup or a document"
    if _share(texts, r"^\w+=[^=]*(?:,\w+=[^=]*)+$") > 0.5:
        return "several attributes in one cell; give each a column of its own"
    return None


def _share(texts: pl.Series, pattern: str) -> float:
    """Share of the texts that a pattern matches."""
    return int(texts.str.contains(pattern).sum()) / max(len(texts), 1)
