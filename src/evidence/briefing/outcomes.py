"""What was tested: for each question its trials, what they found, and how far that goes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from evidence.briefing.forest import DIRECTIONS, scale_for
from evidence.briefing.needs import cardinal
from evidence.briefing.wording import (
    DECIDERS,
    LEVEL,
    Scale,
    country_name,
    months,
    reading,
    result,
    short_result,
    study_name,
)
from evidence.effectsize import REASONS
from evidence.facts import (
    Fact,
    Name,
    Sentence,
    count_words,
    enumerate_words,
    join,
    number,
    sentence,
)
from evidence.tables import Block, Column, Heading, Table

if TYPE_CHECKING:
    from evidence.briefing.evidence import Evidence

_EFFECTS = "evidence.synthesis.estimates.construct_effects"
_SILENT = "evidence.synthesis.estimates.silent_trials"


def outcome_block(evidence: Evidence, construct_id: str, *, level: int = 3) -> Block:
    """Everything a briefing says of one construct with trials.

    Parameters
    ----------
    evidence : Evidence
        Trials and estimates.
    construct_id : str
        A construct with at least one trial that prints figures.
    level : int
        Level of its heading.

    Returns
    -------
    Block
        Heading, question, results in words, forest plot, table of trials, what bears on it.
    """
    construct = evidence.construct(construct_id)
    return Block(
        Heading(sentence("{label}", label=Name(str(construct["label"]))), level),
        sentence("*{question}*", question=Name(str(construct["question"]))),
        join(result_sentences(evidence, construct_id)),
        evidence.figure(construct_id),
        join(bearing_sentences(evidence, construct_id)),
        trials_table(evidence, construct_id),
        join([sureness(), who(construct)]),
    )


def result_sentences(evidence: Evidence, construct_id: str) -> list[Sentence]:
    """The results of a construct in the form that the number of its trials allows."""
    home = evidence.k(construct_id, "british_irish")
    everywhere = evidence.k(construct_id, "all")
    said = [_stratum(evidence, construct_id, "british_irish", home)]
    if everywhere > home:
        said.append(_stratum(evidence, construct_id, "all", everywhere))
    return said


def bearing_sentences(evidence: Evidence, construct_id: str) -> list[Sentence]:
    """What bears on the results: sensitivity, trials without figures, and people in a hundred."""
    home = evidence.k(construct_id, "british_irish")
    said = [
        _hundred(evidence, construct_id),
        *_sensitivity(evidence, construct_id, "british_irish" if home else "all"),
        *_unprinted(evidence, construct_id),
        *_also_unprinted(evidence, construct_id),
        *_other_arms(evidence, construct_id),
    ]
    return [each for each in said if each.text]


def _count(value: int, noun: str, construct_id: str, how: str, inputs: Sequence[str] = ()) -> Fact:
    return Fact(value, count_words(value, noun), noun + "s", "count", how,
                tuple(inputs) or (f"constructs:{construct_id}",))  # fmt: skip


def _stratum(evidence: Evidence, construct_id: str, stratum: str, k: int) -> Sentence:
    construct = evidence.construct(construct_id)
    scale = scale_for(evidence, construct_id)
    at_home = stratum == "british_irish"
    if k == 0:
        return sentence("No trial from Britain or Ireland in this database answers this question.")
    row = evidence.estimate(construct_id, stratum, "ladder")
    assert row is not None
    rows = evidence.chosen(construct_id)
    if at_home:
        rows = rows[rows["british_irish"]]
    inputs = (f"estimates:{row['estimate_id']}",)
    worthwhile = construct["smallest_worthwhile"]
    worthwhile = math.nan if pd.isna(worthwhile) else float(worthwhile)
    if row["form"] == "single":
        return _single(evidence, rows.iloc[0], row, scale, worthwhile, inputs, at_home)
    complete = bool(rows["n_children"].notna().all())
    where = "British and Irish trials" if at_home else "trials from all countries"
    trials = Fact(k, count_words(k, "trial").split()[0], "trials", "count", _EFFECTS, inputs)
    if row["form"] == "side-by-side":
        why = "so few are shown side by side and not averaged"
        if "not pooled" in str(row["warnings"]):
            why = "they are shown side by side and not averaged, because the spread of the measure "
            why += "is not known"
        each = [
            sentence("{trial}: {result}", trial=_named(evidence, one),
                     result=result(_as_estimate(one), scale, (f"effects:{one['effect_id']}",)))
            for _, one in rows.iterrows()
        ]  # fmt: skip
        start = sentence(
            "{count} {where} answer this; {why}. {each}.",
            count=_capital(trials),
            where=where,
            why=why,
            each=_listed(each),
        )
        return join([start, scale.direction])
    children = _children(row, inputs, complete)
    start = sentence(
        "Averaged over {count} {where}{children}, {result}.",
        count=trials,
        where=where,
        children=children,
        result=_averaged(row, scale, inputs),
    )
    parts = [
        *_clean_first(evidence, construct_id, stratum, row, scale),
        start,
        scale.direction,
        reading(row, scale, worthwhile),
    ]
    if row["form"] == "bayes":
        parts.append(sentence(
            "With so few trials, how much they differ from place to place is partly assumed."
        ))  # fmt: skip
    elif math.isfinite(row["pi_lower"]):
        parts.append(_prediction(row, scale, inputs))
    return join(parts)


def _clean_first(
    evidence: Evidence, construct_id: str, stratum: str, row: pd.Series[Any], scale: Scale
) -> list[Sentence]:
    """The average without flagged rows, to stand first where one of them dominates the whole."""
    if "flagged row dominates" not in str(row["warnings"]):
        return []
    said = sentence(
        "One result that carries a warning holds more than half of the weight of the average below."
    )
    clean = evidence.estimate(construct_id, stratum, "without_flagged")
    if clean is None or clean["form"] not in ("bayes", "reml", "single"):
        return [said, sentence("Without such results too few are left to average.")]
    found = short_result(clean, scale, (f"estimates:{clean['estimate_id']}",))
    return [said, sentence("Without such results it is {result}.", result=found)]


def _listed(parts: Sequence[Sentence]) -> Sentence:
    """Parts that hold commas, one after the other with semicolons."""
    text = "; ".join(part.text for part in parts)
    return Sentence(text, tuple(fact for part in parts for fact in part.facts))


def _averaged(row: pd.Series[Any], scale: Scale, inputs: tuple[str, ...]) -> Sentence:
    text = result(row, scale, inputs)
    return sentence("the programmes came with {result}", result=text)


def _capital(fact: Fact) -> Fact:
    return Fact(fact.value, fact.text[0].upper() + fact.text[1:], fact.unit, fact.kind, fact.how,
                fact.inputs)  # fmt: skip


def _as_estimate(row: pd.Series[Any]) -> pd.Series[Any]:
    """A trial's own effect with the names that an estimate has."""
    return pd.Series({
        "estimate": row["yi"], "ci_lower": row["lower"], "ci_upper": row["upper"],
    })  # fmt: skip


