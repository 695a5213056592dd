"""How a result of trials is written: numbers on the scale of their outcome, in plain words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evidence.facts import Fact, Name, Sentence, number, sentence

LEVEL = 95.0
_MOST_DIGITS = 4
_HOW = "evidence.synthesis.estimates.estimates"

RATIOS: Mapping[str, str] = {
    "log_or": "odds",
    "log_rr": "risk",
    "log_irr": "rate",
    "log_hr": "hazard",
}
"""What is compared by each metric that is a ratio."""

COMPARATORS: Mapping[str, str] = {
    "nothing-or-wait-list": "nothing or a waiting list",
    "usual-service": "usual services",
    "attention-or-alternative": "another activity or attention",
    "active-treatment": "another treatment",
    "mixed": "several comparators",
    "not-stated": "a comparator that is not stated",
}

DECIDERS: Mapping[str, str] = {
    "council": "the council",
    "school": "schools",
    "public-health": "the council's public health team",
    "nhs": "the NHS",
    "police": "the police",
}

COUNTRIES: Mapping[str, str] = {
    "AU": "Australia", "BR": "Brazil", "CA": "Canada", "CH": "Switzerland", "CL": "Chile",
    "CN": "China", "CO": "Colombia", "CZ": "Czechia", "DE": "Germany", "DK": "Denmark",
    "EE": "Estonia", "FI": "Finland", "GB": "United Kingdom", "IE": "Ireland",
    "IL": "Israel", "JM": "Jamaica",
    "NL": "Netherlands", "PA": "Panama", "PH": "Philippines", "PL": "Poland",
    "RW": "Rwanda", "SE": "Sweden", "TH": "Thailand", "TR": "Turkey", "TZ": "Tanzania",
    "UG": "Uganda", "US": "United States", "ZA": "South Africa",
}  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """How the effects of one construct are shown.

    Effects are stored so that a positive one favours the programme. Readers and papers expect a
    ratio or a difference in the direction of the outcome itself: fewer smokers, more pupils at
    the expected level. Scores keep the sign of benefit, because instruments run both ways.

    Attributes
    ----------
    metric : str
        Metric of the construct.
    sign : int
        1 if a shown effect has the stored sign, -1 if it is turned back to the outcome's own.
    lower_is_better : bool or None
        Direction of the outcome; None where its instruments run both ways.
    statutory : bool
        Whether the outcome has no better direction.
    unit : str
        Unit of a shown difference.
    """

    metric: str
    sign: int
    lower_is_better: bool | None
    statutory: bool
    unit: str

    @property
    def ratio(self) -> bool:
        """Whether a ratio is shown."""
        return self.metric in RATIOS

    def shown(self, value: float) -> float:
        """A stored effect on the scale on which it is printed."""
        turned = self.sign * value
        if self.ratio:
            return math.exp(turned)
        return 100 * turned if self.metric == "rd" else turned

    @property
    def sides(self) -> tuple[str, str]:
        """What it means to lie left and right of no difference."""
        counted = self.ratio or self.metric == "rd"
        if counted and self.statutory:
            return ("fewer with the programme", "more with the programme")
        if counted and self.lower_is_better:
            return ("favours the programme", "favours the comparison")
        return ("favours the comparison", "favours the programme")

    @property
    def axis(self) -> str:
        """Label of the axis."""
        if self.ratio:
            return f"{RATIOS[self.metric]} ratio"
        if self.metric == "rd":
            return "difference in percentage points"
        return "standardised difference" if self.metric == "g" else "difference"

    @property
    def direction(self) -> Sentence:
        """What the sign of a difference in scores means; empty where the outcome itself tells."""
        if self.ratio or self.metric == "rd":
            return Sentence("")
        return sentence("A difference above zero favours the programme.")


def scale_of(construct: pd.Series[Any], rows: pd.DataFrame, instrument: str = "points") -> Scale:
    """How to show the effects of a construct.

    Parameters
    ----------
    construct : pandas.Series
        Row of ``constructs.csv``.
    rows : pandas.DataFrame
        Its chosen effects.
    instrument : str
        Unit of a mean difference.
    """
    metric = str(construct["metric"])
    directions = set(rows["lower_is_better"])
    lower = {"yes": True, "no": False}[directions.pop()] if len(directions) == 1 else None
    own = (metric in RATIOS or metric == "rd") and lower is True
    unit = {"g": "standard deviations", "md": instrument, "rd": "percentage points"}.get(metric, "")
    return Scale(metric, -1 if own else 1, lower, construct["statutory"] == "yes", unit)


def figure_text(value: float, scale: Scale) -> str:
    """A shown effect as it is printed; one that is not zero never reads as zero."""
    if not scale.ratio:
        digits = 1 if scale.metric == "rd" or abs(value) >= 10 else 2
        while digits < _MOST_DIGITS and value != 0 and round(abs(value), digits) == 0:
            digits += 1
        return number(value, digits)
    return number(value, 2 if value < 10 else 1)


def effect_facts(row: pd.Series[Any], scale: Scale, inputs: tuple[str, ...]) -> tuple[Fact, ...]:
    """Estimate and both limits as facts, the lower one first among the limits.

    Parameters
    ----------
    row : pandas.Series
        With estimate, ci_lower and ci_upper as stored.
    scale : Scale
        How to show them.
    inputs : tuple of str
        ``estimates:…`` or ``effects:…``.
    """
    value = scale.shown(row["estimate"])
    low, high = sorted((scale.shown(row["ci_lower"]), scale.shown(row["ci_upper"])))
    unit = scale.axis
    main = Fact(value, figure_text(value, scale), unit, "estimate", _HOW, inputs,
                lower=low, upper=high, level=LEVEL)  # fmt: skip
    limits = tuple(
        Fact(
            limit, figure_text(limit, scale), unit, "estimate", _HOW, inputs, note=f"{which} limit"
        )
        for which, limit in (("lower", low), ("upper", high))
    )
    return (main, *limits)


def result(row: pd.Series[Any], scale: Scale, inputs: tuple[str, ...]) -> Sentence:
    """A result as part of a sentence: ``odds of 0.66 times …, 95% interval 0.54 to 0.80``."""
    main, low, high = effect_facts(row, scale, inputs)
    interval = sentence("({level} interval {low} to {high})", level=Name("95%"), low=low, high=high)
    if scale.ratio:
        return sentence(
            "{what} {value} times those of the comparison group {interval}"
            if scale.metric == "log_or"
            else "a {what} {value} times that of the comparison group {interval}",
            what=RATIOS[scale.metric], value=main, interval=interval,
        )  # fmt: skip
    if scale.metric == "rd":
        return sentence(
            "a difference of {value} percentage points {interval}", value=main, interval=interval
        )
    return sentence(
        "a difference of {value} {unit} {interval}",
        value=main, unit=Name(scale.unit), interval=interval,
    )  # fmt: skip


def measure(name: str) -> str:
    """Unit of a difference on an instrument: ``on the measure “…”``."""
    return f"on the measure “{name}”"


def short_result(row: pd.Series[Any], scale: Scale, inputs: tuple[str, ...]) -> Sentence:
    """A result for a table cell: ``0.66 (0.54 to 0.80)``."""
    main, low, high = effect_facts(row, scale, inputs)
    return sentence("{value} ({low} to {high})", value=main, low=low, high=high)


def reading(row: pd.Series[Any], scale: Scale, worthwhile: float) -> Sentence:
    """What an interval allows one to say, and no more.

    Parameters
    ----------
    row : pandas.Series
        With ci_lower and ci_upper as stored.
    scale : Scale
        How effects are shown.
    worthwhile : float
        Smallest effect thought worth having, as stored; NaN if none is stated.
    """
    low, high = row["ci_lower"], row["ci_upper"]
    if scale.statutory:
        more = scale.lower_is_better is False
        if low > 0 or high < 0:
            way = "more" if (low > 0) == more else "fewer"
            return sentence("The whole interval says {way} with the programme.", way=way)
        return sentence("The interval includes fewer, as many and more with the programme.")
    if low > 0:
        # Better than nothing is not yet worth having.
        if np.isfinite(worthwhile) and high < worthwhile:
            return sentence(
                "The whole interval is on the programme's side, and all of it is smaller than the "
                "smallest effect that was thought worth having before the results were looked at."
            )
        if np.isfinite(worthwhile) and low < worthwhile:
            return sentence(
                "The whole interval is on the programme's side; it includes effects too small to "
                "be worth having."
            )
        return sentence("The whole interval is on the programme's side.")
    if high < 0:
        return sentence(
            "The whole interval is on the side of the comparison: the programme did worse."
        )
    if np.isfinite(worthwhile) and high < worthwhile:
        return sentence(
            "The interval includes no difference, and leaves no room for an effect as large as "
            "the smallest that was thought worth having before the results were looked at."
        )
    return sentence(
        "The interval includes no difference as well as an effect that would be worth having, so "
        "this does not settle the question."
        if np.isfinite(worthwhile)
        else "The interval includes no difference."
    )


_INITIALS = re.compile(r"\s+[A-Z][A-Z-]{0,3}$")


def study_name(study: pd.Series[Any]) -> str:
    """First author and year as they stand in a text: ``Hutchings and others 2007``.

    Parameters
    ----------
    study : pandas.Series
        Row of ``studies.csv``.
    """
    known = "" if pd.isna(study["authors"]) else str(study["authors"])
    people = [part.strip() for part in known.split(";") if part.strip()]
    names = [_INITIALS.sub("", person) for person in people]
    year = "" if pd.isna(study["year"]) else f" {int(study['year'])}"
    if not names:
        return f"Authors not stated{year}"
    if len(names) == 2 and not names[1].lower().startswith("et al"):
        return f"{names[0]} and {names[1]}{year}"
    return f"{names[0]} and others{year}" if len(names) > 1 else f"{names[0]}{year}"


def country_name(code: object) -> str:
    """Name of a country; ``several countries or not stated`` where the code is empty."""
    if pd.isna(code):  # type: ignore[call-overload]
        return "several countries or not stated"
    return COUNTRIES.get(str(code), str(code))


def months(value: float) -> str:
    """A follow-up in words and digits: ``6 months``, ``4 years``; ``not stated`` for NaN."""
    if not math.isfinite(value):
        return "not stated"
    if value >= 36 and abs(value / 12 - round(value / 12)) < 0.02:
        return f"{round(value / 12)} years"
    text = number(value, 0 if abs(value - round(value)) < 0.05 else 1)
    return f"{text} month" if text == "1" else f"{text} months"
