"""What the briefing says about needs: sentences, the figure and the table behind it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evidence.facts import Fact, Name, Raw, Sentence, count_words, enumerate_words, number, sentence
from evidence.places.needs import ENGLAND, LEVEL, YEARS_JUDGED, NeedsProfile
from evidence.plots.figure import Figure
from evidence.tables import Column, Table

if TYPE_CHECKING:
    from evidence.places.authority import Authority
    from evidence.tables import Cell

_PROFILES = "evidence.places.needs_profiles"
_READ = "evidence.literature.read_places"

# What a need is called inside a sentence, where its name as a heading would not read well.
PHRASES = {
    "low_birth_weight_pct": "low birth weight at term",
    "gld_pct": "a good level of development at the end of reception",
    "eyfsp_comm_lang_pct": "language and communication in reception",
    "eyfsp_pse_pct": "social and emotional development in reception",
    "ks2_rwm_pct": "attainment at the end of primary school",
    "gcse_eng_maths_94_pct": "GCSE passes in English and maths",
    "persistent_absence_pct": "persistent absence from school",
    "severe_absence_pct": "severe absence from school",
    "suspended_pupils_pct": "suspensions from school",
    "neet_or_not_known_16_17_pct": "young people not known to be in education or work",
    "fte_youth_justice_rate": "children entering the youth justice system",
    "mh_admissions_0_17_rate": "hospital admissions for mental health",
    "alcohol_admissions_u18_rate": "hospital admissions for alcohol",
    "u18_conception_rate": "conceptions under eighteen",
    "injury_admissions_0_14_rate": "hospital admissions for injuries",
    "excess_weight_reception_pct": "excess weight in reception",
    "excess_weight_y6_pct": "excess weight in the last year of primary school",
}

_GROUPS = (
    ("Early years", ("low_birth_weight_pct", "gld_pct", "eyfsp_comm_lang_pct", "eyfsp_pse_pct")),
    ("School", ("ks2_rwm_pct", "gcse_eng_maths_94_pct", "persistent_absence_pct",
                "severe_absence_pct", "suspended_pupils_pct")),
    ("Young people", ("neet_or_not_known_16_17_pct", "fte_youth_justice_rate",
                      "mh_admissions_0_17_rate", "alcohol_admissions_u18_rate",
                      "u18_conception_rate")),
    ("Safety and weight", ("injury_admissions_0_14_rate", "excess_weight_reception_pct",
                           "excess_weight_y6_pct")),
)  # fmt: skip
_OTHER = "Other needs"

_MONTHS = {
    "Jan": "January", "Feb": "February", "Mar": "March", "Apr": "April", "Jun": "June",
    "Jul": "July", "Aug": "August", "Sep": "September", "Oct": "October", "Nov": "November",
    "Dec": "December",
}  # fmt: skip


def phrase(row: pd.Series[Any]) -> str:
    """What a need is called inside a sentence.

    Parameters
    ----------
    row : pandas.Series
        A row of a needs profile.
    """
    name = str(row["name"])
    plain = name if re.match(r"[A-Z]{2}", name) else name[0].lower() + name[1:]
    return PHRASES.get(str(row["indicator_id"]), plain)


def period_name(period: str) -> Name:
    """A period as it is written in a sentence: ``December 2024 to February 2025``.

    Parameters
    ----------
    period : str
        As in the observations, for example ``"2024/25"`` or ``"Dec 2024-Feb 2025"``.
    """
    words = re.sub(r"[A-Z][a-z]{2}\b", lambda found: _MONTHS.get(found[0], found[0]), period)
    return Name(re.sub(r"(?<=\d{4})-(?=[A-Z])", " to ", words))


def _digits(row: pd.Series[Any]) -> int:
    """Digits after the point that a reader needs: none for whole numbers and large rates."""
    typical = row["reference"] if math.isfinite(row["reference"]) else row["value"]
    return 0 if typical >= 100 else min(1, int(row["decimals"]))


def _unit(row: pd.Series[Any]) -> str:
    return "percent" if row["unit"] == "%" else str(row["unit"])


def _show(row: pd.Series[Any], value: float, *, unit: bool = False) -> str:
    text = number(value, _digits(row))
    if row["unit"] == "%":
        return text + "%"
    return f"{text} {row['unit']}" if unit else text


def observed(
    row: pd.Series[Any], value: float, code: str, *, unit: bool = False, own: bool = False
) -> Fact:
    """A published value as a fact.

    Parameters
    ----------
    row : pandas.Series
        A row of a needs profile.
    value : float
        The value: the place's own, or that of a comparator.
    code : str
        GSS code of the area whose value it is.
    unit : bool
        Whether the unit is printed.
    own : bool
        Whether it is the place's own, which comes with its interval.
    """
    limits: dict[str, Any] = {}
    if own and math.isfinite(row["lower"]):
        limits = {"lower": row["lower"], "upper": row["upper"], "level": LEVEL,
                  "note": _BASIS[str(row["interval_basis"])]}  # fmt: skip
    return Fact(
        value=value,
        text=_show(row, value, unit=unit),
        unit=_unit(row),
        kind="observation",
        how=_PROFILES if limits else _READ,
        inputs=(f"observations:{code}/{row['indicator_id']}/{row['period']}",),
        **limits,
    )


_BASIS = {
    "counts": "interval from the counts behind the value",
    "published": "interval as published",
    "scatter": "interval from how much the authority's own past years swing",
}


def cardinal(value: int) -> str:
    """A whole number in words below ten: ``none``, ``one``, ``nine``, ``10``.

    Parameters
    ----------
    value : int
        Not negative.
    """
    return count_words(value, "need").split()[0] if value else "none"


def counted(value: int, code: str, what: str, *, noun: str = "need") -> Fact:
    """A count of needs as a fact, in words below ten.

    Parameters
    ----------
    value : int
        How many.
    code : str
        GSS code of the authority.
    what : str
        What was counted, for the trace.
    noun : str
        Stands behind the number, in the plural where there are several; empty for the number
        alone.
    """
    text = count_words(value, noun) if noun else cardinal(value)
    return Fact(value, text, "needs", "count", _PROFILES, (f"areas:{code}",), note=what)


def _reference(row: pd.Series[Any], area: Authority) -> Sentence:
    """England's value, or the mean of the authorities where England has none."""
    if row["reference_kind"] == "England":
        return sentence("England {value}", value=observed(row, row["reference"], ENGLAND))
    mean = Fact(
        row["reference"], _show(row, row["reference"]), _unit(row), "calculation", _PROFILES,
        (f"indicators:{row['indicator_id']}",), note=f"mean of the authorities in {row['period']}",
    )  # fmt: skip
    return sentence("all authorities on average {value}", value=mean)


