"""Charts: numbers as a picture, and as bars of text where pictures do not go."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

COLOUR = "#1f6f8b"
WIDTH, ROW, MARGIN = 7.0, 0.45, 0.9  # inches
DPI = 120
LONGEST_LABEL = 28  # characters
BARS = 16


def as_text(data: Mapping[str, Any]) -> str:
    """A chart as lines of text: a label, a bar, the number."""
    series = _series(data)
    highest = max((number for _, number in series), default=0)
    drawn = [f"{label}: {'█' * _length(number, highest)} {number}".replace(":  ", ": ") for label, number in series]
    return "\n".join([str(data.get("title") or ""), *drawn]).strip()


def _length(number: int, highest: int) -> int:
    """How many squares a number gets; every number but 0 has one."""
    return max(1, round(BARS * number / highest)) if number and highest else 0


def _series(data: Mapping[str, Any]) -> list[tuple[str, int]]:
    return [(str(label), int(number)) for label, number in data.get("series", ())]


def png(data: Mapping[str, Any]) -> bytes:
    """A chart as a picture.

    The drawing library's own font has Latin, Greek and Cyrillic letters. A label that needs others, as Thai ones do,
    is drawn as its number in the list, which the message itself spells out in the same order.
    """
    # Loaded when the first chart is drawn: it takes half a second and much memory.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    series = _series(data)
    labels = _drawable([label for label, _ in series])
    numbers = [number for _, number in series]
    figure = Figure(figsize=(WIDTH, MARGIN + ROW * max(1, len(series))), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    bars = axes.barh(range(len(series)), numbers, color=COLOUR)
    axes.bar_label(bars, labels=[f"{number:,}" for number in numbers], padding=4)
    axes.set_yticks(range(len(series)), labels)
    axes.invert_yaxis()
    axes.set_xlim(0, max([1, *numbers]) * 1.15)
    axes.xaxis.set_visible(False)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    title = _plain(str(data.get("title") or ""))
    if _can_draw(title):
        axes.set_title(title, loc="left", fontsize=11)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    return drawn.getvalue()


def _drawable(labels: Sequence[str]) -> list[str]:
    if not all(_can_draw(label) for label in labels):
        return [f"{place}." for place in range(1, len(labels) + 1)]
    return [_plain(label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…") for label in labels]


def _plain(text: str) -> str:
    """A dollar sign begins a formula in the drawing library, unless it is escaped."""
    return text.replace("$", r"\$")


def _can_draw(text: str) -> bool:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    known = get_font(findfont(FontProperties())).get_charmap()
    return all(ord(letter) in known for letter in text if not letter.isspace())
