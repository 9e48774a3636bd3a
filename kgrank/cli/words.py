"""Words of the commands' tables and lines, English and Chinese: each kind of command has a table of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Words = Mapping[str, Mapping[str, str]]
"""By key and language, a word or a sentence with its parts in braces."""

_COMMON: Words = {
    "attribute": {"en": "attribute", "zh": "属性"},
    "chart": {"en": "Chart: {path}", "zh": "图表：{path}"},
    "note": {"en": "Note: {text}", "zh": "说明：{text}"},
}


def lookup(words: Words) -> Callable[..., str]:
    """A function of key, language and parts that gives a word of the table, or one that all commands have."""
    table = {**_COMMON, **words}

    def word(key: str, language: str, /, **parts: object) -> str:
        return table[key][language].format(**parts)

    return word