def told(row: pd.Series[Any], area: Authority) -> Sentence:
    """A need with the value here and England's: ``persistent absence (22.0%, 2024/25; …)``.

    Parameters
    ----------
    row : pandas.Series
        A row of a needs profile with a value.
    area : Authority
        Whose profile it is.
    """
    return sentence(
        "{need} ({value}, {period}; {reference})",
        need=phrase(row),
        value=observed(row, row["value"], area.code, unit=True, own=True),
        period=period_name(str(row["period"])),
        reference=_reference(row, area),
    )


def phrases(rows: pd.DataFrame) -> Sentence:
    """What the needs in these rows are called, as a list inside a sentence.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of a needs profile.
    """
    return enumerate_words([phrase(row) for _, row in rows.iterrows()])


def told_in_turn(rows: pd.DataFrame, area: Authority, most: int = 5) -> Sentence:
    """Needs in a list, the first with their values, the rest by name.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of a needs profile with values, those to be told first in front.
    area : Authority
        Whose profile it is.
    most : int
        How many are told with their values.
    """
    parts = [
        told(row, area) if place < most else phrase(row)
        for place, (_, row) in enumerate(rows.iterrows())
    ]
    return enumerate_words(parts)


def lasting(rows: pd.DataFrame) -> str:
    """For how long the differences in these rows have lasted, in words.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of a needs profile that stand out.
    """
    every = bool((rows["years_beyond"] == YEARS_JUDGED).all())
    return "in each of the last three years" if every else (
        "in at least two of the last three years"
    )  # fmt: skip


