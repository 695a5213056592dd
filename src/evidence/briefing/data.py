"""Everything one briefing says, ready for a notebook that only shows it (interface G)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import pandas as pd

from evidence.briefing import methods, money, needs, summary, tested
from evidence.briefing.evidence import Evidence, evidence_pack, evidence_sha256
from evidence.briefing.lessons import lessons_block, read_lessons
from evidence.briefing.local import Local, local_data
from evidence.errors import UsageError
from evidence.facts import Fact, Ledger, Name, Sentence, enumerate_words, sentence
from evidence.literature import inputs_sha256, references
from evidence.places import Authority, NeedsProfile, SpendShares
from evidence.project import Edition, Project
from evidence.tables import Block, Bullets, Callout, KeyPoints
from evidence.tables.collect import facts_of


@dataclass(frozen=True, eq=False)
class BriefingData:
    """The data of one authority's briefing and the parts that it is made of.

    Each part is a block, table, figure or sentence that shows itself in JupyterLab and in print.

    Attributes
    ----------
    project : Project
        Where it was read.
    edition : Edition
        Its id, date and seed.
    profile : NeedsProfile
        Local needs.
    spend : SpendShares
        Local spending.
    evidence : Evidence
        Trials and estimates, the same for all places.
    assumptions : mapping
        What the caller set; printed with the methods.
    """

    project: Project
    edition: Edition
    profile: NeedsProfile
    spend: SpendShares
    evidence: Evidence
    assumptions: Mapping[str, str] = field(default_factory=dict)

    @property
    def area(self) -> Authority:
        """The authority."""
        return self.profile.area

    @property
    def title(self) -> str:
        """Title of the document."""
        return f"Prevention briefing: {self.area.plain_name}"

    @property
    def subtitle(self) -> str:
        """Line under the title."""
        return "Local needs, and what trials of prevention can and cannot say about them"

    @cached_property
    def know(self) -> Block:
        """What this authority should know."""
        return Block(
            KeyPoints(summary.summary_sentences(self.profile, self.spend)),
            Callout(
                [methods.standing(self.evidence)],
                title="How far this goes",
                kind="important",
            ),
        )

    @cached_property
    def needs(self) -> Block:
        """Local needs against England, region and places like it."""
        first, *rest = _paragraphs(needs.needs_sentences(self.profile))
        return Block(
            first,
            needs.needs_figure(self.profile),
            *rest,
            needs.needs_table(self.profile),
        )

    @cached_property
    def money(self) -> Block:
        """Where the money goes."""
        return Block(
            *_paragraphs(money.money_sentences(self.spend)),
            money.money_figure(self.spend),
            money.money_table(self.spend),
        )

    @cached_property
    def tested(self) -> Block:
        """What was tested for these needs."""
        return Block(
            *_paragraphs(tested.tested_sentences(self.profile, self.evidence)),
            tested.tested_table(self.profile, self.evidence),
            tested.how_to_read(),
            tested.tested_block(self.profile, self.evidence),
        )

    @cached_property
    def further(self) -> Block:
        """Outcomes of trials that no national indicator of need speaks to."""
        return methods.further(tested.further_table(self.evidence))

    @cached_property
    def lessons(self) -> Block:
        """The lessons of Research Report 510 and what local data say to each."""
        return lessons_block(self.profile, self.spend, tested.coverage(self.profile, self.evidence))

    @cached_property
    def methods(self) -> Block:
        """Methods and limits."""
        return Block(
            Bullets(methods.method_sentences(self.evidence)),
            *([_assumed(self.assumptions)] if self.assumptions else []),
        )

    @cached_property
    def sources(self) -> Block:
        """Sources, licences and the trials cited."""
        first, others = tested.constructs_for(self.profile, self.evidence)
        return Block(
            *methods.source_sentences(self.edition),
            tested.trial_sources(self.evidence, [*first, *others]),
        )

    @property
    def parts(self) -> tuple[Block, ...]:
        """All parts in the order in which they are read."""
        return (self.know, self.needs, self.money, self.tested, self.further, self.lessons,
                self.methods, self.sources)  # fmt: skip

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """Every fact that the briefing shows."""
        return facts_of(*self.parts)

    def facts_json(self) -> str:
        """The facts as JSON, sorted by identity."""
        ledger = Ledger()
        ledger.add(*self.facts)
        return ledger.to_json()

    @cached_property
    def bibliography(self) -> list[dict[str, Any]]:
        """CSL-JSON of all works that a briefing may cite."""
        return references(self.evidence.trials)

    def to_json(self) -> str:
        """The data that this briefing is made of, as JSON: its place in full, the rest as hashes.

        With the code and the templates it settles every word and line, so that a fingerprint can be
        taken without drawing anything.
        """
        content = {
            "title": self.title,
            "edition": {**asdict(self.edition), "date": str(self.edition.date)},
            "assumptions": dict(self.assumptions),
            "area": asdict(self.area),
            "needs": _records(self.profile.frame),
            "neighbours": _records(self.profile.neighbours),
            "spend": _records(self.spend.frame),
            "evidence": self.evidence.sha256,
            "lessons": _sha256(repr(read_lessons(self.project))),
        }
        return json.dumps(content, sort_keys=True, ensure_ascii=False)


def _records(frame: pd.DataFrame) -> Any:
    return json.loads(frame.to_json(orient="split", date_format="iso", double_precision=15))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _paragraphs(sentences: list[Sentence]) -> list[Sentence]:
    return [each for each in sentences if each.text]


def _assumed(assumptions: Mapping[str, str]) -> Sentence:
    return sentence(
        "Set by whoever ran this notebook: {list}.",
        list=enumerate_words(Name(f"{key} = {value}") for key, value in assumptions.items()),
    )


@lru_cache(maxsize=2)
def _local(project: Project, sha256: str) -> Local:
    return local_data(project)


@lru_cache(maxsize=2)
def _evidence(project: Project, sha256: str) -> Evidence:
    return evidence_pack(project)


def briefing_data(
    authority_name: str,
    edition: str | None = None,
    *,
    project: Project | None = None,
    assumptions: Mapping[str, str] | None = None,
) -> BriefingData:
    """Everything that the briefing of one authority says.

    What all authorities share is worked out once a process, and kept under ``build`` between
    processes.

    Parameters
    ----------
    authority_name : str
        GSS code or name.
    edition : str, optional
        Id of the edition; it must be the project's, whose date and seed are used.
    project : Project, optional
        By default the project of the working directory.
    assumptions : mapping, optional
        Assumptions set by the caller, name to value; printed with the methods.

    Raises
    ------
    UsageError
        If there is no such authority, or the edition is not the project's.
    """
    project = project or Project.find()
    current = project.edition()
    if edition is not None and edition != current.id:
        raise UsageError(f"the edition is {current.id!r} (reports/edition.yml), not {edition!r}")
    local = _local(project, _sha256(inputs_sha256(project, "places") + str(current.date)))
    code = local.find(authority_name, project)
    return BriefingData(
        project, current, local.profile(code), local.spend(code),
        _evidence(project, evidence_sha256(project)), dict(assumptions or {}),
    )  # fmt: skip