def _named(evidence: Evidence, row: pd.Series[Any]) -> Sentence:
    """A trial by first author, year and country; the sources at the end cite it."""
    study = evidence.study(row["study_id"])
    return sentence(
        "{name} ({country})", name=Name(study_name(study)), country=country_name(study["country"])
    )


def _single(
    evidence: Evidence, trial: pd.Series[Any], row: pd.Series[Any], scale: Scale,
    worthwhile: float, inputs: tuple[str, ...], at_home: bool,
) -> Sentence:  # fmt: skip
    where = "from Britain or Ireland " if at_home else ""
    return join([
        sentence(
            "One trial {where}answers this: {trial} tested {programme}{children}{followed} and "
            "found {result}.",
            where=where, trial=_named(evidence, trial),
            programme=Name(evidence.programme(trial["study_id"])),
            children=_children(row, inputs), followed=_followed(trial),
            result=result(row, scale, inputs),
        ),
        sentence("What it measured: {outcome}.", outcome=Name(str(trial["outcome_measure"]))),
        scale.direction,
        _level(trial),
        _widened(trial),
        reading(row, scale, worthwhile),
        sentence("A single trial says what happened there, not what to expect here."),
    ])  # fmt: skip


def _level(trial: pd.Series[Any]) -> Sentence:
    """The level of the trial's own interval where it is another."""
    level = trial["ci_level"]
    if pd.isna(level) or float(level) == LEVEL:
        return Sentence("")
    own = Fact(float(level), number(level, 1), "percent", "observation", _EFFECTS,
               (f"effects:{trial['effect_id']}",))  # fmt: skip
    return sentence(
        "Its report gives a {level}% interval, which is {way}.",
        level=own, way="wider" if float(level) > LEVEL else "narrower",
    )  # fmt: skip