def needs_sentences(profile: NeedsProfile) -> list[Sentence]:
    """What the figure of needs shows, in words.

    Parameters
    ----------
    profile : NeedsProfile
        From :func:`evidence.places.needs_profiles`.

    Returns
    -------
    list of Sentence
        First what stands out as worse and as better, then how that compares with the places most
        like it, what cannot be judged, and how to read it. For a place that is not compared, why.
    """
    area, frame = profile.area, profile.frame
    total = len(frame)
    if not profile.comparable:
        return [*_not_compared(profile), _how_to_read(profile)]
    said: list[Sentence] = []
    for way, start in (
        ("worse", "By more than chance would explain, children in {place} fared worse than in "
                  "England as a whole on {count} of {total}, {years}: {list}."),
        ("better", "They fared better than in England on {count}, {years}: {list}."),
    ):  # fmt: skip
        rows = profile.standing_out(way)
        if rows.empty:
            continue
        if way == "better" and not said:
            start = (
                "By more than chance would explain, children in {place} fared better than in "
                "England as a whole on {count} of {total}, {years}: {list}."
            )
        parts: dict[str, object] = {
            "count": counted(len(rows), area.code, f"needs that stand out as {way}",
                             noun="" if "{total}" in start else "need"),
            "years": lasting(rows),
            "list": told_in_turn(rows, area),
        }  # fmt: skip
        if "{total}" in start:
            parts |= {
                "place": area.in_text,
                "total": counted(total, area.code, "needs looked at"),
            }
        said.append(sentence(start, **parts))
    if not said:
        said.append(sentence(
            "No need in {place} differs from England as a whole by more than chance would explain "
            "in at least two of the last three years.", place=area.in_text,
        ))  # fmt: skip
    elif profile.standing_out("worse").empty:
        said.append(sentence("No need stands out as worse."))
    elif profile.standing_out("better").empty:
        said.append(sentence("No need stands out as better."))
    said += _against_neighbours(profile)
    said += _not_judged(profile)
    return [*said, _how_to_read(profile)]


def _not_compared(profile: NeedsProfile) -> list[Sentence]:
    area, known = profile.area, int(profile.frame["value"].notna().sum())
    start = sentence(
        "So few children live in {place} that a comparison with England or with other places "
        "would say nothing about need here, and none is made.",
        place=area.in_text,
    )
    if known == 0:
        return [start, sentence("None of the needs has a published figure of its own here.")]
    count = counted(known, area.code, "needs with a published value", noun="")
    total = counted(len(profile.frame), area.code, "needs looked at")
    return [start, sentence(
        "Figures are published for {count} of {total}; the table gives them as they are.",
        count=count, total=total,
    )]  # fmt: skip


def _against_neighbours(profile: NeedsProfile) -> list[Sentence]:
    area, frame = profile.area, profile.frame
    judged = frame[frame["from_neighbours"] != "cannot say"]
    if judged.empty:
        return []
    parts = []
    for way in ("worse", "better"):
        rows = judged[judged["from_neighbours"] == way]
        if len(rows):
            parts.append(sentence(
                way + " on {count} ({list})",
                count=counted(len(rows), area.code,
                              f"needs {way} than the middle of the neighbours"),
                list=phrases(rows),
            ))  # fmt: skip
    if not parts:
        return [sentence(
            "Against the ten places most like it, its statistical neighbours, {place} is near the "
            "middle on every need that can be judged.", place=area.in_text,
        )]  # fmt: skip
    alike = int((judged["from_neighbours"] == "similar").sum())
    if alike:
        parts.append(sentence(
            "near it on {count}",
            count=counted(alike, area.code, "needs near the middle of the neighbours", noun=""),
        ))  # fmt: skip
    return [sentence(
        "Against the middle of the ten places most like it, its statistical neighbours, the "
        "latest figures for {place} are {parts}.",
        place=area.in_text, parts=enumerate_words(parts),
    )]  # fmt: skip


def _not_judged(profile: NeedsProfile) -> list[Sentence]:
    frame, said = profile.frame, []
    absent = frame[frame["cannot_say"] == "no value"]
    for reason, rows in absent.groupby("missing_reason", sort=False):
        said.append(sentence(
            "No figure for {period} is shown on {list}: {reason}.",
            period=enumerate_words(period_name(p) for p in dict.fromkeys(rows["period"])),
            list=phrases(rows), reason=str(reason),
        ))  # fmt: skip
    blurred = frame[frame["cannot_say"].isin(["no interval", "too few years"])]
    if len(blurred):
        said.append(sentence(
            "On {list} a figure is published, but too few years of it to tell a difference from "
            "chance.", list=phrases(blurred),
        ))  # fmt: skip
    old = frame[frame["old"] & frame["value"].notna()]
    if len(old):
        said.append(sentence(
            "The newest {noun} on {list} {verb} more than three years old.",
            noun="figure" if len(old) == 1 else "figures", list=phrases(old),
            verb="is" if len(old) == 1 else "are",
        ))  # fmt: skip
    return said


def _how_to_read(profile: NeedsProfile) -> Sentence:
    if not profile.comparable:
        return sentence(
            "A figure from a handful of children can jump from year to year without anything "
            "having changed."
        )
    why = (
        "how much it swung in past years, because most are published without the counts behind them"
        if profile.frame["interval_basis"].eq("scatter").any()
        else "the counts behind it"
    )
    return sentence(
        "None of this ranks places or says why they differ; how far each figure could be out is "
        "judged from " + why + "."
    )


