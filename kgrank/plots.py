"""Charts of what is learned: importance beside the rules, and one score opened up. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgrank.control_characters import drawable
from kgrank.errors import InputError
from kgrank.files import write_file
from kgrank.ontology.model import Category, Ontology
from kgrank.ranking.answers import AttributeImportance, Contribution, RankedItem
from kgrank.ranking.catalogue.phrases import checked_language
from kgrank.ranking.explain.importance import read_importance
from kgrank.weights.model import LearnedWeights, RuleFinding

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kgrank.choice.rules.what_if import CategoryChange

BAR, RULE, UP, DOWN, INK, QUIET = "#4878a8", "#e0a030", "#3a8f6b", "#c8553d", "#222222", "#8a8a8a"

_WIDTH, _ROW, _MARGIN = 8.0, 0.42, 1.5
_VERDICTS = {"supported": UP, "leans for": UP, "silent": QUIET, "leans against": RULE, "contradicted": DOWN}
_MARKS = (
    "learned share",
    "95 % interval",
    "average of shoppers",
    "what a rule allows",
    "truth",
    "without",
    "with the new rules",
    "原先",
    "加上新规则",
)
_AUDIT_WORDS = {
    "en": {
        **{verdict: verdict for verdict in _VERDICTS},
        "row": "{verdict}, holds with probability {probability:.2f}",
        "no effect": "{row}; no surer than chance",
        "evidence": "evidence of the choices for the rule (log Bayes factor)",
        "title": "Rules against the data",
    },
    "zh": {
        "supported": "支持",
        "leans for": "倾向支持",
        "silent": "无法判断",
        "leans against": "倾向反对",
        "contradicted": "被推翻",
        "row": "{verdict}，成立的概率为 {probability:.2f}",
        "no effect": "{row}；把握不高于偶然",
        "evidence": "选择数据支持规则的证据（贝叶斯因子的对数）",
        "title": "规则与数据",
    },
}
_WHAT_IF_WORDS = {
    "en": {
        "without": "without",
        "with": "with the new rules",
        "share": "share of the decision, with its 95 % interval",
    },
    "zh": {"without": "原先", "with": "加上新规则", "share": "在决策中的份额及其 95 % 区间"},
}
_LONGEST = 48
_CATEGORIES = 6
_CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Microsoft YaHei",
    "SimHei",
    "Heiti SC",
)


def importance_plot(
    weights: LearnedWeights,
    category: str,
    ontology: Ontology | None = None,
    truth: Mapping[str, float] | None = None,
    path: Path | str | None = None,
    *,
    language: str = "en",
) -> Figure:
    """Shares of the decision with their intervals, beside what the rules say and, where known, the truth.

    Args:
        weights: The weights.
        category: Whose.
        ontology: Names and rules; without it attributes go by their ids.
        truth: True share by attribute, of generated data.
        path: Also save it: .png, .svg or .pdf.
        language: ``zh`` falls back to English where no Chinese font is installed.

    Returns:
        The figure, not yet shown.

    Raises:
        InputError: matplotlib is not installed, the category is unknown, or the path cannot be written.
    """
    new_figure = _matplotlib()
    known = ontology or Ontology(version="", categories={category: Category(category)}, attributes={})
    importance = read_importance(weights, known, category, language if _chinese_font() else "en")
    rows = importance.attributes
    figure = new_figure(figsize=(_WIDTH, _MARGIN + _ROW * len(rows)), layout="constrained")
    with _fonts():
        axes = figure.add_subplot()
        _draw_importance(axes, rows, truth or {})
        name = _readable(importance.name, category)
        axes.set_title(f"What decides in {name}", loc="left", fontsize=13, color=INK)
        _legend(figure, axes)
        _save(figure, path)
    return figure


def score_plot(ranked_item: RankedItem, path: Path | str | None = None) -> Figure:
    """One score opened up: each contribution moves it on from 0, largest first.

    Args:
        ranked_item: An item of ``rank``.
        path: Also save it: .png, .svg or .pdf.

    Returns:
        The figure, not yet shown.

    Raises:
        InputError: matplotlib is not installed, or the path cannot be written.
    """
    new_figure = _matplotlib()
    parts = [c for c in ranked_item.contributions if c.logits]
    figure = new_figure(figsize=(_WIDTH, _MARGIN + _ROW * (len(parts) + 1)), layout="constrained")
    with _fonts():
        axes = figure.add_subplot()
        _draw_score(axes, parts, ranked_item.score)
        name = _readable(ranked_item.title or ranked_item.item, ranked_item.item)
        axes.set_title(f"{name}: how the score adds up", loc="left", fontsize=13, color=INK)
        _save(figure, path)
    return figure


def audit_plot(
    findings: Sequence[RuleFinding], path: Path | str | None = None, *, language: str = "en"
) -> Figure:
    """The evidence of the choices for and against each rule, the strongest first.

    Args:
        findings: Of the rules.
        path: Also save it: .png, .svg or .pdf.
        language: ``zh`` falls back to English, and says so, where no Chinese font is installed.

    Returns:
        The figure, not yet shown.

    Raises:
        InputError: matplotlib is not installed, or the path cannot be written.
    """
    new_figure = _matplotlib()
    strongest = sorted(findings, key=lambda f: -abs(f.log_bayes_factor))
    figure = new_figure(figsize=(_WIDTH, _MARGIN + _ROW * len(findings)), layout="constrained")
    with _fonts():
        axes = figure.add_subplot()
        words = _AUDIT_WORDS[_drawn_language(language)]
        for at, finding in enumerate(strongest):
            axes.barh(at, finding.log_bayes_factor, height=0.55, color=_VERDICTS[finding.verdict], zorder=2)
            row = words["row"].format(verdict=words[finding.verdict], probability=finding.prob_data)
            axes.annotate(
                row if finding.has_effect else words["no effect"].format(row=row),
                (1.01, at), xycoords=("axes fraction", "data"), va="center", fontsize=9, color=QUIET,
            )  # fmt: skip
        axes.axvline(0, color=INK, lw=0.8)
        axes.set_yticks(range(len(strongest)), [_readable(f.rule, f.rule) for f in strongest], fontsize=11)
        axes.invert_yaxis()
        axes.set_xlabel(words["evidence"], fontsize=10, color=QUIET)
        axes.set_title(words["title"], loc="left", fontsize=13, color=INK)
        _quiet(axes)
        _note_missing_font(figure, language, *(f.rule for f in strongest))
        _save(figure, path)
    return figure


def tune_plot(
    tries: Sequence[float | None], importance: Mapping[str, float], path: Path | str | None = None
) -> Figure:
    """Held-out log-likelihood by trial beside the best so far, and the importance of each setting.

    Args:
        tries: Log-likelihoods in order; trial 0 is the configuration unchanged; None is a trial given up.
        importance: Share of each setting.
        path: Also save it: .png, .svg or .pdf.

    Returns:
        The figure, not yet shown.

    Raises:
        InputError: matplotlib is not installed, or the path cannot be written.
    """
    new_figure = _matplotlib()
    figure = new_figure(figsize=(_WIDTH, _MARGIN + _ROW * max(len(importance), 5)), layout="constrained")
    history, shares = (
        figure.subplots(1, 2, width_ratios=(3, 2)) if importance else (figure.add_subplot(), None)
    )
    whole = [(k, value) for k, value in enumerate(tries) if value is not None]
    best = [max(v for j, v in whole if j <= k) for k, _ in whole]
    history.axhline(whole[0][1], color=RULE, lw=1, label="unchanged")
    history.step([k for k, _ in whole], best, where="post", color=QUIET, lw=1, label="best so far")
    history.scatter([k for k, _ in whole], [v for _, v in whole], color=BAR, s=22, zorder=3, label="a try")
    history.set_xlabel("try", fontsize=10, color=QUIET)
    history.set_ylabel("held-out log-likelihood", fontsize=10, color=QUIET)
    history.set_title("Tries", loc="left", fontsize=13, color=INK)
    history.spines[["top", "right"]].set_visible(False)
    history.legend(frameon=False, fontsize=9.5)
    if shares is not None:
        names = sorted(importance, key=lambda name: -importance[name])
        shares.barh(names, [importance[n] for n in names], height=0.55, color=BAR, zorder=2)
        shares.invert_yaxis()
        shares.set_xlabel("share of the differences", fontsize=10, color=QUIET)
        _quiet(shares)
    _save(figure, path)
    return figure


def what_if_plot(
    changes: Sequence[CategoryChange],
    ontology: Ontology,
    path: Path | str | None = None,
    *,
    language: str = "en",
) -> Figure:
    """Shares of the decision without new rules and with them, in the categories that change most.

    Args:
        changes: In the order to show them.
        ontology: Names.
        path: Also save it: .png, .svg or .pdf.
        language: ``zh`` falls back to English, and says so, where no Chinese font is installed.

    Returns:
        The figure, not yet shown.

    Raises:
        InputError: matplotlib is not installed, or the path cannot be written.
    """
    new_figure = _matplotlib()
    shown = [c for c in changes if c.attributes][:_CATEGORIES]
    rows = [len(c.attributes) for c in shown] or [1]
    figure = new_figure(figsize=(_WIDTH, _MARGIN + _ROW * (sum(rows) + len(rows))), layout="constrained")
    drawn = _drawn_language(language)
    words = _WHAT_IF_WORDS[drawn]
    with _fonts():
        grid = figure.subplots(len(rows), squeeze=False, sharex=True, gridspec_kw={"height_ratios": rows})
        for axes, change in zip(grid[:, 0], shown, strict=False):
            for at, a in enumerate(change.attributes):
                for share, by, color in ((a.before, -0.15, QUIET), (a.after, 0.15, BAR)):
                    if share.lower is not None and share.upper is not None:
                        axes.plot([share.lower, share.upper], [at + by, at + by], color=color, lw=1.5)
                    label = words["without" if by < 0 else "with"]
                    axes.plot(share.share, at + by, "o", color=color, ms=6, label=label)
            names = [
                _readable(ontology.attributes[a.attribute].name(drawn), a.attribute)
                for a in change.attributes
            ]
            axes.set_yticks(range(len(names)), names, fontsize=11)
            axes.invert_yaxis()
            title = _readable(ontology.categories[change.category].name(drawn), change.category)
            axes.set_title(title, loc="left", fontsize=12, color=INK)
            _quiet(axes)
        grid[-1, 0].set_xlabel(words["share"], fontsize=10, color=QUIET)
        _note_missing_font(figure, language)
        _legend(figure, grid[0, 0])
        _save(figure, path)
    return figure


def _draw_importance(axes: Axes, rows: Sequence[AttributeImportance], truth: Mapping[str, float]) -> None:
    places = list(range(len(rows)))
    shares = [a.share for a in rows]
    around = [[max(a.share - a.lower, 0.0) for a in rows], [max(a.upper - a.share, 0.0) for a in rows]]
    axes.barh(places, shares, height=0.5, color=BAR, label="learned share", zorder=2)
    axes.errorbar(
        shares, places, xerr=around, fmt="none", ecolor=INK, capsize=3, label="95 % interval", zorder=4
    )
    right = 1.08 * max([*shares, *(a.upper for a in rows), *truth.values(), 0.01])
    for at, row in enumerate(rows):
        bands = [
            (s.lower, min(s.upper, right)) for s in row.rules if s.lower is not None and s.upper is not None
        ]
        for low, high in bands:
            # A rule may allow more than the chart shows; its band then runs to the edge.
            axes.barh(
                at, max(high, low) - low, left=low, height=0.82, color=RULE, alpha=0.25, zorder=1,
                edgecolor=RULE, linewidth=1.0, label="what a rule allows",
            )  # fmt: skip
        others = _readable("; ".join(s.short for s in row.rules if s.lower is None), "")
        axes.annotate(
            others, (1.01, at), xycoords=("axes fraction", "data"), va="center", fontsize=9, color=QUIET
        )
        if row.shoppers is not None:
            axes.plot(
                row.shoppers, at, "o", mfc="white", mec=INK, ms=6, label="average of shoppers", zorder=5
            )
        if row.attribute in truth:
            axes.plot(truth[row.attribute], at, "|", color=DOWN, ms=20, mew=2.5, label="truth", zorder=6)
    axes.set_yticks(places, [_readable(a.name, a.attribute) for a in rows], fontsize=11)
    axes.invert_yaxis()
    axes.set_xlim(0, right)
    axes.set_xlabel("share of the decision", fontsize=10, color=QUIET)
    _quiet(axes)


def _draw_score(axes: Axes, parts: Sequence[Contribution], score: float) -> None:
    reached, ends = 0.0, [0.0, score]
    for at, part in enumerate(parts):
        axes.barh(at, part.logits, left=reached, height=0.6, color=UP if part.logits > 0 else DOWN, zorder=2)
        before, reached = reached, reached + part.logits
        ends.append(reached)
        axes.plot([reached, reached], [at - 0.3, at + 1.3], color=QUIET, lw=0.8, zorder=1)
        _amount(axes, at, part.logits, before, reached)
    axes.barh(len(parts), score, height=0.6, color=BAR, zorder=2)
    _amount(axes, len(parts), score, 0.0, score)
    names = [_readable(c.words, f"{c.name}: {c.value}") for c in parts]
    axes.set_yticks(range(len(parts) + 1), [*names, "score"], fontsize=11)
    axes.invert_yaxis()
    room = 0.14 * ((max(ends) - min(ends)) or 1.0)
    axes.set_xlim(min(ends) - room, max(ends) + room)
    axes.axvline(0, color=INK, lw=0.8, zorder=3)
    axes.set_xlabel("against the average item of the category, in logits", fontsize=10, color=QUIET)
    _quiet(axes)


def _amount(axes: Axes, at: int, amount: float, before: float, reached: float) -> None:
    """The amount in figures, beyond the bar's end on the side that it points to."""
    end, side = (max(before, reached), "left") if amount >= 0 else (min(before, reached), "right")
    axes.annotate(
        f"{amount:+.2f}",
        (end, at),
        xytext=(4 if side == "left" else -4, 0),
        textcoords="offset points",
        ha=side,
        va="center",
        fontsize=9.5,
        color=INK,
    )


