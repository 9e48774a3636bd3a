"""``kgrank tune``: better settings for a run, by its held-out choices."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from kgrank.cli.common import Chart, err, notes, out, print_json
from kgrank.cli.options import Json
from kgrank.resources import config_file

if TYPE_CHECKING:
    from kgrank.learning.tuning.tune import Trial, TuningResult

SHOWN = 10
"""Tries in the table at most, the best first."""


def tune_command(
    context: typer.Context,
    config: Annotated[Path, typer.Option(metavar="FILE", help="The run's YAML file: try 0, and the basis.")],
    trials: Annotated[int, typer.Option(help="Tries in all, those of an earlier call included.")] = 20,
    minutes: Annotated[float | None, typer.Option(help="No new try begins after so many minutes.")] = None,
    over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RANGE",
            help="What to search instead of the usual, for example "
            "network.prior_means.optimizer.lr=0.01:0.1:log; repeat it.",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Folder of the search; `tune` below the run's own by default."
        ),
    ] = None,
    chart: Chart = None,
    json: Json = False,
) -> None:
    """Search better settings of a run by its held-out choices, within a budget; the same call resumes.

    Options of `kgrank train` may follow, for example --validation.share 0.2.

    Example: kgrank tune --config configs/fashion.yaml --trials 20 --minutes 30
    """
    from kgrank.learning.configuration.extras import TUNE, require

    require("tune", TUNE, "kgrank tune")
    from kgrank.learning.configuration.options import parse
    from kgrank.learning.reporting.console import ConsoleProgress
    from kgrank.learning.tuning.space import DEFAULT, read_space
    from kgrank.learning.tuning.tune import Budget, tune

    with ConsoleProgress(notes, quiet=notes.quiet) as progress:
        run = parse(["--config", str(config_file(config)), *context.args], "kgrank tune")
        tuned = tune(
            run,
            read_space(over or DEFAULT),
            Budget(trials, minutes),
            folder or Path(run.out) / "tune",
            progress,
        )
    if tuned is None:
        err.print("stopped by Ctrl-C before one try was done")
        raise typer.Exit(130)
    if chart is not None:
        from kgrank.plots import tune_plot

        tune_plot(
            [t.log_likelihood if t.gain is not None else None for t in tuned.trials], tuned.importance, chart
        )
    if json:
        print_json(_document(tuned))
    else:
        _print(tuned)
    if tuned.interrupted:
        err.print("stopped by Ctrl-C: all finished tries are kept; the same command resumes")
        raise typer.Exit(130)


def register(app: typer.Typer) -> None:
    """Adds the command; what it does not know itself are options of the run."""
    app.command("tune", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(
        tune_command
    )


def _document(tuned: TuningResult) -> dict[str, object]:
    return {
        "config": str(tuned.config),
        "settings": tuned.best.settings,
        "log_likelihood": tuned.best.log_likelihood,
        "gain": tuned.best.gain,
        "gain_standard_error": tuned.best.standard_error,
        "gain_by_chance": tuned.by_chance,
        "held_out_choices": tuned.choices,
        "importance": tuned.importance,
        "tries": [asdict(t) for t in tuned.trials],
        "interrupted": tuned.interrupted,
    }


def _print(tuned: TuningResult) -> None:
    first = tuned.trials[0]
    order = {"whole": 0, "hopeless": 1, "diverged": 2}
    ranked = sorted(tuned.trials, key=lambda t: (order[t.outcome], -(t.log_likelihood or 0.0), t.number))
    shown = ranked[:SHOWN] if first in ranked[:SHOWN] else [*ranked[: SHOWN - 1], first]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("try", "log-likelihood", "gain"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("settings", overflow="fold")
    for one in shown:
        table.add_row(str(one.number), *_marks(one), escape(_settings(one, first)))
    out.print(table)
    if len(shown) < len(tuned.trials):
        out.print(f"{len(tuned.trials) - len(shown)} more tries: add --json.")
    out.print(
        f"log-likelihood: of a held-out choice (of {tuned.choices:,}); gain: over try 0, ± standard error."
    )
    if tuned.importance:
        parts = sorted(tuned.importance.items(), key=lambda p: -p[1])
        out.print(f"Share of each setting in the differences: {', '.join(f'{n} {s:.0%}' for n, s in parts)}.")
    out.print(_verdict(tuned))
    out.print(f"Next: kgrank train --config {tuned.config}", markup=False)


def _marks(one: Trial) -> tuple[str, str]:
    if one.gain is None or one.log_likelihood is None:
        return one.outcome, ""
    error = "" if one.number == 0 else f"{one.gain:+.5f} ± {one.standard_error:.5f}"
    return f"{one.log_likelihood:.5f}", error


def _settings(one: Trial, first: Trial) -> str:
    """What differs from try 0."""
    if one.number == 0:
        return "the configuration as it is given"
    changed = {n: v for n, v in one.settings.items() if v != first.settings[n]}
    short = {n.rpartition(".")[2]: v for n, v in changed.items()}
    return ", ".join(f"{n} {v:.3g}" if isinstance(v, float) else f"{n} {v}" for n, v in short.items())


def _verdict(tuned: TuningResult) -> str:
    """Whether the search paid."""
    best, others = tuned.best, len(tuned.trials) - 1
    if best.number == 0:
        return f"None of {others} other tries is better than the configuration as it is given."
    best_try = f"The best is try {best.number}: {best.gain:+.5f} ± {best.standard_error:.5f} a choice."
    if best.gain is not None and best.gain <= tuned.by_chance:
        return (
            f"{best_try} Of {others} tries that differ by noise alone the best would show about "
            f"{tuned.by_chance:+.5f}: this is no evidence that tuning pays here."
        )
    return f"{best_try} Noise alone would show about {tuned.by_chance:+.5f} for the best of {others}."