def needs_figure(
    profile: NeedsProfile, *, only: Sequence[str] = (), columns: int = 2
) -> Figure | None:
    """The strips of :func:`evidence.plots.needs.needs_figure` for one authority.

    Parameters
    ----------
    profile : NeedsProfile
        From :func:`evidence.places.needs_profiles`.
    only : sequence of str, optional
        Needs to show, for a page that has room for some; by default all.
    columns : {1, 2}
        Two for the width of a page; one, with at most a dozen needs, for a narrow column.

    Returns
    -------
    Figure or None
        ``fig-needs``; None for a place that is not compared.
    """
    if not profile.comparable:
        return None
    from evidence.plots.needs import needs_figure as draw

    if only:
        profile = replace(profile, frame=profile.frame[profile.frame["indicator_id"].isin(only)])
    area, frame = profile.area, profile.frame
    groups = {name: heading for heading, names in _GROUPS for name in names}
    rows = pd.DataFrame([
        {
            "key": row["indicator_id"],
            "group": groups.get(str(row["indicator_id"]), _OTHER),
            "label": row["short_name"],
            "value_text": "" if row["missing_reason"] else _show(row, row["value"], unit=True),
            "note": _note(row, area),
            "verdict": {"cannot say": ""}.get(str(row["stands_out"]), row["stands_out"]),
            "missing": row["missing_reason"],
            "centre": row["reference"],
            "turn": 1.0 if row["polarity"] == "high-is-worse" else -1.0,
            **{name: row[name] for name in ("value", "lower", "upper", "spread", "region")},
        }
        for _, row in frame.iterrows()
    ])  # fmt: skip
    near = profile.neighbours.rename(columns={"indicator_id": "key"})[["key", "value"]]
    drawing = draw(rows, near, place=area.short_name, region=area.region, columns=columns)
    return Figure.from_matplotlib(
        drawing, alt=_alt(profile), caption=_caption(profile), label="fig-needs"
    )


def _note(row: pd.Series[Any], area: Authority) -> str:
    """Small print of a strip: comparators and period."""
    name = "England" if row["reference_kind"] == "England" else "Authorities' mean"
    parts = [f"{name} {_show(row, row['reference'])}"] if math.isfinite(row["reference"]) else []
    parts.append(period_name(str(row["period"])).text.replace("December", "Dec")
                 .replace("February", "Feb"))  # fmt: skip
    if row["old"]:
        parts.append("over three years old")
    elif not row["missing_reason"] and row["interval_basis"] == "none":
        parts.append("no interval can be given")
    return " · ".join(parts)


def _alt(profile: NeedsProfile) -> str:
    """What the figure shows, for readers who do not see it."""
    area, frame = profile.area, profile.frame

    def values(rows: pd.DataFrame) -> str:
        return "; ".join(
            f"{phrase(row)} {_show(row, row['value'], unit=True)} "
            f"against {_show(row, row['reference'])}"
            for _, row in rows.iterrows()
        )

    parts = [
        f"One strip for each of {len(frame)} needs, with England in the middle, worse to the "
        f"right, {area.plain_name} with its interval, its region and its ten statistical "
        "neighbours."
    ]
    for way in ("worse", "better"):
        rows = frame[frame["stands_out"] == way]
        what = values(rows) if len(rows) else "no need"
        parts.append(f"{area.plain_name} stands out as {way} than England on: {what}.")
    unclear = frame[frame["stands_out"] == "no"]
    if len(unclear):
        parts.append(f"No clear difference on: {values(unclear)}.")
    blurred = frame[(frame["stands_out"] == "cannot say") & frame["value"].notna()]
    if len(blurred):
        parts.append(f"Cannot be judged: {values(blurred)}.")
    absent = frame[frame["value"].isna()]
    if len(absent):
        names = "; ".join(phrase(row) for _, row in absent.iterrows())
        parts.append(f"No figure: {names}.")
    return " ".join(parts)


def _caption(profile: NeedsProfile) -> Sentence:
    extra = ""
    if (profile.frame["reference_kind"] != "England").any():
        extra = " Where England has no figure, the mean of the authorities stands in the middle."
    return sentence(
        "Needs in {place}. The bar is the range within which the figure could lie by chance; a "
        "filled diamond stands out: it differs from England by more than chance would explain, in "
        "at least two of the last three years. Strips are scaled by how much places usually "
        "differ." + extra,
        place=profile.area.in_text,
    )