def _widened(trial: pd.Series[Any]) -> Sentence:
    """That the interval is not the printed one, where clustering widened it."""
    if not float(trial["design_effect"]) > 1:
        return Sentence("")
    return sentence(
        "The interval is made wider than the report's own figures give, because people came in "
        "whole groups, such as schools or practices, and the report does not say that it allowed "
        "for this."
    )


AT_ONCE: Mapping[str, str] = {
    "baseline": "at the start",
    "randomisation": "at the start",
    "end-of-programme": "at the end of the programme",
    "birth": "at birth",
}
"""When a follow-up of zero months is."""


def _followed(trial: pd.Series[Any]) -> Sentence:
    value = trial["follow_up_months"]
    if pd.isna(value):
        return Sentence("")
    if float(value) == 0:
        when = AT_ONCE.get(str(trial["follow_up_anchor"]), "")
        return sentence(", measured {when},", when=when) if when else Sentence("")
    time = Fact(float(value), months(float(value)), "months", "observation", _EFFECTS,
                (f"effects:{trial['effect_id']}",))  # fmt: skip
    anchors = {
        "baseline": " from the start", "randomisation": " from the start",
        "end-of-programme": " after the end of the programme", "birth": " after birth",
    }  # fmt: skip
    anchor = anchors.get(str(trial["follow_up_anchor"]), "")
    return sentence(", followed for {time}{anchor},", time=time, anchor=anchor)


def _children(row: pd.Series[Any], inputs: tuple[str, ...], complete: bool = True) -> Sentence:
    """How many took part; a sum over trials of which some do not say is a least number."""
    if pd.isna(row["n_children"]):
        return Sentence("")
    value = round(float(row["n_children"]))
    fact = Fact(value, number(value), "people", "count", _EFFECTS, inputs)
    if complete:
        return sentence(" with {n} participants", n=fact)
    return sentence(" with at least {n} participants (not every trial says how many)", n=fact)


def _prediction(row: pd.Series[Any], scale: Scale, inputs: tuple[str, ...]) -> Sentence:
    from evidence.briefing.wording import figure_text

    low, high = sorted((scale.shown(row["pi_lower"]), scale.shown(row["pi_upper"])))
    facts = [
        Fact(value, figure_text(value, scale), scale.axis, "estimate",
             "evidence.synthesis.ladder.climb", inputs, note=f"{which} limit of prediction")
        for which, value in (("lower", low), ("upper", high))
    ]  # fmt: skip
    start = (
        "Trials differ: in a new place" if row["tau2"] > 0
        else "The trials differ no more than chance would make them, but so few can hide more: "
        "in a new place"
    )  # fmt: skip
    return sentence(
        start + " the true effect would be expected, in nineteen cases of "
        "twenty, between {low} and {high} on the same scale.",
        low=facts[0], high=facts[1],
    )  # fmt: skip


