"""A comparison drawn with matplotlib: as a PNG, or as an SVG for the page.

Knows matplotlib, which only the extra `[simulate]` brings, and imports it when it draws.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from penstock_cli.failure import Failure
from penstock_cli.simulation.comparison import PARTS, Comparison, Result
from penstock_cli.simulation.report import TITLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS: Final = {"ours": "#2a78d6", "naive": "#eb6834"}
STATES: Final = (
    ("delivered", "#2a78d6"),
    ("for nothing", "#eb6834"),
    ("loading", "#eda100"),
    ("idle", "#b9b8b3"),
)
INK: Final = {"light": "#33322e", "dark": "#d8d7d1"}
PAPER: Final = {"light": "#fcfcfb", "dark": "#1a1a19"}
BELOW: Final[Any] = {
    "loc": "upper left",
    "bbox_to_anchor": (-0.02, -0.2),
    "frameon": False,
    "fontsize": 9,
    "handlelength": 1.4,
    "columnspacing": 1.4,
}
GOAL: Final = 0.60
READABLE: Final = 4.0
"""Per cent that have room for their number."""

Shade = Literal["light", "dark"]


class DrawingMissing(Failure):
    """Matplotlib is not installed."""


def png_of(title: str, comparison: Comparison) -> bytes:
    return _drawn(title, comparison, "light", "png", columns=2)


def svg_of(comparison: Comparison, shade: Shade) -> str:
    """One column, for a page that is read on a phone too; no XML head."""
    text = _drawn("", comparison, shade, "svg", columns=1).decode()
    return text[text.index("<svg") :]


def _drawn(
    title: str, comparison: Comparison, shade: Shade, kind: Literal["png", "svg"], columns: int
) -> bytes:
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        msg = "to draw, matplotlib is needed: pip install 'penstock[simulate]'"
        raise DrawingMissing(msg) from None
    ink = INK[shade]
    style: Any = {
        "text.color": ink,
        "axes.labelcolor": ink,
        "axes.edgecolor": ink,
        "xtick.color": ink,
        "ytick.color": ink,
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "svg.fonttype": "none",
        "svg.hashsalt": shade,  # two on a page: what they refer to must be their own
    }
    with mpl.rc_context(style):
        size = (11.5, 7.6) if columns > 1 else (6.0, 14.2)
        figure = Figure(figsize=size, layout="constrained", facecolor=PAPER[shade])
        _fill(figure, comparison, columns)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold")
        out = io.BytesIO()
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        figure.savefig(out, format=kind, dpi=150, metadata=metadata)
        return out.getvalue()


def _fill(figure: "Figure", comparison: Comparison, columns: int) -> None:
    panels = (_states, _over_time, _by_seed, _by_gpu)
    axes = figure.subplots(len(panels) // columns, columns, squeeze=False)
    for panel, where in zip(panels, axes.flat, strict=True):
        where.set_facecolor("none")
        panel(where, comparison.results)


def _states(axes: "Axes", results: Sequence[Result]) -> None:
    axes.set_title("What the GPUs' time goes into", loc="left")
    left = [0.0] * len(results)
    names = [TITLES[result.plan] for result in results]
    parts = [
        (r.middle.utilisation, r.middle.wasted, r.middle.stalled, r.middle.idle) for r in results
    ]
    for index, (label, colour) in enumerate(STATES):
        widths = [100 * each[index] for each in parts]
        bars = axes.barh(names, widths, left=left, color=colour, label=label, height=0.55)
        texts = [f"{width:.0f}" if width >= READABLE else "" for width in widths]
        axes.bar_label(bars, texts, label_type="center", color="#111110", fontsize=9)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.set_xlim(0, 100)
    axes.set_xlabel("% of GPU time")
    axes.invert_yaxis()
    axes.legend(**BELOW, ncols=4)


def _over_time(axes: "Axes", results: Sequence[Result]) -> None:
    axes.set_title("Utilisation over the time of the trace", loc="left")
    shares = [100 * (part + 0.5) / PARTS for part in range(PARTS)]
    for result in results:
        heights = [100 * each for each in result.over_time]
        axes.plot(shares, heights, color=COLOURS[result.plan], lw=1.6, label=TITLES[result.plan])
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_xlabel("% of the trace, middle seed")
    axes.set_ylabel("% of GPU time")
    axes.legend(**BELOW, ncols=2)


def _by_seed(axes: "Axes", results: Sequence[Result]) -> None:
    axes.set_title("Utilisation of each seed, and what was delivered", loc="left")
    for result in results:
        x = [100 * run.delivered_share for run in result.runs]
        y = [100 * run.utilisation for run in result.runs]
        colour = COLOURS[result.plan]
        axes.scatter(x, y, color=colour, s=26, alpha=0.8, label=TITLES[result.plan], clip_on=False)
    axes.axhline(100 * GOAL, color="grey", lw=0.9, ls="--")
    axes.text(50, 100 * GOAL + 1.5, "60 %", ha="center", fontsize=9)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_xlabel("% of requests delivered in time")
    axes.set_ylabel("% of GPU time")
    axes.legend(loc="lower right", frameon=False, fontsize=9)


def _by_gpu(axes: "Axes", results: Sequence[Result]) -> None:
    axes.set_title("Utilisation of each GPU", loc="left")
    names = [*results[0].middle.by_gpu]
    height = 0.8 / len(results)
    for index, result in enumerate(results):
        rows = [row + index * height for row in range(len(names))]
        widths = [100 * result.middle.by_gpu[name] for name in names]
        axes.barh(rows, widths, height, color=COLOURS[result.plan], label=TITLES[result.plan])
    axes.set_yticks([row + height * (len(results) - 1) / 2 for row in range(len(names))], names)
    axes.set_xlim(0, 100)
    axes.set_xlabel("% of its time, middle seed")
    axes.set_ylim(max(len(names), 4) - 0.4, -0.6)
