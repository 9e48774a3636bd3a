"""The settings that a search may change, and their ranges: ``optimizer.lr=0.001:0.1:log``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from kgrank.errors import InputError, RunError, did_you_mean
from kgrank.learning.config import RunConfig

Value = float | int | bool | str

DEFAULT = (
    "model.network=false,true",
    "optimizer.lr=0.002:0.1:log",
    "optimizer.weight_decay=0.001:1:log",
    "model.width=8,16,32",
    "model.layers=1,2,3",
    "model.dropout=0:0.6",
    "model.deviation_precision=0.5:32:log",
)

SEARCHED = ("model", "optimizer", "batch_size")
"""Parts of a configuration that may be searched; the others say what the exam is, or where things stand."""

_FORM = "NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=A,B,C"


@dataclass(frozen=True)
class Setting:
    """One setting and what it may be: some values, or the numbers from ``minimum`` to ``maximum``."""

    name: str
    values: tuple[Value, ...] = ()
    minimum: float = 0.0
    maximum: float = 0.0
    log: bool = False
    whole: bool = False

    def __contains__(self, value: Value) -> bool:
        if self.values:
            return value in self.values
        return isinstance(value, float | int) and self.minimum <= value <= self.maximum

    def __str__(self) -> str:
        if self.values:
            return f"{self.name}={','.join(str(v) for v in self.values)}"
        return f"{self.name}={self.minimum:g}:{self.maximum:g}{':log' if self.log else ''}"


def read_space(texts: Sequence[str]) -> tuple[Setting, ...]:
    """Settings from ``NAME=RANGE``.

    Raises:
        InputError: No such setting, given twice, or a range that it cannot have.
    """
    kinds = _settings()
    found: dict[str, Setting] = {}
    for text in texts:
        name, equals, rest = text.partition("=")
        if not equals or not rest:
            raise InputError(f"{text!r} names no range", where="--over", expected=_FORM)
        if name not in kinds:
            raise InputError(
                f"there is no setting {name!r} to search", where="--over", todo=did_you_mean(name, kinds)
            )
        if name in found:
            raise InputError(f"{name} is given twice", where="--over", expected="one range a setting")
        found[name] = _setting(name, rest, kinds[name])
    return tuple(found.values())


def fits(space: Sequence[Setting], config: RunConfig) -> None:
    """Refuses a range with an end that the configuration would refuse."""
    for setting in space:
        for value in setting.values or (setting.minimum, setting.maximum):
            try:
                applied(config, {setting.name: int(value) if setting.whole else value})
            except RunError as error:
                raise InputError(f"{setting}: {error.sentence()}", where="--over") from None


def value_of(config: RunConfig, name: str) -> Value:
    """The present value of a setting."""
    found: Any = config
    for part in name.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


def applied(config: RunConfig, values: Mapping[str, Value]) -> RunConfig:
    """The configuration with some settings changed."""
    for name, value in values.items():
        part, _, leaf = name.partition(".")
        new: Any = replace(getattr(config, part), **{leaf: value}) if leaf else value
        config = replace(config, **{part: new})
    return config


def _settings() -> dict[str, Any]:
    """The type of every setting that may be searched, by its dotted name."""
    hints = get_type_hints(RunConfig)
    found: dict[str, Any] = {}
    for part in SEARCHED:
        kind = hints[part]
        if is_dataclass(kind):
            inner = get_type_hints(kind)
            found |= {f"{part}.{f.name}": inner[f.name] for f in fields(kind)}
        else:
            found[part] = kind
    return found


def _setting(name: str, text: str, kind: Any) -> Setting:
    parts = text.split(":")
    if len(parts) == 1:
        return Setting(name, tuple(_value(name, word, kind) for word in text.split(",")))
    if kind not in (int, float) or len(parts) > 3 or parts[2:] not in ([], ["log"]):
        raise InputError(f"{name}={text} is no range", where="--over", expected=_FORM)
    low, high = (float(_value(name, word, kind)) for word in parts[:2])
    log = len(parts) == 3
    if not low < high or (log and low <= 0):
        raise InputError(
            f"{name}={text} is no range",
            where="--over",
            expected="a low end below the high one" + (", and above 0 for log" if log else ""),
        )
    return Setting(name, (), low, high, log, kind is int)


def _value(name: str, word: str, kind: Any) -> Value:
    """A word as a value of the setting's type."""
    known = get_args(kind) if get_origin(kind) is Literal else ("true", "false") if kind is bool else None
    if known is not None:
        if word not in known:
            raise InputError(f"{name} cannot be {word!r}", where="--over", expected=" or ".join(known))
        return word == "true" if kind is bool else word
    try:
        value: Value = kind(word)
    except ValueError:
        value = math.nan
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{name} cannot be {word!r}", where="--over", expected=f"a number ({kind.__name__})")
    return value