def _sensitivity(evidence: Evidence, construct_id: str, stratum: str) -> list[Sentence]:
    base = evidence.estimate(construct_id, stratum, "ladder")
    if base is None or base["form"] not in ("bayes", "reml"):
        return []
    scale = scale_for(evidence, construct_id)
    said = []
    for model, start in (
        ("without_flagged", "Without results that carry a warning"),
        ("unprinted_at_zero", "With trials that printed no figures entered as no difference"),
        ("not_significant_only",
         "From only those results that were not clearly in the programme's favour"),
    ):  # fmt: skip
        row = evidence.estimate(construct_id, stratum, model)
        if row is None:
            continue
        if row["form"] in ("bayes", "reml", "single"):
            inputs = (f"estimates:{row['estimate_id']}",)
            few = " (one trial)" if row["form"] == "single" else ""
            said.append(sentence(
                start + "{few} it is {result}.", few=few,
                result=short_result(row, scale, inputs),
            ))  # fmt: skip
        else:
            few_left = start.replace("From only those", "Of those")
            said.append(sentence(few_left + " too few are left to average."))
    said.append(sentence(
        "Trials that found something are more likely to print figures, so the average is probably "
        "too favourable."
    ))  # fmt: skip
    return said


def _unprinted(evidence: Evidence, construct_id: str) -> list[Sentence]:
    rows = evidence.unheard(construct_id)
    rows = rows[rows["told"] != "unusable"]
    if rows.empty:
        return []
    count = Fact(len(rows), count_words(len(rows), "further trial"), "trials", "count", _SILENT,
                 tuple(rows["source"]))  # fmt: skip
    told = rows["told"].value_counts().reindex(list(_TOLD)).dropna()
    if len(told) == 1:
        return [sentence(
            "{count} measured this and printed no figures, reporting {detail}.",
            count=_capital(count), detail=_TOLD[str(told.index[0])],
        )]  # fmt: skip
    parts = [
        sentence("{k} {verb} {what}", what=_TOLD[str(direction)],
                 verb="reports" if k == 1 else "report",
                 k=Fact(int(k), cardinal(int(k)), "trials", "count", _SILENT,
                        count.inputs, note=str(direction)))
        for direction, k in told.items()
    ]  # fmt: skip
    return [sentence(
        "{count} measured this and printed no figures: {parts}.",
        count=_capital(count), parts=enumerate_words(parts),
    )]  # fmt: skip


_TOLD = {
    "no-difference": "no difference",
    "favours-control": "that the programme did worse",
    "favours-intervention": "that the programme did better",
    "not-stated": "nothing of the direction",
}


def _also_unprinted(evidence: Evidence, construct_id: str) -> list[Sentence]:
    """What the trials with figures measured besides without printing it.

    A trial that prints one group, arm or occasion and tells another in words speaks with the one
    that it printed: the reader must know of the other.
    """
    chosen = set(evidence.chosen(construct_id)["study_id"])
    rows = evidence.trials.unprinted
    rows = rows[(rows["construct_id"] == construct_id) & rows["study_id"].isin(chosen)]
    said = []
    for _, row in rows.sort_values("unprinted_id").iterrows():
        when = row["follow_up_months"]
        time = Sentence("")
        if not (pd.isna(when) or "month" in str(row["outcome_measure"])):
            time = sentence(", {time}", time=Fact(
                float(when), months(float(when)), "months", "observation", _SILENT,
                (f"unprinted:{row['unprinted_id']}",),
            ))  # fmt: skip
        said.append(sentence(
            "{trial} printed no figures for another result ({outcome}{time}), reporting {told}.",
            trial=Name(study_name(evidence.study(row["study_id"]))), time=time,
            outcome=Name(str(row["outcome_measure"])), told=_TOLD[str(row["stated_direction"])],
        ))  # fmt: skip
    return said