def _legend(figure: Figure, axes: Axes) -> None:
    """Each kind of mark once, below the chart, or above it where a note stands below."""
    handles, labels = axes.get_legend_handles_labels()
    handle_of = dict(zip(labels, handles, strict=True))
    once = {label: handle_of[label] for label in _MARKS if label in handle_of}
    legend = figure.legend(
        once.values(),
        once.keys(),
        loc="outside upper right" if figure.get_supxlabel() else "outside lower left",
        ncols=len(once),
        frameon=False,
        fontsize=9.5,
    )
    for handle in legend.legend_handles:
        # The truth's tick is as tall as a bar, which is too tall beside a word.
        if handle is not None and handle.get_label() == "truth":
            handle.set(markersize=12)


def _quiet(axes: Axes) -> None:
    axes.margins(y=0.02)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#dddddd", lw=0.6, zorder=0)
    axes.set_axisbelow(True)


def _matplotlib() -> Callable[..., Figure]:
    """The class of figures."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError(
            "charts need matplotlib, which is not installed", todo="Install it: pip install 'kgrank[plots]'"
        ) from None
    return Figure


def _chinese_font() -> str | None:
    """An installed font with Chinese signs."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return next((name for name in _CHINESE_FONTS if name in installed), None)


def _drawn_language(language: str) -> str:
    """The language, or English where its signs cannot be drawn.

    Raises:
        InputError: A language without words.
    """
    return "en" if checked_language(language) == "zh" and _chinese_font() is None else language


