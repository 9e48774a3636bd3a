"""Commands whose modules are imported when they are called, each with ``--quiet``."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from kgrank.cli.common import notes
from kgrank.cli.ending import PIPE_CLOSED


def quiet_callback(quiet: bool) -> bool:
    """Silences notes and progress for this run of the command line."""
    if quiet:
        notes.quiet = True
    return quiet


Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        help="No notes and no progress on standard error.",
        callback=quiet_callback,
        expose_value=False,
    ),
]


class LazyCommands(MutableMapping[str, Any]):
    """Commands by name, made from their module when one is asked for.

    Args:
        modules: By the name of a command or a group, the module: its ``register(app)`` adds commands of these
            names, or its ``app`` is the group.
    """

    def __init__(self, modules: dict[str, str]) -> None:
        self.modules = modules
        self.made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self.made:
            self.made[name] = _command(name, self.modules[name])
        return self.made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self.made[name] = command

    def __delitem__(self, name: str) -> None:
        del self.made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.modules)

    def __len__(self) -> int:
        return len(self.modules)

    def __contains__(self, name: object) -> bool:
        return name in self.modules


class LazyGroup(TyperGroup):
    """The group of all commands."""

    modules: dict[str, str] = {}  # noqa: RUF012 (typer takes a class, not an instance)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = LazyCommands(self.modules)

    def invoke(self, ctx: Any) -> Any:
        """Runs a command; hands on a closed pipe, of which typer would make exit code 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise typer.Exit(PIPE_CLOSED) from None

    def list_commands(self, ctx: Any) -> list[str]:
        """The names in the order of the help page, without their modules."""
        return list(self.modules)


def _command(name: str, module: str) -> Any:
    """The command or group, with ``--quiet`` for each command in it."""
    loaded = import_module(module)
    app = typer.Typer(rich_markup_mode="markdown")
    if hasattr(loaded, "register"):
        loaded.register(app)
    else:
        app.add_typer(loaded.app, name=name)
    command = typer.main.get_group(app).commands[name]
    _add_quiet(command)
    return command


def _add_quiet(command: Any) -> None:
    below = getattr(command, "commands", None)
    if below is None:
        if not any("--quiet" in parameter.opts for parameter in command.params):
            command.params.append(_quiet_option())
    else:
        for one in below.values():
            _add_quiet(one)


def _quiet_option() -> Any:
    app = typer.Typer(add_completion=False)

    @app.command()
    def silent(quiet: Quiet = False) -> None:
        """Has the option."""

    return typer.main.get_command(app).params[0]