def _other_arms(evidence: Evidence, construct_id: str) -> list[Sentence]:
    """What other arms found against the comparison group of a trial that is shown."""
    scale = scale_for(evidence, construct_id)
    chosen = evidence.chosen(construct_id)
    effects = evidence.effects
    rows = effects[
        (effects["construct_id"] == construct_id)
        & (effects["unusable"] == "")
        & effects["cluster"].isin(chosen["cluster"])
        & ~effects["study_id"].isin(chosen["study_id"])
    ]
    return [
        sentence(
            "Another arm of a trial above, {programme}, came with {result} ({trial}); the two "
            "share one comparison group, so only one of them counts in the results above.",
            programme=Name(evidence.programme(row["study_id"])), trial=_named(evidence, row),
            result=result(_as_estimate(row), scale, (f"effects:{row['effect_id']}",)),
        )
        for _, row in rows.sort_values("effect_id").drop_duplicates("study_id").iterrows()
    ]  # fmt: skip


def _hundred(evidence: Evidence, construct_id: str) -> Sentence:
    """A ratio as people out of a hundred, at the risk of the trials' own comparison groups."""
    scale = scale_for(evidence, construct_id)
    # Decisions about a child's safety are never told as children more or fewer.
    if scale.statutory or scale.metric not in ("log_or", "log_rr"):
        return Sentence("")
    stratum = "british_irish" if evidence.k(construct_id, "british_irish") else "all"
    row = evidence.estimate(construct_id, stratum, "ladder")
    if row is None or row["form"] in ("none", "side-by-side"):
        return Sentence("")
    rows = evidence.chosen(construct_id)
    if stratum == "british_irish":
        rows = rows[rows["british_irish"]]
    counted = rows[rows["events_c"].notna() & rows["total_c"].notna()]
    if counted.empty:
        return Sentence("")
    risk = float(counted["events_c"].astype(float).sum() / counted["total_c"].astype(float).sum())
    inputs = tuple(f"effects:{name}" for name in counted["effect_id"])

    def with_programme(value: float) -> float:
        ratio = scale.shown(value)
        if scale.metric == "log_rr":
            return min(1.0, risk * ratio)
        odds = ratio * risk / (1 - risk)
        return odds / (1 + odds)

    low, high = sorted((with_programme(row["ci_lower"]), with_programme(row["ci_upper"])))
    own = (f"estimates:{row['estimate_id']}", *inputs)
    digits = 0 if min(risk, low) >= 0.1 else 1

    def fact(value: float, note: str, source: tuple[str, ...]) -> Fact:
        return Fact(100 * value, number(100 * value, digits), "per hundred", "calculation",
                    "evidence.briefing.outcomes.outcome_block", source, note=note)  # fmt: skip

    return sentence(
        "In words: of a hundred people like those in the comparison groups of the trials, {base} "
        "had the outcome ({outcome}); with the programme it would be {with_it} ({low} to {high}).",
        outcome=Name(str(evidence.construct(construct_id)["outcome"])),
        base=fact(risk, "risk in the comparison groups", inputs),
        with_it=fact(with_programme(row["estimate"]), "risk with the programme", own),
        low=fact(low, "lower limit", own), high=fact(high, "upper limit", own),
    )  # fmt: skip


def sureness() -> Sentence:
    """How sure: nobody has appraised these trials yet."""
    return sentence(
        "How sure: not rated, because no trial has been appraised for risk of bias yet."
    )


def who(construct: pd.Series[Any]) -> Sentence:
    """Who decides on such programmes and who pays."""

    def words(column: str) -> Sentence:
        names = [] if pd.isna(construct[column]) else str(construct[column]).split(";")
        return enumerate_words([DECIDERS.get(name.strip(), name.strip()) for name in names])

    decides, pays = words("decides"), words("pays")
    if not decides.text or not pays.text:
        return Sentence("")
    if decides.text == pays.text:
        return sentence("{who} decide on it and pay for it.", who=_first_upper(decides))
    return sentence("Who decides: {decides}; who pays: {pays}.", decides=decides, pays=pays)


def _first_upper(text: Sentence) -> Sentence:
    return Sentence(text.text[0].upper() + text.text[1:], text.facts)


