"""Page one: what this authority should know, in three sentences from its own data."""

from __future__ import annotations

import pandas as pd

from evidence.briefing.money import money_sentence
from evidence.briefing.needs import counted, lasting, phrase, told_in_turn
from evidence.facts import Sentence, enumerate_words, sentence
from evidence.places import NeedsProfile, SpendShares

_TOLD = 3


def summary_sentences(profile: NeedsProfile, spend: SpendShares) -> list[Sentence]:
    """What differs here and for how long, money, and what the figures cannot tell.

    Parameters
    ----------
    profile : NeedsProfile
        From :func:`evidence.places.needs_profiles`.
    spend : SpendShares
        From :func:`evidence.places.spend_shares` for the same authority.

    Returns
    -------
    list of Sentence
        Three, each one grammatical sentence. Values older than three years do not appear.
    """
    return [_differs(profile), money_sentence(spend), _cannot_tell(profile)]


def _recent(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[~rows["old"].astype(bool)]


def _differs(profile: NeedsProfile) -> Sentence:
    area, current = profile.area, _recent(profile.frame)
    total = counted(len(current), area.code, "needs with figures of the last three years")
    if not profile.comparable:
        known = int(current["value"].notna().sum())
        return sentence(
            "So few children live in {place} that no need is compared with England; recent "
            "figures are published for {count} of {total}.",
            place=area.in_text,
            total=counted(len(profile.frame), area.code, "needs looked at"),
            count=counted(known, area.code, "needs with a recent published value", noun=""),
        )  # fmt: skip
    halves: list[Sentence] = []
    for way in ("worse", "better"):
        rows = _recent(profile.standing_out(way))
        if rows.empty:
            continue
        count = counted(len(rows), area.code, f"recent needs that stand out as {way}",
                        noun="" if not halves else "need")  # fmt: skip
        halves.append(sentence(
            way + "{than} on {count}{of}, {years}{most} {list}",
            than="" if halves else " than in England as a whole",
            count=count,
            of="" if halves else sentence(" of {total} with recent figures", total=total),
            years=lasting(rows),
            most=":" if len(rows) <= _TOLD else ", above all",
            list=told_in_turn(rows.head(_TOLD), area),
        ))  # fmt: skip
    if not halves:
        return sentence(
            "On none of {total} do the figures for {place} differ from England's by more than "
            "chance would explain in at least two of the last three years.",
            total=total, place=area.in_text,
        )  # fmt: skip
    other = "better" if _recent(profile.standing_out("better")).empty else "worse"
    return sentence(
        "By more than chance would explain, children in {place} fared {first}; {second}.",
        place=area.in_text,
        first=halves[0],
        second=sentence("they fared {half}", half=halves[1]) if len(halves) == 2
        else f"on none did they fare {other}",
    )  # fmt: skip


def _cannot_tell(profile: NeedsProfile) -> Sentence:
    frame, code = profile.frame, profile.area.code
    absent = frame["value"].isna()
    said = []
    for rows, what in (
        (frame[absent], "missing"),
        (frame[frame["old"].astype(bool) & ~absent], "more than three years old"),
    ):
        if rows.empty:
            continue
        shown: list[object] = [phrase(row) for _, row in rows.head(_TOLD).iterrows()]
        if len(rows) > _TOLD:
            shown.append(counted(len(rows) - _TOLD, code, f"further needs whose figure is {what}",
                                 noun="other"))  # fmt: skip
        said.append(sentence(
            "{count} {verb} " + what + " ({list})",
            count=counted(len(rows), code, f"needs whose figure is {what}", noun=""),
            verb="is" if len(rows) == 1 else "are",
            list=enumerate_words(shown),
        ))  # fmt: skip
    return sentence(
        "The figures cannot say {why}which needs meet in the same child, or what would help{gaps}.",
        why=f"why {profile.area.in_text} differs, " if profile.comparable else "",
        gaps=sentence("; of the figures themselves, {said}", said=enumerate_words(said))
        if said
        else "",
    )
