"""From this place's needs to what trials tested for them: needs without trials stay in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evidence.briefing.forest import scale_for
from evidence.briefing.needs import cardinal
from evidence.briefing.outcomes import short_result
from evidence.briefing.wording import COMPARATORS
from evidence.facts import Fact, Name, Raw, Sentence, count_words, enumerate_words, sentence
from evidence.tables import Block, Column, Fold, Heading, Table

if TYPE_CHECKING:
    from evidence.briefing.evidence import Evidence
    from evidence.places import NeedsProfile

_HOW = "evidence.synthesis.estimates.estimates"
_SIGNS = (
    "Ratios and percentage points run as the outcome itself does: a ratio below one means less of "
    "what is named. Differences in scores, weights or minutes favour the programme above zero."
)
_ORDER = {"worse": 0, "no": 1, "cannot say": 2, "better": 3}


def _ordered(profile: NeedsProfile) -> list[str]:
    """Needs as this briefing takes them up: those that stand out as worse come first."""
    worse = [str(name) for name in profile.standing_out("worse")["indicator_id"]]
    return worse + [
        str(row["indicator_id"])
        for _, row in sorted(
            profile.frame.iterrows(),
            key=lambda item: (_ORDER.get(str(item[1]["stands_out"]), 2), item[1]["need_order"]),
        )
        if row["indicator_id"] not in worse
    ]  # fmt: skip


def constructs_for(profile: NeedsProfile, evidence: Evidence) -> tuple[list[str], list[str]]:
    """Constructs with trials that speak to this place's needs.

    Parameters
    ----------
    profile : NeedsProfile
        The needs of the place.
    evidence : Evidence
        Trials, estimates and the bridge.

    Returns
    -------
    first, others : list of str
        Those that speak to a need that stands out as worse, and the rest; each once.
    """
    worse = set(profile.standing_out("worse")["indicator_id"])
    first: dict[str, None] = {}
    others: dict[str, None] = {}
    for need in _ordered(profile):
        for construct in evidence.linked(need):
            (first if need in worse else others)[construct] = None
    return list(first), [name for name in others if name not in first]


def coverage(profile: NeedsProfile, evidence: Evidence) -> dict[str, int]:
    """How far the database reaches the needs that stand out as worse.

    Returns
    -------
    dict
        ``worse`` (needs that stand out), ``with_trials``, ``same_outcome`` (trials that measured
        what the indicator counts, not something that may lead to it), ``with_home_trials`` (from
        Britain or Ireland) and ``without_trials`` among them.
    """
    worse = [str(name) for name in profile.standing_out("worse")["indicator_id"]]
    linked = {need: evidence.linked(need) for need in worse}
    home = [need for need, names in linked.items()
            if any(evidence.k(name, "british_irish") for name in names)]  # fmt: skip
    some = [need for need, names in linked.items() if names]
    same = evidence.bridge[evidence.bridge["link"] == "same-outcome"]
    direct = set(same[["indicator_id", "construct_id"]].itertuples(index=False, name=None))
    near = [need for need, names in linked.items() if any((need, n) in direct for n in names)]
    return {
        "worse": len(worse), "with_trials": len(some), "with_home_trials": len(home),
        "same_outcome": len(near), "without_trials": len(worse) - len(some),
    }  # fmt: skip


def tested_sentences(profile: NeedsProfile, evidence: Evidence) -> list[Sentence]:
    """What the database holds for this place's needs, before the details."""
    counts = coverage(profile, evidence)
    code = profile.area.code
    inputs = (f"needs:{code}",)
    said = []
    if not profile.comparable:
        said.append(sentence(
            "Because no comparison is made for {place}, nothing singles out any need; the "
            "questions below are those that trials in this database can speak to.",
            place=profile.area.in_text,
        ))  # fmt: skip
    elif counts["worse"] == 0:
        said.append(sentence(
            "No need stands out as worse in {place}; the questions below are those that trials in "
            "this database can speak to.", place=profile.area.in_text,
        ))  # fmt: skip
    else:
        number = Fact(counts["worse"], count_words(counts["worse"], "need"), "needs", "count",
                      "evidence.places.needs_profiles", inputs)  # fmt: skip
        some, home = counts["with_trials"], counts["with_home_trials"]
        if some == 0:
            said.append(sentence(
                "{number} {stand} out as worse here, and no trial in this database prints a figure "
                "that speaks to {it}.",
                number=Fact(number.value, number.text[0].upper() + number.text[1:], number.unit,
                            number.kind, number.how, number.inputs),
                stand="stands" if counts["worse"] == 1 else "stand",
                it="it" if counts["worse"] == 1 else "any of them",
            ))  # fmt: skip
        else:
            british = Fact(home, "none" if home == 0 else cardinal(home), "needs", "count", _HOW,
                           inputs, note="with British or Irish trials")  # fmt: skip
            if counts["worse"] == 1:
                said.append(sentence(
                    "One need stands out as worse here, and trials in this database speak to it, "
                    + ("British or Irish ones among them." if home else "none of them British or "
                       "Irish.")
                ))  # fmt: skip
            else:
                said.append(sentence(
                    "Of {number} that stand out as worse here, this database holds trials that "
                    "speak to {some}, British or Irish ones for {home}.",
                    number=number, home=british,
                    some=Fact(some, cardinal(some), "needs", "count", _HOW, inputs),
                ))  # fmt: skip
            same = counts["same_outcome"]
            near = Fact(same, cardinal(same), "needs", "count", _HOW, inputs,
                        note="with trials of the same outcome")  # fmt: skip
            said.append(sentence(
                "Trials measured the same outcome as the local figure for {near}; the others "
                "measured something that may lead to it."
                if 0 < same < some
                else "All of these trials measured something that may lead to it, not the outcome "
                "that the local figure counts."
                if same == 0
                else "Some of them measured the same outcome as the local figure."
                if counts["worse"] == 1
                else "Each time some of them measured the same outcome as the local figure.",
                **({"near": near} if 0 < same < some else {}),
            ))  # fmt: skip
    said.append(sentence(
        "An empty row in the table is a gap in this database, not proof that nothing works."
    ))  # fmt: skip
    return said


