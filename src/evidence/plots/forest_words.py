"""What a forest plot shows, in words: the finding first, for readers who do not see it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from evidence.facts import count_words, number

ScaleName = Literal["difference", "log"]

HOME = "Britain and Ireland"
"""The group whose trials are the base case; it needs no heading when it stands alone."""

UNPRINTED = "Without usable figures"
"""Heading of trials whose comparison has a direction at most, because figures are not printed or
cannot be used."""

_TRIALS = frozenset({
    "group", "label", "place", "n", "comparator", "estimate", "lower", "upper", "weight", "flagged",
})  # fmt: skip
_SUMMARIES = frozenset({"label", "estimate", "lower", "upper", "pi_lower", "pi_upper", "strong"})
_SILENT = frozenset({"label", "place", "n", "direction"})


def write_number(value: float) -> str:
    """A number with as many digits as its size deserves."""
    size = abs(value)
    return number(value, 2 if size < 10 else 1 if size < 100 else 0)


def forest_alt(
    trials: pd.DataFrame,
    summaries: pd.DataFrame,
    unprinted: pd.DataFrame | None,
    *,
    scale: ScaleName,
    axis_label: str,
    favours: tuple[str, str],
    worthwhile: float | None = None,
    write: Callable[[float], str] = write_number,
) -> str:
    """Say what the forest plot shows, the finding first.

    Parameters
    ----------
    trials, summaries, unprinted, scale, axis_label, favours, worthwhile, write
        As for :func:`forest_figure`.

    Returns
    -------
    str
        Sentences: the average or that nothing is pooled, where the trials were done, how far
        their results reach, and what is known of trials without usable figures.
    """
    check(trials, summaries, unprinted, scale)
    say = Voice(scale, favours, write)
    shown = trials[trials["estimate"].notna()]
    said = []
    if len(summaries):
        first = summaries["strong"].astype(bool).to_numpy().argmax()
        rest = [position for position in range(len(summaries)) if position != first]
        row = summaries.iloc[first]
        said.append(f"{row['label']}, average: {say.result(row)} ({axis_label}), {say.side(row)}.")
        if math.isfinite(row["pi_lower"]) and math.isfinite(row["pi_upper"]):
            said.append(
                "In a new place the true effect would be expected between "
                f"{say.value(row['pi_lower'])} and {say.value(row['pi_upper'])}."
            )
        said += [
            f"{capital(summaries.iloc[at]['label'])}: {say.result(summaries.iloc[at])}."
            for at in rest
        ]
    elif len(trials) == 1:
        said.append("A single trial; nothing is pooled.")
    elif len(trials):
        said.append(f"{capital(count_words(len(trials), 'trial'))}, not pooled.")
    if len(trials):
        if len(summaries):
            said.append(f"{capital(count_words(len(trials), 'trial'))} ({_places(trials)}).")
        if len(shown) > 3:
            order = shown["estimate"].to_numpy(dtype=float).argsort(kind="stable")
            low, high = shown.iloc[order[0]], shown.iloc[order[-1]]
            said.append(
                f"Their estimates run from {say.value(low['estimate'])} ({low['label']}) to "
                f"{say.value(high['estimate'])} ({high['label']}); {say.sides(shown['estimate'])}."
            )
        else:
            for position, (_, row) in enumerate(trials.iterrows()):
                n = "" if pd.isna(row["n"]) else f", {number(row['n'])} people"
                unit = "" if len(summaries) or position else f" ({axis_label})"
                said.append(
                    f"{row['label']} ({row['place']}{n}): {say.result(row)}{unit}, {say.side(row)}."
                )
        flagged = int(trials["flagged"].sum())
        if flagged:
            carry = "carries" if flagged == 1 else "carry"
            said.append(f"{capital(count_words(flagged, 'trial'))} {carry} a warning.")
    if worthwhile is not None and math.isfinite(worthwhile):
        said.append(f"The smallest worthwhile effect is {say.value(worthwhile)}.")
    if unprinted is not None and len(unprinted):
        listed = "; ".join(f"{row['label']}: {row['direction']}" for _, row in unprinted.iterrows())
        more = "more " if len(trials) else ""
        said.append(
            capital(count_words(len(unprinted), f"{more}trial"))
            + f" without usable figures: {listed}."
        )
    return " ".join(said)


@dataclass(frozen=True)
class Voice:
    """Values on the scale of analysis in words.

    Attributes
    ----------
    scale : {'difference', 'log'}
    favours : tuple of (str, str)
        What it means to lie left and right of no difference.
    write : callable
        How a shown number is printed.
    """

    scale: ScaleName
    favours: tuple[str, str]
    write: Callable[[float], str]

    def value(self, value: float) -> str:
        """A value as it is printed: a logarithm as the ratio."""
        return self.write(math.exp(value) if self.scale == "log" else value)

    def result(self, row: pd.Series) -> str:
        """An estimate with its interval."""
        if not math.isfinite(row["estimate"]):
            return "no estimate"
        if not (math.isfinite(row["lower"]) and math.isfinite(row["upper"])):
            return f"{self.value(row['estimate'])} (interval not known)"
        low, high = self.value(row["lower"]), self.value(row["upper"])
        return f"{self.value(row['estimate'])} ({low} to {high})"

    def side(self, row: pd.Series) -> str:
        """On which side of no difference an estimate and its interval lie."""
        if not math.isfinite(row["estimate"]):
            return "with no direction"
        side = self.favours[int(row["estimate"] > 0)]
        if not (math.isfinite(row["lower"]) and math.isfinite(row["upper"])):
            return f"on the side “{side}”"
        if row["lower"] <= 0 <= row["upper"]:
            return "the interval includes no difference"
        return f"the whole interval on the side “{side}”"

    def sides(self, estimates: pd.Series) -> str:
        """How many estimates lie on each side."""
        left, right = int((estimates < 0).sum()), int((estimates > 0).sum())
        return f"{left} on the side “{self.favours[0]}”, {right} on the side “{self.favours[1]}”"


def capital(words: str) -> str:
    """The words as the beginning of a sentence."""
    return words[:1].upper() + words[1:]


def _places(trials: pd.DataFrame) -> str:
    counts = trials["place"].value_counts(sort=False).sort_values(ascending=False, kind="stable")
    return ", ".join(f"{place} {count}" for place, count in counts.items())


def check(
    trials: pd.DataFrame, summaries: pd.DataFrame, unprinted: pd.DataFrame | None, scale: str
) -> None:
    """Refuse rows that cannot be shown.

    Raises
    ------
    ValueError
        If a column is missing, the scale is unknown or there is no row.
    """
    frames = [("trials", trials, _TRIALS), ("summaries", summaries, _SUMMARIES)]
    if unprinted is not None:
        frames.append(("unprinted", unprinted, _SILENT))
    for name, frame, columns in frames:
        lost = sorted(columns - set(frame.columns))
        if lost:
            raise ValueError(f"columns missing in {name}: {lost}")
    if scale not in ("difference", "log"):
        raise ValueError(f"the scale is difference or log, not {scale!r}")
    if trials.empty and (unprinted is None or unprinted.empty):
        raise ValueError("there is no trial to show")
