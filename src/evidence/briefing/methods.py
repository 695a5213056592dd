"""Methods, limits and sources, said where the reader meets the numbers and once in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evidence.facts import Fact, Name, Raw, Sentence, number, sentence
from evidence.synthesis.ladder import prior_scale
from evidence.tables import Block, Table

if TYPE_CHECKING:
    from evidence.briefing.evidence import Evidence
    from evidence.project import Edition

_READ = "evidence.literature.read_trials"


def _count(value: int, unit: str) -> Fact:
    return Fact(value, number(value), unit, "count", _READ, ("trials",))


def _prior(metric: str) -> Fact:
    scale = prior_scale(metric)
    return Fact(scale, number(scale, 2), metric, "assumption",
                "evidence.synthesis.ladder.prior_scale", ())  # fmt: skip


def standing(evidence: Evidence) -> Sentence:
    """What the evidence behind the briefing is, in a few plain lines."""
    trials = evidence.trials
    home = trials.studies["country"].isin(("GB", "IE"))
    return sentence(
        "The trials are a targeted selection of {studies} studies, {home} of them British or "
        "Irish, read mostly from abstracts. It is no systematic review, and nobody has appraised "
        "these trials for risk of bias yet. Abstracts print figures for clear results first, so "
        "what follows is probably too favourable to the programmes. Nothing here recommends that a "
        "service be opened or closed: it shows where to look, what to test locally and what to "
        "ask.",
        studies=_count(len(trials.studies), "studies"),
        home=_count(int(home.sum()), "British or Irish studies"),
    )


def method_sentences(evidence: Evidence) -> list[Sentence]:
    """How the numbers were made and what they cannot carry, one point a sentence or two."""
    trials = evidence.trials
    effects, unprinted = trials.effects, trials.unprinted
    pooled = int(evidence.effects["chosen"].sum())
    return [
        sentence(
            "**Trials.** The database holds {effects} printed results and {unprinted} results that "
            "were measured and not printed. {used} results, one for each trial and question, are "
            "used for the {constructs} questions; every other result stays in the database, with "
            "the reason where it answers none of them.",
            effects=_count(len(effects), "results"), unprinted=_count(len(unprinted), "results"),
            used=_count(pooled, "results"), constructs=_count(len(trials.constructs), "questions"),
        ),
        sentence(
            "**Questions.** Population, outcome, informant, time window, comparator and measure of "
            "each question were written down before any average was computed. Trials against "
            "nothing or a waiting list are never mixed with trials against usual services."
        ),
        sentence(
            "**Effects.** Reported, adjusted figures come before raw ones; each outcome stays in "
            "its own measure; results of trials in whole schools or areas that do not say that "
            "they allowed for it are given wider intervals."
        ),
        sentence(
            "**Averages.** One trial is shown as it is; two stand side by side; three or four are "
            "averaged with an assumption of how much trials of one question differ (a half-normal "
            "prior on their spread, of scale {ratio} for logarithms of ratios and {g} for "
            "standardised differences); five or "
            "more by restricted maximum likelihood with the Knapp–Hartung interval, never narrower "
            "than the usual one, and with the range expected in a new place. British and Irish "
            "trials come first. A result from abroad never feeds a local number.",
            ratio=_prior("log_or"), g=_prior("g"),
        ),
        sentence(
            "**What pulls these results.** Results in favour of programmes are printed more often. "
            "Each average is therefore repeated with unprinted results entered as no difference, "
            "and from only those results that were not clearly in favour. Changes are changes "
            "within a trial's own follow-up; how long they last after it is not known."
        ),
        sentence(
            "**Local needs.** A need stands out only if the difference from England survives three "
            "tests: drawing estimates of small places towards what places have in common, a limit "
            "on false alarms over all places and needs, and at least two of the last three years. "
            "Indicators measure recording, thresholds and services as well as need. There are no "
            "ranks."
        ),
        sentence(
            "**Certainty.** Who judged what, when and why belongs beside each rating; as nobody "
            "has appraised these trials, no rating is given."
        ),
    ]  # fmt: skip


def further(table: Table | None) -> Block:
    """Other outcomes of trials, with what they are for."""
    if table is None:
        return Block(sentence("There are none in this database."))
    return Block(
        sentence(
            "Children's services also work on outcomes for which there is no national indicator of "
            "need, or only counts of decisions. Trials in this database measured these."
        ),
        table,
    )


def source_sentences(edition: Edition) -> list[Sentence]:
    """Where data come from and under which licence."""
    return [
        sentence(
            "Edition {edition}, {date}. Every number in the text of this briefing is listed with "
            "its source rows in the file of facts beside it, and every trial with its address in "
            "the database of trials.",
            edition=Name(edition.id), date=Name(edition.long_date),
        ),
        sentence(
            "Local figures: Department for Education, Office for National Statistics, Department "
            "of Health and Social Care, Office for Health Improvement and Disparities, NHS England "
            "and Youth Justice Board; the table of needs names the publication of each. Contains "
            "public sector information licensed under the {licence}.",
            licence=Raw(
                "[Open Government Licence v[3.0]{.name}]"
                "(https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/)"
            ),
        ),
        sentence(
            "The questions follow Research Report {number} and its companion papers {cite}.",
            number=Name("510"), cite=Raw("[@rr510; @axfordlittle2004; @axfordlittle2006]"),
        ),
    ]  # fmt: skip