def how_to_read() -> Sentence:
    """What the figures of trials show, said once before the first."""
    return sentence(
        "In the figures each square is a trial, larger where it counts for more, and its line is "
        "its {level} interval; a hollow square carries a warning that the table spells out; "
        "diamonds are averages. The dashed line is the smallest effect that was thought worth "
        "having before any result was looked at.",
        level=Name("95%"),
    )


def _trials(k: int, inputs: tuple[str, ...], note: str) -> Fact:
    return Fact(k, cardinal(k), "trials", "count", _HOW, inputs, note=note)


def tested_table(profile: NeedsProfile, evidence: Evidence) -> Table:
    """Every need with the questions that trials asked about it."""
    rows: list[list[Sentence | str | Fact | Name]] = []
    frame = profile.frame.set_index("indicator_id")
    for need in _ordered(profile):
        row = frame.loc[need]
        here = {"worse": "stands out as worse", "better": "stands out as better",
                "no": "no clear difference"}.get(str(row["stands_out"]), "cannot say")  # fmt: skip
        if not profile.comparable:
            here = "not compared"
        links = evidence.bridge[evidence.bridge["indicator_id"] == need]
        names = evidence.linked(need)
        silent = [name for name in evidence.linked(need, silent=True) if name not in names]
        if not names and not silent:
            rows.append([Name(str(row["name"])), here, "no trial in this database", "none", "none"])
            continue
        for position, construct in enumerate([*names, *silent]):
            link = links.loc[links["construct_id"] == construct, "link"].iloc[0]
            how = "the same outcome" if link == "same-outcome" else "a plausible path"
            label = str(evidence.constructs.at[construct, "label"])
            head = str(row["name"]) + ("" if position == 0 else " (continued)")
            rows.append([
                Name(head), here, sentence("{label} ({how})", label=Name(label), how=how),
                _how_many(evidence, construct),
                _brief(evidence, construct) if construct in names else "figures not printed",
            ])  # fmt: skip
    return Table(
        [
            Column("Need", width=20),
            Column("Here", width=15),
            Column("What trials measured", width=30),
            Column("Trials", width=15),
            Column("Result (interval)", width=20),
        ],
        rows,
        sentence("Needs of {place} and the trials that speak to them.", place=profile.area.in_text),
        "tbl-tested",
        sentence(
            "A plausible path means that there is a reason, given in the database, to expect what "
            "the trials measured to move this need; no trial here shows it. " + _SIGNS
        ),
    )


