"""Any sentence-transformers or Hugging Face model of a folder; without a pooling of its own, the tokens' mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from kgrank.arrays import Floats32
from kgrank.errors import InputError
from kgrank.language.models.silence import silenced


class Sentences:
    """A model with its pooling, on the accelerator where there is one."""

    def __init__(self, path: Path) -> None:
        try:
            with silenced():
                self._model = SentenceTransformer(str(path), local_files_only=True)
        # The libraries raise whatever their parts do: ValueError, OSError, KeyError or their own.
        except Exception as error:
            first = str(error).strip().splitlines() or [type(error).__name__]
            raise InputError(f"the model cannot be read ({first[0][:200]})", where=path) from None
        if self._model.tokenizer is not None and getattr(self._model.tokenizer, "pad_token", "") is None:
            self._model.tokenizer.pad_token = self._model.tokenizer.eos_token
        self._model.eval()
        self.width = int(self.vectors(["."]).shape[1])

    def vectors(self, texts: Sequence[str]) -> Floats32:
        """(texts, width)."""
        with torch.inference_mode():
            found = self._model.encode(list(texts), batch_size=len(texts), show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)
