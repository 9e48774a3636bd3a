"""A run's configuration from YAML files and options, checked against the types of every setting."""

from __future__ import annotations

import argparse
import inspect
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Literal, NoReturn, get_args, get_origin, get_type_hints

import yaml

from kgrank.documents import load_yaml
from kgrank.errors import InputError, did_you_mean
from kgrank.learning.configuration.config import RunConfig
from kgrank.learning.configuration.extras import require_network

NETWORK_SWITCH, PRIOR_MEANS_SWITCH = "network", "network.prior_means"
TRAINER = "network.prior_means.trainer."
OFF, ON, AUTO, BLOCK = "off", "on", "auto", "block"
SWITCHES = {NETWORK_SWITCH: (OFF, AUTO), PRIOR_MEANS_SWITCH: (OFF, ON)}
"""Blocks of options that may also be one word: the words of each."""
COMMAND_LINE = "command line"

_PRIOR_MEANS = (
    "dropout",
    "fanout",
    "deviation_precision",
    "free_epochs",
    "folds",
    "patience",
    "batch_size",
    "resume",
)
MOVED = {
    "model.network": "network.prior_means (off or on, or a block of its options)",
    "model.people": "people",
    "validation.patience": "network.prior_means.patience",
    "batch_size": "network.prior_means.batch_size",
    "logger": "network.prior_means.logger",
    "resume": "network.prior_means.resume",
    **{f"network.{name}": f"network.prior_means.{name}" for name in _PRIOR_MEANS},
}
"""Options that had another name, and their present one."""
MOVED_GROUPS = {
    "model": "network.prior_means",
    "optimizer": "network.prior_means.optimizer",
    "trainer": "network.prior_means.trainer",
    "network.optimizer": "network.prior_means.optimizer",
    "network.trainer": "network.prior_means.trainer",
}


@dataclass(frozen=True)
class Option:
    """One setting: its dotted name, its type, and its default and meaning for the help page."""

    name: str
    kind: Any
    default: Any
    about: str


@dataclass
class Values:
    """What one file or the command line sets.

    Attributes:
        where: The file, or the command line.
        switches: By name of a switch, the word that it has, or ``block``; those that are not named are not there.
        values: Texts, lists or mappings by dotted name.
    """

    where: str
    switches: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def below(self, switch: str) -> list[str]:
        """The names of the options of a switch's block that are set."""
        return [name for name in self.values if name.startswith(f"{switch}.")]


def parse(arguments: Sequence[str] | None, program: str, about: str | None = None) -> RunConfig:
    """The configuration of a command line: ``--config FILE`` and any option of a run behind it.

    Args:
        arguments: The words after the program's name; None takes those of this process.
        program: Its name, for the usage line.
        about: The first lines of ``--help``.

    Raises:
        InputError: An option or a file that cannot be, in words.
        SystemExit: 0 after ``--help`` and ``--print_config``.
    """
    options = {option.name: option for option in _options(RunConfig)}
    known, rest = _parser(program, about, options.values()).parse_known_args(arguments)
    given = {name: value for name, value in vars(known).items() if value is not None}
    files, print_config = given.pop("config"), given.pop("print_config")
    sources = [_read_file(Path(file), options) for file in files]
    sources.append(_command_line(given | _pairs(rest, options), options))
    config = _config(sources, options)
    if print_config:
        print(yaml.safe_dump(config.document(), sort_keys=False, allow_unicode=True), end="")
        raise SystemExit(0)
    return config


def _parser(program: str, about: str | None, options: Iterable[Option]) -> argparse.ArgumentParser:
    parser = _Parser(prog=program, description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--config",
        metavar="FILE",
        action="append",
        default=[],
        help="A YAML file with any of the options below; a later one overrides.",
    )
    parser.add_argument("--print_config", action="store_true", help="Print the resolved configuration.")
    parser.add_argument(
        f"--{NETWORK_SWITCH}",
        metavar="off|auto",
        help="Whether a network of people and items is trained; with auto where it is installed and there are "
        "enough people, and it serves where it wins on held-out choices. (default: auto)",
    )
    parser.add_argument(
        f"--{PRIOR_MEANS_SWITCH}",
        metavar="off|on",
        help="Whether a network corrects the prior means of categories. (default: off)",
    )
    for option in options:
        parser.add_argument(f"--{option.name}", metavar="VALUE", help=_help(option))
    parser.add_argument(
        f"--{TRAINER}NAME",
        metavar="VALUE",
        help="Any argument of Lightning's Trainer: max_epochs, accelerator, precision ….",
    )
    return parser