WARNINGS: Mapping[str, str] = {
    "clustering-not-stated": "clustering not stated",
    "clustering-not-accounted": "clustering not allowed for",
    "cluster-size-assumed": "cluster size assumed",
    "quasi-experiment": "not randomised",
    "part-of-trial": "part of the trial's people only",
    "variance-from-n": "precision from group sizes alone",
    "variance-from-randomised-n": "precision from numbers randomised",
    "variance-from-p-bound": "precision from a bound on p",
    "interval-off-centre": "effect far from the middle of its interval",
    "second-hand": "second-hand figure",
    "selective-source": "source prints mainly clear results",
    "implausible": "implausibly large",
    "sd-may-be-se": "spread may be a standard error",
    "raw-and-reported-disagree": "raw and reported figures disagree",
}
"""The flags of effect sizes as a table has room for them."""


def flag_words(flags: object) -> str:
    """Flags of a row in a few words each."""
    codes = [code for code in str(flags).split(";") if code]
    return "; ".join(WARNINGS[code] for code in codes) if codes else "nothing noted"


def _people(value: Any, how: str, inputs: tuple[str, ...]) -> Fact | str:
    if pd.isna(value):
        return "not stated"
    return Fact(float(value), number(value), "people", "count", how, inputs)


def _time(value: Any, anchor: object, how: str, inputs: tuple[str, ...]) -> Fact | str:
    if pd.isna(value):
        return "not stated"
    if float(value) == 0:
        return AT_ONCE.get(str(anchor), "not stated")
    return Fact(float(value), months(float(value)), "months", "observation", how, inputs)


def _why(evidence: Evidence, row: pd.Series[Any]) -> str:
    """Why a trial has no figure that can be used."""
    if not row["reason"]:
        return "figures not printed"
    excluded = evidence.trials.excluded.set_index("key")["reason"]
    key = str(row["source"]).removeprefix("effects:")
    # What was struck out by hand has a reason of its own.
    if row["reason"] == "excluded" and key in excluded.index:
        return str(excluded[key])
    return REASONS[str(row["reason"])]


def trials_table(evidence: Evidence, construct_id: str) -> Table:
    """The trials of a construct, one row each, those without figures last."""
    construct = evidence.construct(construct_id)
    scale = scale_for(evidence, construct_id)
    rows: list[list[Any]] = []
    for _, row in evidence.chosen(construct_id).iterrows():
        study = evidence.study(row["study_id"])
        inputs = (f"effects:{row['effect_id']}",)
        n, time = row["n_children"], row["follow_up_months"]
        rows.append([
            Name(f"{study_name(study)}, {country_name(study['country'])}"),
            Name(evidence.programme(row["study_id"])),
            _people(n, _EFFECTS, inputs), _time(time, row["follow_up_anchor"], _EFFECTS, inputs),
            short_result(_as_estimate(row), scale, inputs),
            flag_words(row["flags"]),
        ])  # fmt: skip
    for _, row in evidence.unheard(construct_id).iterrows():
        study = evidence.study(row["study_id"])
        n, inputs = row["n_total"], (str(row["source"]),)
        time = row["follow_up_months"]
        rows.append([
            Name(f"{study_name(study)}, {country_name(study['country'])}"),
            Name(evidence.programme(row["study_id"])),
            _people(n, _SILENT, inputs), _time(time, "", _SILENT, inputs),
            DIRECTIONS[str(row["told"])],
            _why(evidence, row),
        ])  # fmt: skip
    return Table(
        [
            Column("Trial", width=20), Column("Programme", width=20),
            Column("People", "end", 10), Column("Followed for", "end", 10),
            Column(f"{scale.axis[0].upper()}{scale.axis[1:]} (interval)", width=20),
            Column("To bear in mind", width=20),
        ],
        rows,
        sentence("Trials: {label}.", label=Name(str(construct["label"]))),
        "tbl-" + construct_id.replace("_", "-").lower(),
    )  # fmt: skip
