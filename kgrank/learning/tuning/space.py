"""The settings that a search may change, and their ranges: ``network.prior_means.optimizer.lr=0.001:0.1:log``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from kgrank.errors import InputError, RunError, did_you_mean
from kgrank.learning.configuration.config import NetworkConfig, PriorMeansConfig, RunConfig

Value = float | int | bool | str

DEFAULT = (
    "network.prior_means=off,on",
    "network.prior_means.optimizer.lr=0.002:0.1:log",
    "network.prior_means.optimizer.weight_decay=0.001:1:log",
    "network.prior_means.width=8,16,32",
    "network.prior_means.layers=1,2,3",
    "network.prior_means.dropout=0:0.6",
    "network.prior_means.deviation_precision=0.5:32:log",
)

SWITCH = "network.prior_means"
"""Whether a network corrects the prior means: off, or on with its other settings."""

NOT_SEARCHED = ("logger", "resume", "trainer")
"""Settings of the network that do not change what it learns, or have no type."""

_FORM = "NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=A,B,C"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting and its range: a list of values, or the numbers from ``minimum`` to ``maximum``.

    Attributes:
        name: Dotted name.
        values: The values; empty for a range of numbers.
        minimum: Lower end.
        maximum: Upper end.
        log: Whether numbers are drawn evenly in their logarithm.
        whole: Whether numbers are whole.
    """

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
    kinds = _kinds()
    settings: dict[str, Setting] = {}
    for text in texts:
        name, equals, range_ = text.partition("=")
        if not equals or not range_:
            raise InputError(f"{text!r} names no range", where="--over", expected=_FORM)
        if name not in kinds:
            raise InputError(
                f"there is no setting {name!r} to search", where="--over", todo=did_you_mean(name, kinds)
            )
        if name in settings:
            raise InputError(f"{name} is given twice", where="--over", expected="one range a setting")
        settings[name] = _setting(name, range_, kinds[name])
    return tuple(settings.values())


def check_ranges(space: Sequence[Setting], config: RunConfig) -> None:
    """Refuses a range with an end that the configuration would refuse.

    Raises:
        InputError: There is one.
    """
    for setting in space:
        for end in setting.values or (setting.minimum, setting.maximum):
            try:
                applied(config, {SWITCH: "on", setting.name: int(end) if setting.whole else end})
            except RunError as error:
                raise InputError(f"{setting}: {error.sentence()}", where="--over") from None


def value_of(config: RunConfig, name: str) -> Value:
    """The present value of a setting; its default where the network is off."""
    if name == SWITCH:
        return "off" if config.prior_means is None else "on"
    value: Any = config.prior_means or PriorMeansConfig()
    for part in name.removeprefix(f"{SWITCH}.").split("."):
        value = getattr(value, part)
    return value  # type: ignore[no-any-return]


def applied(config: RunConfig, values: Mapping[str, Value]) -> RunConfig:
    """The configuration with settings changed; without a network, its other settings are left out."""
    network, chosen = config.network or NetworkConfig(), config.prior_means or PriorMeansConfig()
    if values.get(SWITCH, value_of(config, SWITCH)) == "off":
        return replace(config, network=replace(network, prior_means=None))
    for name, value in values.items():
        parts = name.removeprefix(SWITCH).split(".")[1:]
        if len(parts) == 2:
            changed: Any = replace(getattr(chosen, parts[0]), **{parts[1]: value})
            chosen = replace(chosen, **{parts[0]: changed})
        elif parts:
            chosen = replace(chosen, **{parts[0]: value})  # type: ignore[arg-type]
    return replace(config, network=replace(network, prior_means=chosen))


def _kinds() -> dict[str, Any]:
    """The type of every setting that may be searched, by its dotted name."""
    kinds: dict[str, Any] = {SWITCH: Literal["off", "on"]}
    for name, kind in get_type_hints(PriorMeansConfig).items():
        if is_dataclass(kind):
            kinds |= {f"{SWITCH}.{name}.{n}": k for n, k in get_type_hints(kind).items()}
        elif name not in NOT_SEARCHED:
            kinds[f"{SWITCH}.{name}"] = kind
    return kinds


def _setting(name: str, text: str, kind: Any) -> Setting:
    parts = text.split(":")
    if len(parts) == 1:
        return Setting(name=name, values=tuple(_value(name, word, kind) for word in text.split(",")))
    if kind not in (int, float) or len(parts) > 3 or parts[2:] not in ([], ["log"]):
        raise InputError(f"{name}={text} is no range", where="--over", expected=_FORM)
    minimum, maximum = (float(_value(name, word, kind)) for word in parts[:2])
    log = len(parts) == 3
    if not minimum < maximum or (log and minimum <= 0):
        raise InputError(
            f"{name}={text} is no range",
            where="--over",
            expected="a low end below the high one" + (", and above 0 for log" if log else ""),
        )
    return Setting(name=name, minimum=minimum, maximum=maximum, log=log, whole=kind is int)


def _value(name: str, word: str, kind: Any) -> Value:
    """A word as a value of the setting's type."""
    if get_origin(kind) is Literal:
        if word not in get_args(kind):
            raise InputError(
                f"{name} cannot be {word!r}", where="--over", expected=" or ".join(get_args(kind))
            )
        return word
    try:
        value: Value = kind(word)
    except ValueError:
        value = math.nan
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{name} cannot be {word!r}", where="--over", expected=f"a number ({kind.__name__})")
    return value