class _Parser(argparse.ArgumentParser):
    """A parser whose mistakes are errors of kgrank."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        raise InputError(message, where=self.prog, todo=f"See {self.prog} --help.")


def _options(kind: Any, prefix: str = "") -> Iterator[Option]:
    """All settings below a dataclass but the trainer's."""
    hints, meanings = get_type_hints(kind), _meanings(kind)
    for setting in fields(kind):
        hint = hints[setting.name]
        name = f"{prefix}{setting.name}"
        if name in SWITCHES:
            hint = _present(hint)
        if is_dataclass(hint):
            yield from _options(hint, f"{name}.")
        elif f"{name}." != TRAINER:
            yield Option(name, hint, setting.default, meanings.get(setting.name, ""))


def _meanings(kind: Any) -> dict[str, str]:
    """The attributes of a dataclass as its docstring describes them."""
    _, _, section = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")
    entries = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def _help(option: Option) -> str:
    default = "" if option.default in (MISSING, None) else f" (default: {str(option.default).lower()})"
    return (option.about + default).replace("%", "%%")


def _read_file(path: Path, options: Mapping[str, Option]) -> Values:
    """What a YAML file sets; every scalar stays text, so that ``off``, dates and 1e-3 are what they look like."""
    try:
        document = load_yaml(path.read_text(encoding="utf-8"), yaml.BaseLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the configuration cannot be read ({error})", where=path, todo="Name a YAML file."
        ) from None
    except yaml.YAMLError as error:
        raise InputError(" ".join(str(error).split()), where=path, expected="a YAML file") from None
    if not isinstance(document, dict):
        raise InputError("this is no configuration", where=path, expected="a YAML file with data and out")
    values = Values(str(path))
    _flatten(document, "", values, options)
    return values


def _flatten(document: Mapping[str, Any], prefix: str, into: Values, options: Mapping[str, Option]) -> None:
    for key, value in document.items():
        name = f"{prefix}{key}"
        if name in SWITCHES and not isinstance(value, dict):
            into.switches[name] = _switch(name, value, into.where)
        elif f"{name}." == TRAINER and isinstance(value, dict):
            into.values |= {f"{TRAINER}{option}": setting for option, setting in value.items()}
        elif isinstance(value, dict) and any(option.startswith(f"{name}.") for option in options):
            if name in SWITCHES:
                into.switches[name] = BLOCK
            _flatten(value, f"{name}.", into, options)
        elif name in options:
            into.values[name] = value
        elif name in MOVED_GROUPS and isinstance(value, dict) and value:
            raise _unknown(f"{name}.{next(iter(value))}", options, into.where)
        else:
            raise _unknown(name, options, into.where)


def _command_line(given: Mapping[str, str], options: Mapping[str, Option]) -> Values:
    """What the options of the command line set; lists and mappings are written as in YAML."""
    values = Values(COMMAND_LINE)
    for name, text in given.items():
        if name in SWITCHES:
            values.switches[name] = _switch(name, text, COMMAND_LINE)
        elif name in options and get_origin(_present(options[name].kind)) is tuple:
            values.values[name] = _yaml(text, name)
        else:
            values.values[name] = text
    return values


def _pairs(words: Sequence[str], options: Mapping[str, Option]) -> dict[str, str]:
    """Options of the trainer, ``--network.prior_means.trainer.NAME VALUE``; all others are refused."""
    pairs: dict[str, str] = {}
    queue = list(words)
    while queue:
        word = queue.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not name.startswith(TRAINER):
            raise _unknown(name if word.startswith("--") else word, options, COMMAND_LINE)
        if not equals and not queue:
            raise InputError(f"--{name} has no value", where=COMMAND_LINE)
        pairs[name] = value if equals else queue.pop(0)
    return pairs


def _switch(name: str, value: Any, where: str) -> str:
    if value not in SWITCHES[name]:
        raise InputError(
            f"{name} is {value!r}",
            where=where,
            expected=f"{', '.join(SWITCHES[name])}, or a block such as {name.rpartition('.')[2]}: {{width: 16}}",
        )
    return str(value)


def _unknown(name: str, options: Mapping[str, Option], where: str) -> InputError:
    """The error for a name that no option has: it was renamed, or it is misspelt."""
    present = MOVED.get(name)
    for group, now in MOVED_GROUPS.items():
        if present is None and (name == group or name.startswith(f"{group}.")):
            present = now + name.removeprefix(group)
    if present is not None:
        todo = (
            "Leave it out where no network is trained." if present.startswith(f"{NETWORK_SWITCH}.") else None
        )
        return InputError(f"{name} has another name now", where=where, expected=present, todo=todo)
    known = [*options, *SWITCHES, TRAINER.rstrip(".")]
    return InputError(f"there is no option {name!r}", where=where, todo=did_you_mean(name, known))