def _note_missing_font(figure: Figure, language: str, *labels: str) -> None:
    """Says below the picture, once, that Chinese signs could not be drawn."""
    if _chinese_font() is None and (language == "zh" or any(_is_chinese(label) for label in labels)):
        figure.supxlabel(
            "No font with Chinese characters is installed: names and words are in English, or ids.",
            fontsize=9,
            color=QUIET,
        )


def _is_chinese(text: str) -> bool:
    return any("\u2e80" <= sign <= "\uffef" for sign in text)


def _fonts() -> Any:
    """A context in which labels have Chinese signs where a font has them."""
    import matplotlib as mpl

    font = _chinese_font()
    # A dollar sign in a name is no formula.
    return mpl.rc_context(
        {"font.family": ["DejaVu Sans", *([font] if font else [])], "text.parse_math": False}
    )


def _readable(text: str, instead: str) -> str:
    """The text, cut where it is long, or another one where no font has its signs."""
    text, instead = drawable(" ".join(text.split())), drawable(instead)
    shown = instead if _is_chinese(text) and _chinese_font() is None else text
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def _save(figure: Figure, path: Path | str | None) -> None:
    if path is None:
        return
    path = Path(path)
    try:
        write_file(path, lambda file: figure.savefig(file, dpi=150, format=path.suffix.lower().lstrip(".")))
    except ValueError as error:
        raise InputError(
            f"the chart cannot be saved ({error})", where=path, expected="a .png, .svg or .pdf file"
        ) from None
