"""A sentence encoder as an ONNX file, run by onnxruntime without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kgrank.arrays import Floats32

MOST_TOKENS = 256


class OnnxSentences:
    """Mean over the tokens of the last layer.

    Args:
        path: The ``.onnx`` file.
        tokenizer: Its ``tokenizer.json``.
        threads: Of the processor.
    """

    def __init__(self, path: Path, tokenizer: Path, threads: int = 0) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._tokenizer.enable_padding()
        self._inputs = {i.name for i in self._session.get_inputs()}
        self.width = int(self._session.get_outputs()[0].shape[-1])

    def vectors(self, texts: Sequence[str]) -> Floats32:
        """(texts, width)."""
        encoded = self._tokenizer.encode_batch(list(texts))
        mask = np.array([e.attention_mask for e in encoded], dtype=np.int64)
        given = {"input_ids": np.array([e.ids for e in encoded], dtype=np.int64), "attention_mask": mask}
        given["token_type_ids"] = np.zeros_like(mask)
        states = self._session.run(None, {k: v for k, v in given.items() if k in self._inputs})[0]
        if states.ndim == 2:
            return np.asarray(states, dtype=np.float32)
        weights = mask[:, :, None]
        return np.asarray((states * weights).sum(axis=1) / weights.sum(axis=1), dtype=np.float32)
