"""What each authority's children need, against England, its region and places like it.

All authorities are worked out at once, because what stands out depends on all of them: values are
drawn towards what places have in common, and the false-discovery rate is held over all indicators
and places. There are no ranks.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evidence.errors import DataError, Fault
from evidence.files import write_parquet
from evidence.places.authority import Authority, authority
from evidence.places.discovery import benjamini_hochberg
from evidence.places.poisson import poisson
from evidence.places.scatter import moderate, successive_differences
from evidence.places.shrinkage import shrink
from evidence.places.wilson import wilson
from evidence.project import Project

if TYPE_CHECKING:
    from evidence.literature import Places

ENGLAND = "E92000001"
_INDICATORS = "literature/places/indicators.csv"
LEVEL = 95.0
FALSE_DISCOVERY_RATE = 0.05
YEARS_JUDGED = 3
YEARS_NEEDED = 2
OLD_AFTER_YEARS = 3
_SHARED_YEARS = re.compile(r"(\d{4})/\d{2} to (\d{4})/\d{2}")
_PER = re.compile(r"per ([\d,]+)")


@dataclass(frozen=True)
class NeedsProfile:
    """The needs of one authority.

    Attributes
    ----------
    area : Authority
        Whose needs they are.
    frame : pandas.DataFrame
        One row per need in ``need_order``; see :func:`needs_profiles` for the columns.
    neighbours : pandas.DataFrame
        The ten statistical neighbours' values: indicator_id, neighbour_code, name, value.
    """

    area: Authority
    frame: pd.DataFrame
    neighbours: pd.DataFrame

    @property
    def comparable(self) -> bool:
        """Whether this authority is compared with others at all."""
        return self.area.comparable

    def standing_out(self, way: str) -> pd.DataFrame:
        """Rows that stand out as ``"worse"`` or ``"better"``, those furthest from the usual first.

        Parameters
        ----------
        way : str
            ``worse`` or ``better``.
        """
        rows = self.frame[self.frame["stands_out"] == way]
        order = rows["from_centre"].abs().sort_values(ascending=False, kind="stable").index
        return rows.loc[order]


@dataclass(frozen=True)
class NeedsProfiles(Mapping[str, NeedsProfile]):
    """The needs of all authorities; look one up by its GSS code.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per authority and need.
    neighbours : pandas.DataFrame
        area_code, indicator_id, neighbour_code, name, value.
    areas : dict
        From GSS code to :class:`Authority`.
    """

    frame: pd.DataFrame
    neighbours: pd.DataFrame
    areas: dict[str, Authority]

    def __getitem__(self, code: str) -> NeedsProfile:
        area = self.areas[code]
        own = self.frame["area_code"] == code
        near = self.neighbours["area_code"] == code
        return NeedsProfile(
            area,
            self.frame[own].drop(columns="area_code").reset_index(drop=True),
            self.neighbours[near].drop(columns="area_code").reset_index(drop=True),
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self.areas)

    def __len__(self) -> int:
        return len(self.areas)

    def write(self, folder: Path) -> None:
        """Write both frames as Parquet; :meth:`read` takes them up again.

        Parameters
        ----------
        folder : pathlib.Path
            Made if it does not exist.
        """
        write_parquet(self.frame, folder / "needs.parquet")
        write_parquet(self.neighbours, folder / "needs_neighbours.parquet")

    @classmethod
    def read(cls, folder: Path, places: Places) -> NeedsProfiles:
        """Take up what :meth:`write` wrote.

        Parameters
        ----------
        folder : pathlib.Path
            Where it was written.
        places : Places
            The same places as when it was made.
        """
        return cls(
            pd.read_parquet(folder / "needs.parquet"),
            pd.read_parquet(folder / "needs_neighbours.parquet"),
            _authorities(places),
        )


def _authorities(places: Places) -> dict[str, Authority]:
    return {code: authority(places, code) for code in places.authorities["area_code"]}


def needs_profile(
    places: Places, area_code: str, *, edition_date: dt.date | None = None
) -> NeedsProfile:
    """Needs of one authority; :func:`needs_profiles` for all of them costs hardly more.

    Parameters
    ----------
    places : Places
        The places data package.
    area_code : str
        GSS code, or the authority's name.
    edition_date : datetime.date, optional
        See :func:`needs_profiles`.

    Raises
    ------
    UsageError
        If there is no such authority.
    """
    area = authority(places, area_code)
    return needs_profiles(places, edition_date=edition_date)[area.code]


def needs_profiles(places: Places, *, edition_date: dt.date | None = None) -> NeedsProfiles:
    """Needs of all authorities against England, region and statistical neighbours.

    Parameters
    ----------
    places : Places
        The places data package.
    edition_date : datetime.date, optional
        Date from which the age of a value is counted; by default that of the project's edition.

    Returns
    -------
    NeedsProfiles
        Its ``frame`` has, for every authority and need:

        - indicator_id, need_order, name, short_name, unit, unit_long, polarity, publisher,
          publication, source_url, indicator_note: from the list of indicators;
        - decimals: digits after the point with which it is published;
        - compared: whether this authority is compared at all;
        - period, period_end, value: the indicator's newest period, never an older one in its
          place; ``old`` if it ended more than three years before the edition; ``newest_before``
          the newest earlier period that has a value, where the newest has none;
        - lower, upper (95 %), interval_basis: ``counts`` (Wilson for shares, Byar or exact
          Poisson for rates), ``published``, ``scatter`` (t interval from the scatter of the
          authority's own past years, see :mod:`evidence.places.scatter`) or ``none``; sd and df
          are its standard deviation and degrees of freedom;
        - england, region, neighbours_median, neighbours_min, neighbours_max, neighbours_n: values
          of the same period; ``reference`` is England's, or the mean of the authorities where
          England has none (``reference_kind`` ``England`` or ``authorities``);
        - shrunken, shrunken_lower, shrunken_upper: empirical Bayes estimate and its 95 % interval;
          spread: standard deviation between places; from_centre: distance of the estimate from
          the centre of all places in those, positive for worse;
        - p_value, p_adjusted: of the difference from the reference, the latter for the
          false-discovery rate over all authorities and needs;
        - side: ``worse`` or ``better`` than the reference (empty if equal or unknown);
          years_judged, years_beyond: of the last three separate periods, those with an interval
          and those whose interval lies beyond the reference on that side; beyond_periods: the
          latter, newest first, joined by ``;``;
        - stands_out: ``worse`` or ``better`` if the difference survives all three of shrinkage
          (the interval of the empirical Bayes estimate excludes the reference), a
          false-discovery rate of 5 % and at least two of the last three years; else ``no``, or
          ``cannot say`` with the reason in ``cannot_say``;
        - from_neighbours: ``worse`` or ``better`` if the interval excludes the middle of the
          neighbours' values, else ``similar`` or ``cannot say``;
        - missing_reason: why there is no value, in plain words, else empty.

    Raises
    ------
    DataError
        If a need has no polarity or no observations.
    """
    today = edition_date or Project.find().edition().date
    areas = _authorities(places)
    needs = places.indicators[places.indicators["role"] == "need"].sort_values("need_order")
    observations = places.observations[
        places.observations["indicator_id"].isin(needs["indicator_id"])
    ]
    by_indicator = dict(iter(observations.groupby("indicator_id")))
    faults = [
        Fault(_INDICATORS, None, "indicator_id", "need-incomplete",
              f"the need {need.indicator_id} has no polarity or no observations",
              "a polarity of high-is-worse or low-is-worse, and observations")
        for need in needs.itertuples()
        if need.indicator_id not in by_indicator
        or need.polarity not in ("high-is-worse", "low-is-worse")
    ]  # fmt: skip
    if faults:
        raise DataError(faults)
    near = places.neighbours.sort_values(["area_code", "rank"])
    parts, neighbour_parts = [], []
    for _, need in needs.iterrows():
        part, neighbours = _one_need(need, by_indicator[need["indicator_id"]], areas, near)
        parts.append(part)
        neighbour_parts.append(neighbours)
    frame = pd.concat(parts, ignore_index=True)
    frame["old"] = frame["period_end"].to_numpy() < np.datetime64(
        (pd.Timestamp(today) - pd.DateOffset(years=OLD_AFTER_YEARS)).date()
    )
    frame["p_adjusted"] = benjamini_hochberg(frame["p_value"].to_numpy(dtype=float))
    _judge(frame)
    frame = frame.sort_values(["area_code", "need_order"], kind="stable", ignore_index=True)
    near_values = pd.concat(neighbour_parts, ignore_index=True)
    return NeedsProfiles(frame, near_values, areas)


def _segments(periods: list[str], breaks: object) -> NDArray[np.int64]:
    """Label the stretches of a series between its breaks.

    ``breaks`` is ``"PERIOD: reason; PERIOD: reason"``. A named period begins a new stretch.
    Two or more named periods in a row are unusual years: the stretch after them begins with the
    period that follows.
    """
    named = set() if pd.isna(breaks) else {  # type: ignore[call-overload]
        part.split(":")[0].strip() for part in str(breaks).split(";")
    }  # fmt: skip
    label, labels = 0, []
    for position, period in enumerate(periods):
        run = position >= 2 and {periods[position - 1], periods[position - 2]} <= named
        if period in named or run:
            label += 1
        labels.append(label)
    return np.array(labels, dtype=np.int64)


def _decimals(values: NDArray[np.float64]) -> int:
    """Digits after the point with which an indicator is published, at most five."""
    known = values[np.isfinite(values)]
    for digits in range(5):
        if np.allclose(known * 10**digits, np.round(known * 10**digits), rtol=0, atol=1e-6):
            return digits
    return 5


def _one_need(
    need: pd.Series[Any], rows: pd.DataFrame, areas: dict[str, Authority], near: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One need for all authorities: everything but the false-discovery rate."""
    from scipy.special import stdtr, stdtrit

    codes = list(areas)
    order = rows[["period", "period_end"]].drop_duplicates().sort_values("period_end")
    newest = str(need["newest_period"])
    order = order[order["period_end"] <= order.loc[order["period"] == newest, "period_end"].max()]
    periods = [str(period) for period in order["period"]]
    if newest not in periods:
        what = f"{need['indicator_id']} has no observations of {newest}"
        raise DataError([Fault(_INDICATORS, None, "newest_period", "no-such-period", what)])
    years = order["period_end"].dt.year.to_numpy()
    ends = dict(zip(periods, order["period_end"], strict=True))

    def wide(column: str) -> pd.DataFrame:
        return rows.pivot(index="area_code", columns="period", values=column).reindex(
            columns=periods
        )

    all_values = wide("value").astype(float)
    share = str(need["unit"]) == "%"
    sound = all_values.ge(0) & (all_values.le(100) if share else np.isfinite(all_values))
    values = all_values.where(sound).reindex(codes).to_numpy()
    compared = np.array([areas[code].comparable for code in codes])
    others = values[compared]

    england = all_values.reindex([ENGLAND]).to_numpy()[0]
    average = _balanced_mean(others)
    kind = "England" if np.isfinite(england[-1]) else "authorities"
    reference = england if kind == "England" else average

    window = 1
    pooled = _SHARED_YEARS.fullmatch(newest)
    if pooled:
        window = int(pooled[2]) - int(pooled[1]) + 1
    distance = values - reference
    people = np.array([areas[code].population_0_17 or np.nan for code in codes], dtype=float)
    scatter = successive_differences(
        np.where(compared[:, None], distance, np.nan),
        years, _segments(periods, need["breaks"]), window,
    )  # fmt: skip
    decimals = _decimals(others)
    # The rounding of a published figure is spread evenly over one step.
    steady = moderate(scatter, people, floor=10.0 ** (-2 * decimals) / 12)

    quantile = stdtrit(np.where(np.isinf(steady.df), 1e12, steady.df), 0.5 + LEVEL / 200)
    sd = np.repeat(np.sqrt(steady.variance)[:, None], len(periods), axis=1)
    half = quantile[:, None] * sd
    lower, upper = values - half, values + half
    basis = np.where(np.isfinite(lower), "scatter", "none").astype(object)
    df = np.repeat(steady.df[:, None], len(periods), axis=1)
    z = float(stdtrit(1e12, 0.5 + LEVEL / 200))
    for name, limits in (
        ("published", (wide("lower"), wide("upper"))),
        ("counts", _limits_from_counts(need, wide("numerator"), wide("denominator"), all_values)),
    ):
        low, high = (limit.reindex(codes).to_numpy(dtype=float) for limit in limits)
        there = np.isfinite(low) & np.isfinite(high) & np.isfinite(values)
        lower, upper = np.where(there, low, lower), np.where(there, high, upper)
        sd = np.where(there, (high - low) / (2 * z), sd)
        df = np.where(there, np.inf, df)
        basis = np.where(there, name, basis)
    lower, upper = np.clip(lower, 0, None), np.clip(upper, None, 100 if share else None)
    sd = np.where(np.isfinite(values) & (sd > 0), sd, np.nan)
    basis = np.where(np.isfinite(lower), basis, "none")

    # Which side of the reference, positive for worse, and how far beyond chance in each year.
    turn = 1.0 if need["polarity"] == "high-is-worse" else -1.0
    side = np.sign(turn * distance)
    t = np.abs(distance) / sd
    infinite = np.isinf(df)
    pvalue = 2 * stdtr(np.where(infinite, 1e12, df), -t)
    beyond = pvalue < 1 - LEVEL / 100
    last = np.arange(len(periods) - 1, -1, -window)[:YEARS_JUDGED]
    last = last[years[-1] - years[last] < YEARS_JUDGED * window]
    judged = np.isfinite(pvalue[:, last])
    same = judged & beyond[:, last] & (side[:, last] == side[:, [-1]])

    usable = compared & np.isfinite(values[:, -1]) & np.isfinite(sd[:, -1])
    drawn = shrink(
        np.where(usable, values[:, -1], np.nan), np.where(usable, sd[:, -1] ** 2, np.nan)
    )
    reach = stdtrit(np.where(infinite[:, -1], 1e12, df[:, -1]), 0.5 + LEVEL / 200) * drawn.se
    between = np.sqrt(drawn.between) if drawn.between > 0 else np.nan

    names = dict(zip(codes, (areas[code].plain_name for code in codes), strict=True))
    pairs = near[near["area_code"].isin([c for c in codes if areas[c].comparable])]
    newest_values = dict(zip(codes, values[:, -1], strict=True))
    neighbours = pd.DataFrame({
        "area_code": pairs["area_code"].astype(str),
        "indicator_id": str(need["indicator_id"]),
        "neighbour_code": pairs["neighbour_code"].astype(str),
        "name": pairs["neighbour_code"].map(names),
        "value": pairs["neighbour_code"].map(newest_values).astype(float),
    })  # fmt: skip
    summary = neighbours.groupby("area_code")["value"].agg(["median", "min", "max", "count"])
    summary = summary.reindex(codes)
    middle = summary["median"].to_numpy()

    regions = np.array([areas[code].region_code for code in codes])
    has_comparison = compared & np.isfinite(values[:, -1])
    status = wide("status").reindex(codes)[newest]
    notes = wide("note").reindex(codes)[newest]
    odd = (np.isfinite(all_values.reindex(codes).to_numpy()) & ~np.isfinite(values))[:, -1]
    known = np.isfinite(values)
    before = [
        next((periods[j] for j in range(len(periods) - 2, -1, -1) if known[i, j]), "")
        for i in range(len(codes))
    ]
    frame = pd.DataFrame({
        "area_code": codes,
        "indicator_id": str(need["indicator_id"]),
        "need_order": int(need["need_order"]),
        **{name: str(need[name]) for name in
           ("name", "short_name", "unit", "unit_long", "polarity", "publisher", "publication")},
        "source_url": "" if pd.isna(need["source_url"]) else str(need["source_url"]),
        "indicator_note": "" if pd.isna(need["note"]) else str(need["note"]),
        "period": newest,
        "period_end": ends[newest],
        "decimals": decimals,
        "compared": compared,
        "value": values[:, -1],
        "lower": lower[:, -1],
        "upper": upper[:, -1],
        "interval_basis": basis[:, -1],
        "sd": sd[:, -1],
        "df": np.where(np.isfinite(sd[:, -1]), df[:, -1], np.nan),
        "england": england[-1],
        "region": all_values[newest].reindex(regions).to_numpy(),
        "reference": reference[-1],
        "reference_kind": kind,
        "neighbours_median": middle,
        "neighbours_min": summary["min"].to_numpy(),
        "neighbours_max": summary["max"].to_numpy(),
        "neighbours_n": summary["count"].fillna(0).to_numpy(dtype=int),
        "shrunken": drawn.mean,
        "shrunken_lower": drawn.mean - reach,
        "shrunken_upper": drawn.mean + reach,
        "from_centre": turn * (drawn.mean - drawn.centre) / between,
        "spread": between,
        "p_value": np.where(usable, pvalue[:, -1], np.nan),
        "side": np.where(has_comparison, _words(side[:, -1]), ""),
        "years_judged": np.where(has_comparison, judged.sum(axis=1), 0),
        "years_beyond": np.where(has_comparison, same.sum(axis=1), 0),
        "beyond_periods": [
            ";".join(periods[j] for j, hit in zip(last, row, strict=True) if hit and ok)
            for row, ok in zip(same, has_comparison, strict=True)
        ],
        "from_neighbours": np.where(
            has_comparison & np.isfinite(middle) & np.isfinite(sd[:, -1]),
            np.where((lower[:, -1] > middle) | (upper[:, -1] < middle),
                     _words(np.sign(turn * (values[:, -1] - middle))), "similar"),
            "cannot say",
        ),
        "missing_reason": [
            _missing(value, is_odd, state, note, areas[code].comparable)
            for value, is_odd, state, note, code in
            zip(values[:, -1], odd, status, notes, codes, strict=True)
        ],
        "newest_before": np.where(known[:, -1], "", before),
    })  # fmt: skip
    # Without a comparison nothing that came from one may be read from the row.
    frame.loc[~compared, ["sd", "df", "lower", "upper"]] = np.nan
    frame.loc[~compared, "interval_basis"] = np.where(
        np.isin(basis[~compared, -1], ["counts", "published"]), basis[~compared, -1], "none"
    )
    for column, limits in (("lower", lower), ("upper", upper)):
        keep = ~compared & (frame["interval_basis"] != "none").to_numpy()
        frame.loc[keep, column] = limits[keep, -1]
    return frame, neighbours


def _words(signs: NDArray[np.float64]) -> NDArray[np.object_]:
    return np.select([signs > 0, signs < 0], ["worse", "better"], "").astype(object)


def _balanced_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the places that have a value in every period, so that no place comes or goes."""
    whole = np.isfinite(values).all(axis=1)
    if not whole.any():
        return np.full(values.shape[1], np.nan)
    mean: NDArray[np.float64] = values[whole].mean(axis=0)
    return mean


def _limits_from_counts(
    need: pd.Series[Any], numerator: pd.DataFrame, denominator: pd.DataFrame, values: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Limits in the indicator's unit where counts are known and give the published value."""
    cases = numerator.astype(float)
    people = denominator.astype(float)
    per = _PER.search(str(need["unit"]))
    share = str(need["unit"]) == "%"
    if not share and per is None:
        nothing = values * np.nan
        return nothing, nothing
    scale = 100.0 if per is None else float(per[1].replace(",", ""))
    # Counts that do not give the published figure are rounded or belong to another population.
    fits = (scale * cases / people - values).abs() <= 0.01 * values.abs().clip(lower=1e-9)
    cases, people = cases.where(fits), people.where(fits)
    if share:
        lower, upper = wilson(cases, people, LEVEL)
        lower, upper = scale * lower, scale * upper
    else:
        lower, upper = poisson(cases, LEVEL)
        lower, upper = scale * lower / people.to_numpy(), scale * upper / people.to_numpy()
    frames = (pd.DataFrame(limit, values.index, values.columns) for limit in (lower, upper))
    return next(frames), next(frames)


def _missing(value: float, odd: bool, status: object, note: object, comparable: bool) -> str:
    """Why there is no value, in words that can stand after a colon."""
    if np.isfinite(value):
        return ""
    said = "" if pd.isna(note) else str(note)  # type: ignore[call-overload]
    if odd:
        return "the published figure lies outside what is possible, so it is not shown"
    if "counted with" in said:
        return said
    if status == "suppressed":
        return "withheld by the publisher because the number of children is small"
    if said.startswith("not shown"):
        return f"not published: {said.split(': ', 1)[-1]}"
    if said and not said.startswith(("withheld", "not ")):
        return said
    if said.startswith("withheld"):
        return "withheld or not published"
    return "not published" if comparable else "not published for so small a place"


def _judge(frame: pd.DataFrame) -> None:
    """Fill ``stands_out`` and ``cannot_say`` from the three tests."""
    outside = (frame["shrunken_lower"] > frame["reference"]) | (
        frame["shrunken_upper"] < frame["reference"]
    )
    surviving = (
        outside
        & (frame["p_adjusted"] <= FALSE_DISCOVERY_RATE)
        & (frame["years_beyond"] >= YEARS_NEEDED)
    )
    reasons = [
        (~frame["compared"], "not compared"),
        (frame["value"].isna(), "no value"),
        (frame["p_value"].isna(), "no interval"),
        (frame["years_judged"] < YEARS_NEEDED, "too few years"),
    ]
    frame["cannot_say"] = np.select(
        [test for test, _ in reasons], [word for _, word in reasons], ""
    )
    frame["stands_out"] = np.where(
        frame["cannot_say"] != "", "cannot say", np.where(surviving, frame["side"], "no")
    )
