"""Text on a sheet that is laid out in millimetres: how wide it is, where it breaks, printing it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from evidence.facts import clean
from evidence.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE, SMALL = 8.6, 8.0
"""Points of ordinary and of lesser text in a drawing."""


@lru_cache(maxsize=4096)
def width(words: str, size: float = SIZE, weight: int = 400) -> float:
    """Width of a text in millimetres."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    style.use()
    font = FontProperties(size=size, weight=weight)
    points, _, _ = text_to_path.get_text_width_height_descent(words, font, ismath=False)
    return float(points) / 72 / style.MM


def wrap(words: str, most: float, size: float = SIZE, weight: int = 400) -> list[str]:
    """Break a text into lines of at most ``most`` millimetres; only a longer word is broken."""
    lines: list[str] = []
    for word in _breakable(clean(words).split(), most, size, weight):
        if lines and width(f"{lines[-1]} {word}", size, weight) <= most:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines or [""]


def _breakable(words: list[str], most: float, size: float, weight: int) -> Iterator[str]:
    """The words, those that are wider than ``most`` in pieces that are not."""
    for word in words:
        fits = 1
        while width(word, size, weight) > most and len(word) > 1:
            while fits < len(word) and width(word[: fits + 1], size, weight) <= most:
                fits += 1
            yield word[:fits]
            word, fits = word[fits:], 1
        yield word


def put(
    ax: Axes,
    x: float,
    y: float,
    words: str,
    size: float = SIZE,
    *,
    colour: str = "ink",
    **look: Any,
) -> None:
    """Print a text with its capitals centred at ``y``, so that neighbours share a baseline."""
    baseline = y + 0.33 * size / 72 / style.MM
    ax.text(x, baseline, words, fontsize=size, color=style.colour(colour), va="baseline",
            parse_math=False, **look)  # fmt: skip