def needs_table(profile: NeedsProfile) -> Table:
    """Everything behind the figure, one row per need.

    Parameters
    ----------
    profile : NeedsProfile
        From :func:`evidence.places.needs_profiles`.

    Returns
    -------
    Table
        ``tbl-needs``. A place that is not compared has its own values only.
    """
    area = profile.area
    rows = [_table_row(row, profile) for _, row in profile.frame.iterrows()]
    # Names of places can be too wide for a column; the caption says which place is meant.
    columns = [Column("Need"), Column("Period"), Column("Here", "end")]
    caption = sentence("Needs in {place}: the figures.", place=area.in_text)
    if profile.comparable:
        columns = [
            Column("Need", width=25), Column("Period", width=10), Column("Here", "end", 10),
            Column("Could lie between", "end", 10), Column("England", "end", 10),
            Column(area.region, "end", 10),
            Column("Places like it, low to high", "end", 10),
            Column("Stands out (years)", width=15),
        ]  # fmt: skip
    return Table(columns, rows, caption, "tbl-needs", _table_note(profile))


def _table_row(row: pd.Series[Any], profile: NeedsProfile) -> list[Cell]:
    area = profile.area
    missing = bool(row["missing_reason"])
    value: str | Fact = (
        ("no figure" if profile.comparable else str(row["missing_reason"])) if missing
        else observed(row, row["value"], area.code, own=True)
    )  # fmt: skip
    period = sentence(
        "{period}{old}", period=period_name(str(row["period"])),
        old=" (over three years old)" if row["old"] else "",
    )  # fmt: skip
    cells: list[Cell] = [Name(f"{row['name']}, {row['unit_long']}"), period, value]
    if not profile.comparable:
        return cells
    interval: str | Sentence = "no interval can be given"
    if math.isfinite(row["lower"]):
        interval = sentence(
            "{low} to {high}",
            low=_limit(row, row["lower"], area), high=_limit(row, row["upper"], area),
        )  # fmt: skip
    england = (
        observed(row, row["england"], ENGLAND) if math.isfinite(row["england"]) else "no figure"
    )
    region = (
        observed(row, row["region"], area.region_code)
        if math.isfinite(row["region"])
        else "no figure"
    )
    near: str | Sentence = "no figure"
    if row["neighbours_n"]:
        codes = profile.neighbours.loc[
            (profile.neighbours["indicator_id"] == row["indicator_id"])
            & profile.neighbours["value"].notna()
        ]
        ends = []
        for column, pick in (("neighbours_min", "idxmin"), ("neighbours_max", "idxmax")):
            code = str(codes.loc[getattr(codes["value"], pick)(), "neighbour_code"])
            ends.append(observed(row, row[column], code))
        near = sentence("{low} to {high}", low=ends[0], high=ends[1])
    return [*cells, "" if missing else interval, england, region, near, _verdict(row, area)]


def _limit(row: pd.Series[Any], value: float, area: Authority) -> Fact:
    return Fact(value, _show(row, value), _unit(row), "calculation", _PROFILES,
                (f"observations:{area.code}/{row['indicator_id']}/{row['period']}",),
                note=_BASIS[str(row["interval_basis"])])  # fmt: skip


def _verdict(row: pd.Series[Any], area: Authority) -> str | Sentence:
    if row["stands_out"] == "cannot say":
        return f"cannot say: {row['missing_reason'] or row['cannot_say']}"
    if row["stands_out"] == "no":
        return "no"
    years = Fact(
        int(row["years_beyond"]), cardinal(int(row["years_beyond"])), "years", "count", _PROFILES,
        tuple(f"observations:{area.code}/{row['indicator_id']}/{period}"
              for period in str(row["beyond_periods"]).split(";")),
    )  # fmt: skip
    return sentence(
        "{way} ({years} of {judged})", way=str(row["stands_out"]), years=years,
        judged=cardinal(int(row["years_judged"])),
    )  # fmt: skip


def _table_note(profile: NeedsProfile) -> Sentence:
    sources = {
        f"{row['publisher']}, {row['publication']}": None for _, row in profile.frame.iterrows()
    }
    names = Raw("; ".join(Name(name).md for name in sources))
    start = sentence("Sources: {sources}.", sources=names)
    if not profile.comparable:
        return start
    return start + sentence(
        "The range comes from the counts behind a figure where they are published, else from how "
        "much the authority's own past years swing; it covers the true level in about nineteen of "
        "twenty cases. Places like it are the ten statistical neighbours; their values and the "
        "region's are of the same period. In brackets: in how many of the last three years, where "
        "they can be judged, the figure lay beyond chance on that side."
    )