def _config(sources: Sequence[Values], options: Mapping[str, Option]) -> RunConfig:
    """The sources together, later ones over earlier ones."""
    state = {NETWORK_SWITCH: AUTO, PRIOR_MEANS_SWITCH: OFF}
    merged: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for source in sources:
        for switch in SWITCHES:
            below = source.below(switch)
            # Any option of prior means turns them on; the network is on unless it was turned off.
            default = BLOCK if below and switch == PRIOR_MEANS_SWITCH else state[switch]
            state[switch] = source.switches.get(switch, default)
            if state[switch] != OFF:
                continue
            if below:
                raise InputError(
                    f"{below[0]} is set, but the network is off",
                    where=source.where,
                    todo="Add network: auto to the configuration (or --network auto), or leave the option out.",
                )
            merged = {name: value for name, value in merged.items() if not name.startswith(f"{switch}.")}
        merged |= source.values
        origin |= dict.fromkeys(source.values, source.where)
    typed = {
        name: _plain(value) if name.startswith(TRAINER) else _typed(value, options[name], origin[name])
        for name, value in merged.items()
    }
    # What is set asks for the network; without a word it stays out where it is not installed.
    asked = [name for name in typed if name.startswith(f"{NETWORK_SWITCH}.")]
    if state[NETWORK_SWITCH] != OFF and (asked or state[PRIOR_MEANS_SWITCH] != OFF):
        require_network(asked[0] if asked else PRIOR_MEANS_SWITCH)
    off = {switch for switch, word in state.items() if word == OFF}
    built: RunConfig = _build(RunConfig, typed, "", off)
    return built


def _build(kind: Any, typed: Mapping[str, Any], prefix: str, off: Collection[str]) -> Any:
    """The dataclass of typed values by dotted name; the blocks that are ``off`` are None."""
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for setting in fields(kind):
        name = f"{prefix}{setting.name}"
        hint = _present(hints[setting.name]) if name in SWITCHES else hints[setting.name]
        if f"{name}." == TRAINER:
            values[setting.name] = {
                n.removeprefix(TRAINER): v for n, v in typed.items() if n.startswith(TRAINER)
            }
        elif name in off:
            values[setting.name] = None
        elif is_dataclass(hint):
            values[setting.name] = _build(hint, typed, f"{name}.", off)
        elif name in typed:
            values[setting.name] = typed[name]
        elif setting.default is MISSING and setting.default_factory is MISSING:
            raise InputError(f"{name} is missing", todo=f"Give --config FILE, or --{name} VALUE.")
    return kind(**values)


def _typed(value: Any, option: Option, where: str) -> Any:
    """A text or a list as the option's type."""
    kind = _present(option.kind)
    if kind is not option.kind and value in ("", "null", "~"):
        return None
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_scalar(part, get_args(kind)[0], option.name, where) for part in value)
    return _scalar(value, kind, option.name, where)


def _present(kind: Any) -> Any:
    """The type of an optional value that is there."""
    named = [k for k in get_args(kind) if k is not NoneType]
    return named[0] if NoneType in get_args(kind) else kind


def _scalar(value: Any, kind: Any, name: str, where: str) -> Any:
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    expected = " or ".join(choices) or EXPECTED.get(kind, "a list of numbers")
    if isinstance(value, str):
        if value in choices or kind is str:
            return value
        if kind is bool and value.lower() in TRUTH:
            return TRUTH[value.lower()]
        if kind in (int, float):
            try:
                number = kind(value)
            except ValueError:
                number = math.nan
            if math.isfinite(number):
                return number
    raise InputError(f"{name} is {value!r}", where=where, expected=expected)


EXPECTED = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def _plain(value: Any) -> Any:
    """A trainer's value: texts that look like numbers, truth values or lists become what they look like."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    try:
        return float(value) if re.fullmatch(r"[-+]?\d+e[-+]?\d+", value) else load_yaml(value)
    except yaml.YAMLError:
        return value


def _yaml(text: str, name: str) -> Any:
    try:
        return load_yaml(text, yaml.BaseLoader)
    except yaml.YAMLError:
        raise InputError(
            f"{name} is {text!r}", where=COMMAND_LINE, expected="a list such as [1, 0.5]"
        ) from None
