"""What share of spending on children's services goes where, five years long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evidence.errors import DataError, Fault
from evidence.places.authority import Authority, authority
from evidence.places.needs import ENGLAND

if TYPE_CHECKING:
    from evidence.literature import Places

TOTAL = "s251_cyp_total_per_child"
# In the order in which they are shown, from care to what is open to all.
LINES = (
    "s251_children_looked_after_per_child",
    "s251_safeguarding_per_child",
    "s251_family_support_per_child",
    "s251_childrens_centres_per_child",
    "s251_youth_services_per_child",
    "s251_youth_justice_per_child",
)
YEARS = 5


@dataclass(frozen=True)
class SpendShares:
    """Spending of one authority by line and year.

    Attributes
    ----------
    area : Authority
        Whose spending it is.
    periods : tuple of str
        The newest five financial years, oldest first.
    frame : pandas.DataFrame
        One row per line (in the order of :data:`LINES`) and year: indicator_id, name, short_name,
        period, per_child and total_per_child (pounds per resident child, gross, cash of the
        year), share and england_share (percent of the total), england_per_child,
        england_total_per_child, zero (the authority reported nothing on this line, which can mean
        that it is booked elsewhere) and missing_reason (empty where there is a share).
    """

    area: Authority
    periods: tuple[str, ...]
    frame: pd.DataFrame

    @property
    def known_periods(self) -> tuple[str, ...]:
        """Years in which this authority's shares are known, oldest first."""
        known = set(self.frame.loc[self.frame["share"].notna(), "period"])
        return tuple(period for period in self.periods if period in known)


def spend_shares(places: Places, area_code: str) -> SpendShares:
    """Shares of gross spending on children's and young people's services.

    The share of a line is its spend per child over the total spend per child of the same return;
    the children cancel out. Nothing is adjusted for prices, because shares need it not.

    Parameters
    ----------
    places : Places
        The places data package.
    area_code : str
        GSS code, or the authority's name.

    Raises
    ------
    UsageError
        If there is no such authority.
    DataError
        If a line of spending is not among the indicators, or England has no figures.
    """
    area = authority(places, area_code)
    listed = places.indicators.set_index("indicator_id")
    lost = [name for name in (TOTAL, *LINES) if name not in listed.index]
    if lost:
        raise DataError(
            Fault("literature/places/indicators.csv", None, "indicator_id", "no-such-line",
                  f"the line of spending {name} is missing") for name in lost
        )  # fmt: skip
    rows = places.observations[
        places.observations["indicator_id"].isin([TOTAL, *LINES])
        & places.observations["area_code"].isin([area.code, ENGLAND])
    ]
    total = rows[(rows["indicator_id"] == TOTAL) & (rows["area_code"] == ENGLAND)]
    periods = tuple(total.sort_values("period_end")["period"].astype(str).iloc[-YEARS:])
    if not periods:
        raise DataError([Fault("literature/places/observations.csv", None, "indicator_id",
                               "no-total", f"{TOTAL} has no row for England")])  # fmt: skip
    wide = rows.pivot(index=["area_code", "indicator_id"], columns="period", values="value")
    index = pd.MultiIndex.from_product([[area.code, ENGLAND], [TOTAL, *LINES]])
    wide = wide.reindex(index=index, columns=list(periods)).astype(float)
    amounts = {
        (str(code), str(line)): values
        for (code, line), values in zip(wide.index, wide.to_numpy(), strict=True)
    }
    parts = []
    for line in LINES:
        own, all_own = amounts[area.code, line], amounts[area.code, TOTAL]
        england, all_england = amounts[ENGLAND, line], amounts[ENGLAND, TOTAL]
        share = 100 * own / all_own
        parts.append(pd.DataFrame({
            "indicator_id": line,
            "name": str(listed.at[line, "name"]),
            "short_name": str(listed.at[line, "short_name"]),
            "period": periods,
            "per_child": own,
            "total_per_child": all_own,
            "share": share,
            "england_per_child": england,
            "england_total_per_child": all_england,
            "england_share": 100 * england / all_england,
            "zero": own == 0,
            "missing_reason": np.where(
                np.isfinite(share), "",
                np.where(np.isnan(own), "no figure for this year", "no total for this year")),
        }))  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    return SpendShares(area, periods, frame)