def tested_block(profile: NeedsProfile, evidence: Evidence) -> Block:
    """Need by need what was tested, those that stand out as worse first."""
    worse = set(profile.standing_out("worse")["indicator_id"])
    first: list[tuple[str, list[str]]] = []
    rest: list[tuple[str, list[str]]] = []
    seen: set[str] = set()
    for need in _ordered(profile):
        names = [name for name in evidence.linked(need) if name not in seen]
        seen.update(names)
        if names:
            (first if need in worse else rest).append((need, names))
    shown = [_need_block(profile, evidence, need, names) for need, names in first]
    others = [_need_block(profile, evidence, need, names) for need, names in rest]
    if not first or not rest:
        return Block(*shown, *others)
    # Headings go no deeper than four: in the fold the questions stand without their needs'.
    inside = [evidence.shown(name, 4) for _, names in rest for name in names]
    return Block(*shown, Fold(Heading("Trials for the other needs", 3), inside))


def _need_block(profile: NeedsProfile, evidence: Evidence, need: str, names: list[str]) -> Block:
    row = profile.frame.set_index("indicator_id").loc[need]
    return Block(
        Heading(sentence("{need}", need=Name(str(row["name"]))), 3),
        *(evidence.shown(name, 4) for name in names),
    )


def further_table(evidence: Evidence) -> Table | None:
    """Questions with trials that no national indicator of need speaks to."""
    linked = set(evidence.bridge["construct_id"].dropna())
    rows: list[list[Sentence | str | Fact | Name]] = []
    for name, construct in evidence.constructs.iterrows():
        construct_id = str(name)
        if construct_id in linked or not evidence.k(construct_id, "all"):
            continue
        rows.append([
            Name(str(construct["label"])),
            COMPARATORS[str(construct["comparator_class"])],
            _how_many(evidence, construct_id),
            _brief(evidence, construct_id, outcome=True),
        ])  # fmt: skip
    if not rows:
        return None
    return Table(
        [
            Column("Question", width=35), Column("Compared with", width=15),
            Column("Trials", width=25), Column("Result (interval)", width=25),
        ],
        rows,
        sentence("Other outcomes that trials measured."),
        "tbl-further",
        sentence(
            "Results of British and Irish trials where there are any, else of all. Two trials are "
            "not averaged. " + _SIGNS + " For decisions that follow a statutory judgement of a "
            "child's safety, fewer is not better and more is not worse."
        ),
    )  # fmt: skip


def _how_many(evidence: Evidence, construct_id: str) -> Sentence:
    home = evidence.k(construct_id, "british_irish")
    away = evidence.k(construct_id, "all") - home
    silent = evidence.unheard(construct_id)
    inputs = (f"estimates:{construct_id}/all/ladder",)
    parts = []
    if home:
        parts.append(sentence("{k} British or Irish", k=_trials(home, inputs, "British or Irish")))
    if away:
        parts.append(sentence("{k} from elsewhere", k=_trials(away, inputs, "from elsewhere")))
    if len(silent):
        names = tuple(silent["source"])
        parts.append(
            sentence("{k} without usable figures", k=_trials(len(silent), names, "no figures"))
        )
    return enumerate_words(parts)


def _brief(evidence: Evidence, construct_id: str, *, outcome: bool = False) -> Sentence | str:
    """The result of British and Irish trials, else of all, in a few words.

    With ``outcome`` a single trial says what it measured, which no section below does for it.
    """
    home = evidence.k(construct_id, "british_irish")
    row = evidence.estimate(construct_id, "british_irish" if home else "all", "ladder")
    if row is None or row["form"] == "none":
        return "no figures"
    if row["form"] == "side-by-side":
        return "not averaged: too few trials"
    scale = scale_for(evidence, construct_id)
    kind: str | Sentence = "one trial" if row["form"] == "single" else "average"
    if outcome and row["form"] == "single":
        # British and Irish trials stand first.
        measured = evidence.chosen(construct_id).iloc[0]["outcome_measure"]
        kind = sentence("one trial ({what})", what=Name(str(measured)))
    abroad = "" if home else ", not British or Irish"
    return sentence(
        "{axis} {result}; {kind}{abroad}", kind=kind, abroad=abroad, axis=Name(scale.axis),
        result=short_result(row, scale, (f"estimates:{row['estimate_id']}",)),
    )  # fmt: skip


def trial_sources(evidence: Evidence, constructs: list[str]) -> Sentence:
    """One sentence that cites every trial of the questions shown."""
    shown = evidence.effects[evidence.effects["construct_id"].isin(constructs)]
    studies = {str(name) for name in shown["study_id"]}
    for construct in constructs:
        studies |= {str(name) for name in evidence.unheard(construct)["study_id"]}
    if not studies:
        return Sentence("")
    keys = "; ".join(f"@{name}" for name in sorted(studies))
    return sentence("The trials named above: {cites}.", cites=Raw(f"[{keys}]"))
