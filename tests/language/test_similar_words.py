"""Similar words: nearest labels by meaning, a lexicon's meanings, and odd input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from kgrank.arrays import Floats32
from kgrank.errors import InputError
from kgrank.language.similar_words import similar_words
from kgrank.language.similar_words_lexicon import meanings_of, read_lexicon


class Letters:
    """An encoder that counts letters."""

    name, width, fingerprint = "letters", 26, "letters"

    def encode(self, texts: Sequence[str]) -> Floats32:
        counts = np.array(
            [[t.lower().count(chr(97 + k)) + 0.01 for k in range(26)] for t in texts], np.float32
        )
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def test_the_nearest_label_comes_first() -> None:
    assert similar_words("colour", ["Size", "Color", "Brand"], Letters())[0][0] == "Color"


def test_a_meaning_of_the_lexicon_finds_a_label_in_another_language() -> None:
    assert similar_words("红色", ["Blue", "Red", "Size"], Letters(), {"红色": ["red"]})[0][0] == "Red"


def test_a_word_that_is_not_listed_is_put_together_from_its_parts() -> None:
    assert meanings_of("红鞋", {"红": ["red"], "鞋": ["shoe"]}) == ["red shoe"]


@pytest.mark.parametrize("query", ["😀", "שלום", "\u202e", "x" * 5000])
def test_odd_queries_are_answered(query: str) -> None:
    assert len(similar_words(query, ["Red", "مرحبا", "😀"], Letters(), {"红": ["red"]})) == 3


def test_nothing_is_like_an_empty_word_and_empty_labels_are_left_out() -> None:
    assert similar_words(" ", ["Red"], Letters()) == []
    assert [label for label, _ in similar_words("red", ["", "Red", " "], Letters())] == ["Red"]


def test_a_dictionary_is_read_and_another_file_refused(tmp_path: Path) -> None:
    file = tmp_path / "words.u8"
    file.write_text("# remark\n顏色 颜色 [yan2 se4] /color/CL:個|个[ge4]/\n", encoding="utf-8")
    assert read_lexicon(file) == {"顏色": ["color"], "颜色": ["color"]}
    file.write_text("nothing", encoding="utf-8")
    with pytest.raises(InputError, match="no entry"):
        read_lexicon(file)
