"""What the briefing says about money: shares of spending, the figure and the table behind it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evidence.facts import Fact, Name, Sentence, enumerate_words, number, sentence
from evidence.places.needs import ENGLAND
from evidence.places.spend import LINES, TOTAL, SpendShares
from evidence.plots.figure import Figure
from evidence.tables import Column, Table

if TYPE_CHECKING:
    from evidence.tables import Cell

_FORMED = re.compile(r"Formed in \w+ (\d{4}) ")
_SHARES = "evidence.places.spend_shares"
_UNIT = "percent of gross spending on children's services"

CARE = "s251_children_looked_after_per_child"
# Lines of help that children and families use without being in care, on a plan or in court.
EARLIER = (
    "s251_family_support_per_child",
    "s251_childrens_centres_per_child",
    "s251_youth_services_per_child",
)
PHRASES = {
    "s251_children_looked_after_per_child": "looked-after children",
    "s251_safeguarding_per_child": "safeguarding",
    "s251_family_support_per_child": "family support",
    "s251_childrens_centres_per_child": "children's centres and early years",
    "s251_youth_services_per_child": "youth services",
    "s251_youth_justice_per_child": "youth justice",
}
# Those of them that stand open to many, with or without a need.
OPEN = ("s251_childrens_centres_per_child", "s251_youth_services_per_child")
EARLIER_WORDS = "family support, children's centres, early years and youth services"
OPEN_WORDS = "children's centres, early years and youth services"


class Shares:
    """One authority's shares of spending by line and year, as facts.

    Parameters
    ----------
    spend : SpendShares
        From :func:`evidence.places.spend_shares`.
    """

    def __init__(self, spend: SpendShares) -> None:
        self.spend, self.area = spend, spend.area
        keys = zip(spend.frame["indicator_id"], spend.frame["period"], strict=True)
        self.rows: dict[tuple[str, str], dict[str, Any]] = dict(
            zip(keys, spend.frame.to_dict("records"), strict=True)  # type: ignore[arg-type]
        )
        self.known = spend.known_periods

    def value(self, lines: Sequence[str], period: str, *, england: bool = False) -> float:
        """Share of these lines together in percent; NaN if one of them is not known."""
        return self._sum("england_share" if england else "share", lines, period)

    def _sum(self, column: str, lines: Sequence[str], period: str) -> float:
        return math.fsum(float(self.rows[line, period][column]) for line in lines)

    def fact(self, lines: Sequence[str], period: str, *, england: bool = False) -> Fact:
        """That share as a fact."""
        value = self.value(lines, period, england=england)
        inputs = self._inputs((*lines, TOTAL), period, england)
        return Fact(value, percent(value), _UNIT, "calculation", _SHARES, inputs)

    def pounds(self, lines: Sequence[str], period: str, *, england: bool = False) -> Fact:
        """Spend per resident child on these lines together, or on everything, as a fact."""
        prefix = "england_" if england else ""
        value = (
            self._sum(f"{prefix}total_per_child", LINES[:1], period) if tuple(lines) == (TOTAL,)
            else self._sum(f"{prefix}per_child", lines, period)
        )  # fmt: skip
        return Fact(
            value, f"£{number(value)}", "pounds per resident child, gross, cash of the year",
            "observation" if len(lines) == 1 else "calculation", _SHARES,
            self._inputs(lines, period, england),
        )  # fmt: skip

    def _inputs(self, lines: Sequence[str], period: str, england: bool) -> tuple[str, ...]:
        code = ENGLAND if england else self.area.code
        return tuple(f"observations:{code}/{line}/{period}" for line in lines)

    def zeros(self, period: str) -> list[str]:
        """Lines on which nothing is reported in a year."""
        return [line for line in LINES if self.rows[line, period]["zero"]]

    def whole(self, periods: Sequence[str]) -> list[str]:
        """Those of the years in which care and earlier help are known."""
        return [p for p in periods if math.isfinite(self.value((CARE, *EARLIER), p))]


def percent(value: float) -> str:
    """A share as it is printed; what is there but hardly so is not printed as nothing.

    Parameters
    ----------
    value : float
        Percent, not negative.
    """
    return "under 0.1%" if 0 < value < 0.05 else f"{number(value, 1)}%"


def money_sentence(spend: SpendShares) -> Sentence:
    """Where the money goes, in one sentence for the first page.

    Parameters
    ----------
    spend : SpendShares
        From :func:`evidence.places.spend_shares`.

    Returns
    -------
    Sentence
        Shares on looked-after children and on earlier help in the newest year that is known,
        with England's and with those five years before. A place that is not compared has its
        own shares only.
    """
    shares, area = Shares(spend), spend.area
    years = shares.whole(shares.known)
    if not years:
        return sentence(
            "How the spending on children's services in {place} divides is not known for any of "
            "the last five years.", place=area.in_text,
        )  # fmt: skip
    first, last = years[0], years[-1]
    compared = area.comparable
    template = (
        "In {last}{late}, {care} of gross spending on children's services in {place} went on "
        "looked-after children{care_england} and {early} on {services} together{early_england}"
    )
    parts: dict[str, object] = {
        "last": Name(last),
        "late": "" if last == spend.periods[-1] else ", the newest year with figures",
        "care": shares.fact((CARE,), last),
        "early": shares.fact(EARLIER, last),
        "place": area.in_text,
        "services": EARLIER_WORDS,
        "care_england": _england(shares, (CARE,), last) if compared else "",
        "early_england": _england(shares, EARLIER, last) if compared else "",
    }
    if first != last:
        template += "; in {first} the shares were {care_before} and {early_before}"
        parts |= {
            "first": Name(first),
            "care_before": shares.fact((CARE,), first),
            "early_before": shares.fact(EARLIER, first),
        }
    nothing = [line for line in shares.zeros(last) if line in (CARE, *EARLIER)]
    if nothing:
        template += "; nothing is reported on {nothing} in {last}"
        parts["nothing"] = _names(nothing)
    return sentence(template + ".", **parts)


def _england(shares: Shares, lines: Sequence[str], period: str) -> Sentence:
    return sentence(" (England {value})", value=shares.fact(lines, period, england=True))


def _names(lines: Sequence[str]) -> Sentence:
    return enumerate_words([PHRASES[line] for line in lines])


def money_sentences(spend: SpendShares) -> list[Sentence]:
    """What the figure of spending shows, in words.

    Parameters
    ----------
    spend : SpendShares
        From :func:`evidence.places.spend_shares`.

    Returns
    -------
    list of Sentence
        The newest year, what grew and what shrank over the years, years and lines without
        figures, and how to read a share.
    """
    shares, area = Shares(spend), spend.area
    if not shares.known:
        return [sentence(
            "How the spending on children's services in {place} divides is not known for any of "
            "the last five years.", place=area.in_text,
        )]  # fmt: skip
    said = [_newest(shares)]
    if not area.comparable:
        said.append(sentence(
            "So few children live in {place} that these shares are not set against England's: one "
            "placement can move them.", place=area.in_text,
        ))  # fmt: skip
    said += _moved(shares)
    said += _gaps(shares)
    said.append(sentence(
        "A share rises and falls with everything else the money is spent on: a smaller share need "
        "not be less money, and none of these shares is good or bad in itself."
    ))  # fmt: skip
    return said


def _newest(shares: Shares) -> Sentence:
    area, period = shares.area, shares.known[-1]
    lines = [line for line in LINES if shares.value((line,), period) > 0]
    listed = [
        sentence(
            "{share} on {line}{england}",
            share=shares.fact((line,), period), line=PHRASES[line],
            england=_england(shares, (line,), period) if area.comparable else "",
        )
        for line in lines
    ]  # fmt: skip
    against = (
        sentence(" (England {all})", all=shares.pounds((TOTAL,), period, england=True))
        if area.comparable else ""
    )  # fmt: skip
    return sentence(
        "In {period}{late}, gross spending on children's services in {place} came to {pounds} for "
        "each child who lives there{against}: {list}.",
        period=Name(period),
        late="" if period == shares.spend.periods[-1] else ", the newest year with figures",
        place=area.in_text,
        pounds=shares.pounds((TOTAL,), period),
        against=against,
        list=enumerate_words(listed),
    )


def _moved(shares: Shares) -> list[Sentence]:
    """The share that grew most and the one that fell most between the outer years."""
    if len(shares.known) < 2:
        return []
    first, last = shares.known[0], shares.known[-1]
    change = {
        line: shares.value((line,), last) - shares.value((line,), first)
        for line in LINES
        # Where nothing is reported in one of the years, the money may only have changed its line.
        if not any(shares.rows[line, year]["zero"] for year in (first, last))
    }
    change = {line: step for line, step in change.items() if math.isfinite(step)}
    if not change:
        return []
    grown, shrunk = max(change, key=change.__getitem__), min(change, key=change.__getitem__)
    told = []
    for line, verb, real in (
        (grown, "grew", change[grown] > 0), (shrunk, "fell", change[shrunk] < 0)
    ):  # fmt: skip
        if real and percent(shares.value((line,), first)) != percent(shares.value((line,), last)):
            told.append(sentence(
                "the share of {line} " + verb + " most, from {before} to {now}{england}",
                line=PHRASES[line],
                before=shares.fact((line,), first), now=shares.fact((line,), last),
                england=sentence(
                    " (England from {before} to {now})",
                    before=shares.fact((line,), first, england=True),
                    now=shares.fact((line,), last, england=True),
                ) if shares.area.comparable else "",
            ))  # fmt: skip
    if not told:
        return []
    return [sentence(
        "Between {first} and {last} " + ("{one}, and {other}." if len(told) > 1 else "{one}."),
        first=Name(first), last=Name(last), **dict(zip(("one", "other"), told, strict=False)),
    )]  # fmt: skip


def _gaps(shares: Shares) -> list[Sentence]:
    """Years without a return, lines without a figure, and lines on which nothing is reported."""
    area, spend, said = shares.area, shares.spend, []
    absent = [period for period in spend.periods if period not in shares.known]
    formed = _FORMED.match(area.note)
    before = [p for p in absent if formed and int(p[:4]) < int(formed[1])]
    after = [p for p in absent if p not in before]
    if before:
        said.append(sentence(
            "There are no shares for {years}: the authority was {formed}.",
            years=_years(before),
            formed=Name(area.note[0].lower() + area.note[1:].rstrip(".")),
        ))  # fmt: skip
    if after:
        said.append(sentence(
            "No shares can be given for {years}: the authority's figures are not in the published "
            "return.", years=_years(after),
        ))  # fmt: skip
    nothing = []
    for line in LINES:
        zero = [p for p in shares.known if shares.rows[line, p]["zero"]]
        unknown = [p for p in shares.known if not math.isfinite(shares.value((line,), p))]
        if unknown:
            said.append(sentence("The share of {line} is not known for {years}.",
                                 line=PHRASES[line], years=_years(unknown)))  # fmt: skip
        if zero:
            nothing.append(sentence("on {line} in {years}", line=PHRASES[line], years=_years(zero)))
    if nothing:
        said.append(sentence(
            "Nothing is reported {lines}, which can mean that the money is booked on another line "
            "or by a partner.", lines=_listed(nothing),
        ))  # fmt: skip
    return said


def _listed(parts: Sequence[Sentence]) -> Sentence:
    """A list whose parts are lists themselves: a semicolon keeps them apart."""
    text = "; ".join(part.text for part in parts)
    return Sentence(text, tuple(fact for part in parts for fact in part.facts))


def _years(periods: Sequence[str]) -> Sentence:
    return enumerate_words(map(Name, periods))


def money_figure(spend: SpendShares, *, columns: int = 3) -> Figure | None:
    """The small charts of :func:`evidence.plots.spend.spend_figure` for one authority.

    Parameters
    ----------
    spend : SpendShares
        From :func:`evidence.places.spend_shares`.
    columns : {2, 3}
        Charts side by side.

    Returns
    -------
    Figure or None
        ``fig-money``; None where no share is known. A place that is not compared stands alone.
    """
    if not spend.known_periods:
        return None
    from evidence.plots.spend import spend_figure

    rows = spend.frame.rename(columns={"indicator_id": "key", "short_name": "label"})
    rows = rows[["key", "label", "period", "share", "england_share"]].copy()
    if not spend.area.comparable:
        rows["england_share"] = math.nan
    drawing = spend_figure(rows, place=spend.area.short_name, columns=columns)
    against = ", beside England" if spend.area.comparable else ""
    caption = sentence(
        "Where the money for children's services goes in {place}" + against + ": percent of gross "
        "spending, by line and financial year. Every chart has its own scale, from nothing up.",
        place=spend.area.in_text,
    )
    return Figure.from_matplotlib(drawing, alt=_alt(spend), caption=caption, label="fig-money")


def _alt(spend: SpendShares) -> str:
    """What the figure shows, for readers who do not see it."""
    shares = Shares(spend)
    first, last = shares.known[0], shares.known[-1]
    parts = []
    for line in LINES:

        def course(england: bool, line: str = line) -> str:
            ends = [shares.value((line,), year, england=england)
                    for year in dict.fromkeys((first, last))]  # fmt: skip
            return " to ".join(percent(end) if math.isfinite(end) else "not known" for end in ends)

        beside = f" (England {course(True)})" if spend.area.comparable else ""
        parts.append(f"{PHRASES[line]} {course(False)}{beside}")
    years = f"in {last}" if first == last else f"from {first} to {last}"
    return (
        f"Share of gross spending on children's services in {spend.area.in_text} {years}: "
        f"{'; '.join(parts)}."
    )


def money_table(spend: SpendShares) -> Table:
    """Everything behind the figure, one row per line of spending.

    Parameters
    ----------
    spend : SpendShares
        From :func:`evidence.places.spend_shares`.

    Returns
    -------
    Table
        ``tbl-money``: the authority's shares year by year, and England's in the outer years where
        the authority is compared.
    """
    shares, area = Shares(spend), spend.area
    outer = list(dict.fromkeys((spend.periods[0], spend.periods[-1]))) if area.comparable else []
    columns = [Column("Line"), *(Column(period, "end") for period in spend.periods)]
    columns += [Column(f"England {period}", "end") for period in outer]
    rows: list[Sequence[Cell]] = []
    for line in LINES:
        cells: list[Cell] = [_share_cell(shares, line, period) for period in spend.periods]
        cells += [shares.fact((line,), period, england=True) for period in outer]
        rows.append([str(shares.rows[line, spend.periods[0]]["short_name"]), *cells])
    return Table(
        columns,
        rows,
        sentence(
            "Shares of gross spending on children's services in {place}, in percent.",
            place=area.in_text,
        ),
        "tbl-money",
        sentence(
            "Source: Department for Education, section {section} outturn. Family support includes "
            "short breaks and other help for disabled children; safeguarding is mostly social "
            "work. The lines leave out some smaller spending, so they need not add up to the "
            "whole. Sums in the text are of unrounded shares. Authorities do not all book the same "
            "service on the same line.",
            section=Name("251"),
        ),
    )


def _share_cell(shares: Shares, line: str, period: str) -> Fact | str:
    """One cell: the share, that nothing is reported, or that there is no figure."""
    if not math.isfinite(shares.value((line,), period)):
        return "no figure"
    fact = shares.fact((line,), period)
    return fact if fact.value else replace(fact, text="nothing reported")
