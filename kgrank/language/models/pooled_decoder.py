"""A decoder of a GGUF file as an encoder: the mean of its last states."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from kgrank.arrays import Floats32
from kgrank.errors import InputError
from kgrank.language.models.silence import silenced

MOST_TOKENS = 256


class PooledDecoder:
    """The mean over the tokens of the last layer, less the first token.

    A decoder's first token draws most of the attention, and its state is about the same in all texts.
    """

    def __init__(self, path: Path) -> None:
        try:
            with silenced():
                self._tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
                self._model = AutoModel.from_pretrained(path.parent, gguf_file=path.name)
        except Exception as error:
            first = str(error).strip().splitlines() or [type(error).__name__]
            raise InputError(f"the model cannot be read ({first[0][:200]})", where=path) from None
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        self._tokenizer.padding_side = "right"
        self._model.eval()
        self.width = int(self._model.config.hidden_size)

    def vectors(self, texts: Sequence[str]) -> Floats32:
        """(texts, width)."""
        start = self._tokenizer.bos_token or self._tokenizer.eos_token
        given = self._tokenizer(
            [start + text for text in texts],
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=MOST_TOKENS,
        )
        with torch.inference_mode():
            states = self._model(**given).last_hidden_state
        weights = given["attention_mask"].clone()
        weights[:, 0] = 0
        pooled = (states * weights[:, :, None]).sum(1) / weights.sum(1, keepdim=True).clamp(min=1)
        return np.asarray(pooled.float().numpy(), dtype=np.float32)
