"""The lessons of Research Report 510, and what an authority's own data say to each."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from evidence.briefing.money import CARE, EARLIER, EARLIER_WORDS, OPEN, OPEN_WORDS, Shares
from evidence.briefing.needs import cardinal, counted, observed, period_name, phrase, phrases
from evidence.errors import DataError, Fault
from evidence.facts import Fact, Name, Raw, Sentence, count_words, enumerate_words, sentence
from evidence.places import NeedsProfile, SpendShares
from evidence.project import Project
from evidence.tables import Block, Heading

_FIELDS = ("id", "kind", "title", "lesson", "cites", "test", "asks")
_KINDS = ("method", "risk")
_SLUG = re.compile(r"[a-z]+(?:-[a-z]+)*")
_KEY = re.compile(r"[a-z]+[0-9]+[a-z]?")
_COVERAGE = "evidence.briefing.tested.coverage"


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes
    ----------
    id : str
        Its name.
    kind : str
        ``method`` (how to refocus) or ``risk`` (what to guard against).
    title, lesson : str
        Heading, and what the authors advise.
    cites : tuple of str
        Keys of the works that say so.
    test : str
        Name of the local test that answers it.
    asks : str
        What would answer it where national data cannot.
    """

    id: str
    kind: str
    title: str
    lesson: str
    cites: tuple[str, ...]
    test: str
    asks: str

    @property
    def cited(self) -> Sentence:
        """The lesson with its citation."""
        keys = "; ".join(f"@{key}" for key in self.cites)
        return sentence("{lesson} {cite}", lesson=self.lesson, cite=Raw(f"[{keys}]"))


def read_lessons(project: Project | None = None) -> tuple[Lesson, ...]:
    """Lessons of ``literature/lessons.yml``, in their order.

    Parameters
    ----------
    project : Project, optional
        By default the one around the working folder.

    Raises
    ------
    DataError
        With every fault of the file: its line, the entry and the field.
    """
    home = project or Project.find()
    path = home.literature / "lessons.yml"
    return _read(path, home.relative(path), path.stat().st_mtime_ns if path.is_file() else 0)


@lru_cache(maxsize=4)
def _read(path: Path, shown: str, changed: int) -> tuple[Lesson, ...]:
    del changed  # only tells the cache that the file is another one now
    try:
        text = path.read_text(encoding="utf-8")
        root, content = yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        what = " ".join(str(error).split())
        raise DataError(
            [Fault(shown, None, None, "bad-lessons", f"cannot be read: {what}")]
        ) from error
    if not isinstance(content, list) or not content:
        raise DataError([Fault(shown, 1, None, "bad-lessons", "holds no list of lessons")])
    faults: list[Fault] = []
    seen: dict[str, int] = {}
    nodes = root.value if isinstance(root, yaml.SequenceNode) else []
    for node, entry in zip(nodes, content, strict=True):
        line = node.start_mark.line + 1
        name = entry.get("id") if isinstance(entry, dict) else None
        label = str(name) if isinstance(name, str) else f"entry {content.index(entry) + 1}"
        for field, what, advice in _faults_of(entry, node):
            column = f"{label}.{field}" if field else label
            faults.append(Fault(shown, line, column, "bad-lesson", what, advice))
        if isinstance(name, str) and seen.setdefault(name, line) != line:
            faults.append(Fault(shown, line, f"{label}.id", "duplicate-lesson",
                                f"the id stands in line {seen[name]} already"))  # fmt: skip
    if faults:
        raise DataError(faults)
    return tuple(Lesson(**{**entry, "cites": tuple(entry["cites"])}) for entry in content)


def _faults_of(entry: Any, node: yaml.Node) -> list[tuple[str, str, str]]:
    """Field, what is wrong and what would be right, for one entry."""
    if not isinstance(entry, dict):
        return [("", "is no entry with fields", f"the fields {', '.join(_FIELDS)}")]
    keys = [key.value for key, _ in node.value]
    found = [(key, "is given twice", "one value") for key in _FIELDS if keys.count(key) > 1]
    found += [(key, "is missing", "see the head of the file") for key in _FIELDS if key not in keys]
    found += [
        (key, "is no field of a lesson", f"one of {', '.join(_FIELDS)}")
        for key in keys
        if key not in _FIELDS
    ]
    for field in ("title", "lesson", "asks"):
        value = entry.get(field, "A text.")
        if not isinstance(value, str) or not value.strip():
            found.append((field, f"{value!r} is no text", "a text in plain words"))
        elif re.search(r"\d", value):
            found.append((field, "holds a digit", "words: numbers belong to facts"))
        elif field != "title" and not value.endswith("."):
            found.append((field, "does not end with a full stop", "whole sentences"))
    name = entry.get("id", "lesson")
    if not (isinstance(name, str) and _SLUG.fullmatch(name)):
        found.append(("id", f"{name!r} is no name", "lower-case words joined by hyphens"))
    if entry.get("kind", "method") not in _KINDS:
        found.append(("kind", f"{entry['kind']!r} is not known", " or ".join(_KINDS)))
    if entry.get("test", "needs") not in TESTS:
        found.append(("test", f"{entry['test']!r} is no local test", f"one of {', '.join(TESTS)}"))
    cites = entry.get("cites", ["rr510"])
    if not isinstance(cites, list) or not cites:
        found.append(("cites", "names no work", "a list of keys of the bibliography"))
    elif bad := [key for key in cites if not (isinstance(key, str) and _KEY.fullmatch(key))]:
        found.append(("cites", f"{bad[0]!r} is no key", "keys such as axfordlittle2004"))
    return found


@dataclass(frozen=True)
class _Local:
    """What a local test may look at."""

    profile: NeedsProfile
    shares: Shares
    coverage: Mapping[str, int]

    @property
    def place(self) -> str:
        return self.profile.area.in_text

    @property
    def worse(self) -> pd.DataFrame:
        return self.profile.standing_out("worse")

    def covered(self, name: str, noun: str = "need") -> Fact:
        """A count of needs that stand out as worse, by what trials there are."""
        value = int(self.coverage[name])
        text = count_words(value, noun) if noun else cardinal(value)
        return Fact(value, text, "needs", "count", _COVERAGE,
                    (f"areas:{self.profile.area.code}",), note=name)  # fmt: skip

    def standing(self, noun: str = "need") -> Fact:
        return counted(len(self.worse), self.profile.area.code, "needs that stand out as worse",
                       noun=noun)  # fmt: skip


def _needs(local: _Local) -> Sentence:
    if not local.profile.comparable:
        return sentence(
            "So few children live in {place} that national figures cannot point to what should be "
            "prevented there.", place=local.place,
        )  # fmt: skip
    if local.worse.empty:
        return sentence(
            "In {place} no need stands out as worse than in England, so national figures alone do "
            "not point to one thing to prevent.", place=local.place,
        )  # fmt: skip
    said = sentence(
        "In {place}, {count} {verb} out as worse than in England: {list}.",
        place=local.place, count=local.standing(), list=phrases(local.worse),
        verb="stands" if len(local.worse) == 1 else "stand",
    )  # fmt: skip
    if len(local.worse) == 1:
        return said
    return said + sentence("How many children have more than one of these needs is not known.")


def _figures(local: _Local) -> Sentence:
    frame, code = local.profile.frame, local.profile.area.code
    known = frame[frame["value"].notna() & ~frame["old"].astype(bool)]
    exact = known["interval_basis"].isin(["counts", "published"])
    return sentence(
        "For {place}, national sources have a recent figure on {count} of {total}; {exact} of them "
        "{verb} published with counts or an interval. They stand side by side and cannot be joined "
        "up for one child.",
        place=local.place,
        count=counted(len(known), code, "needs with a recent published value", noun=""),
        total=counted(len(frame), code, "needs looked at"),
        exact=counted(int(exact.sum()), code, "needs with counts or an interval", noun=""),
        verb="is" if exact.sum() == 1 else "are",
    )


def _trials(local: _Local) -> Sentence:
    silent = sentence(
        "No national figure says which services run in {place} or what they achieve.",
        place=local.place,
    )
    worse, some = int(local.coverage["worse"]), int(local.coverage["with_trials"])
    home, none = int(local.coverage["with_home_trials"]), int(local.coverage["without_trials"])
    if worse == 0:
        return silent
    if worse == 1:
        from_home = (
            ", British or Irish ones among them"
            if home
            else ", though none from Britain or Ireland"
        )
        said = (
            "To the one need that stands out as worse, trials in this database speak" + from_home
            if some
            else "To the one need that stands out as worse, no trial in this database speaks"
        )
        return sentence(said + ".") + silent
    template = "Of the {worse} that stand out as worse, "
    parts: dict[str, object] = {"worse": local.covered("worse")}
    if some:
        template += "trials in this database speak to {some}, British or Irish trials to {home}"
        parts |= {
            "some": "all" if none == 0 else local.covered("with_trials", noun=""),
            "home": "all of those" if home == some else local.covered("with_home_trials", noun=""),
        }
        template += "; to {none} no trial here speaks." if none else "."
        if none:
            parts["none"] = local.covered("without_trials", noun="")
    else:
        template += "no trial in this database speaks to any."
    return sentence(template, **parts) + silent


def _course(local: _Local, lines: tuple[str, ...], first: str, last: str) -> Sentence:
    """``from 52.3% to 49.7% (England from 51.1% to 55.9%)``."""
    shares = local.shares
    template = "from {before} to {now}"
    if local.profile.comparable:
        template += " (England from {england_before} to {england_now})"
    parts: dict[str, object] = {"before": shares.fact(lines, first),
                                "now": shares.fact(lines, last)}  # fmt: skip
    if local.profile.comparable:
        parts |= {"england_before": shares.fact(lines, first, england=True),
                  "england_now": shares.fact(lines, last, england=True)}  # fmt: skip
    return sentence(template, **parts)


def _one_year(local: _Local, lines: tuple[str, ...], period: str) -> Sentence:
    shares = local.shares
    if not local.profile.comparable:
        return sentence("{share}", share=shares.fact(lines, period))
    return sentence("{share} (England {england})", share=shares.fact(lines, period),
                    england=shares.fact(lines, period, england=True))  # fmt: skip


def _money(local: _Local) -> Sentence:
    years = local.shares.whole(local.shares.known)
    if not years:
        return sentence("How the money divides in {place} is not known for any of the last five "
                        "years.", place=local.place)  # fmt: skip
    first, last = years[0], years[-1]
    if first == last:
        return sentence(
            "In {place} {care} went on looked-after children in {year} and {early} on {services} "
            "together; there is no earlier year to tell a shift.",
            place=local.place, year=Name(last), services=EARLIER_WORDS,
            care=_one_year(local, (CARE,), last), early=_one_year(local, EARLIER, last),
        )  # fmt: skip
    return sentence(
        "Between {first} and {last} the share of spending on looked-after children in {place} went "
        "{care}, that on {services} together {early}. Whether this was decided or forced by demand "
        "the shares do not tell.",
        first=Name(first), last=Name(last), place=local.place, services=EARLIER_WORDS,
        care=_course(local, (CARE,), first, last), early=_course(local, EARLIER, first, last),
    )  # fmt: skip


def _mainstream(local: _Local) -> Sentence:
    shares = local.shares
    years = [p for p in shares.known if math.isfinite(shares.value(OPEN, p))]
    if not years:
        return sentence("What {place} spends on services that are open to many is not known for "
                        "any of the last five years.", place=local.place)  # fmt: skip
    first, last = years[0], years[-1]
    start = (
        "The lines of spending closest to what all families use, {services}, took {share} in {year}"
        if first == last
        else "The lines of spending closest to what all families use, {services}, went {share} of "
        "the whole between {first} and {year}"
    )
    parts: dict[str, object] = {"services": OPEN_WORDS, "year": Name(last), "place": local.place}
    if first == last:
        parts["share"] = _one_year(local, OPEN, last)
    else:
        parts |= {"share": _course(local, OPEN, first, last), "first": Name(first)}
    return sentence(
        start + " in {place}. Schools, health visitors and family doctors, which reach nearly "
        "every child, are not in these figures.", **parts,
    )  # fmt: skip


# When in a child's life a need shows itself.
_STAGES = {
    "before school or in reception": (
        "low_birth_weight_pct", "gld_pct", "eyfsp_comm_lang_pct", "eyfsp_pse_pct",
        "excess_weight_reception_pct",
    ),
    "in the school years": (
        "ks2_rwm_pct", "persistent_absence_pct", "severe_absence_pct", "suspended_pupils_pct",
        "excess_weight_y6_pct",
    ),
    "in the teenage years": (
        "gcse_eng_maths_94_pct", "neet_or_not_known_16_17_pct", "fte_youth_justice_rate",
        "alcohol_admissions_u18_rate", "u18_conception_rate",
    ),
}  # fmt: skip
_ANY_AGE = "at any age"


def _ages(local: _Local) -> Sentence:
    if not local.profile.comparable:
        return sentence(
            "No need is compared for {place}, so none can be said to stand out early or late in "
            "childhood.", place=local.place,
        )  # fmt: skip
    if local.worse.empty:
        return sentence(
            "No need stands out as worse in {place}, early in childhood or late.",
            place=local.place,
        )
    stage = {need: when for when, needs in _STAGES.items() for need in needs}
    when = local.worse["indicator_id"].map(stage).fillna(_ANY_AGE)
    if len(when) == 1:
        return sentence("The one need that stands out as worse in {place} shows {when}.",
                        place=local.place, when=str(when.iloc[0]))  # fmt: skip
    code = local.profile.area.code
    parts = [
        sentence("{count} {show} " + name, show="shows" if n == 1 else "show",
                 count=counted(n, code, f"needs that stand out as worse and show {name}", noun=""))
        for name in (*_STAGES, _ANY_AGE)
        if (n := int((when == name).sum()))
    ]  # fmt: skip
    if len(parts) == 1:
        return sentence("All {count} that stand out as worse in {place} show " + when.iloc[0] + ".",
                        count=local.standing(), place=local.place)  # fmt: skip
    return sentence("Of the {count} that stand out as worse in {place}, {parts}.",
                    count=local.standing(), place=local.place,
                    parts=enumerate_words(parts))  # fmt: skip


def _intensity(local: _Local) -> Sentence:
    shares = local.shares
    years = shares.whole(shares.known)
    if not years:
        return sentence("No national figure says how much help one family gets in {place}.",
                        place=local.place)  # fmt: skip
    last = years[-1]
    return sentence(
        "In {year}, {services} in {place} cost {pounds} for each child who lives there{england}. "
        "That says how far the money is spread, not how much help one family gets.",
        year=Name(last), services=EARLIER_WORDS, place=local.place,
        pounds=shares.pounds(EARLIER, last),
        england=sentence(" (England {value})", value=shares.pounds(EARLIER, last, england=True))
        if local.profile.comparable else "",
    )  # fmt: skip


def _views(local: _Local) -> Sentence:
    return sentence(
        "Nothing in the national data comes from staff, parents or children in {place}: on this "
        "they are silent.", place=local.place,
    )  # fmt: skip


def _net(local: _Local) -> Sentence:
    unseen = (
        "Who is helped without need, and who needs help without getting it, cannot be seen in "
        "national data."
    )
    rows = local.worse
    rows = rows[(rows["unit"] == "%") & (rows["polarity"] == "high-is-worse")
                & ~rows["old"].astype(bool) & (rows["value"] < 50)]  # fmt: skip
    if rows.empty:
        return sentence(unseen)
    row = rows.sort_values("value", kind="stable").iloc[0]
    return sentence(
        "{need} stands out as worse in {place}, yet was seen in only {value} of {whom} ({period}): "
        "help offered without knowing whom it is for would mostly reach others. " + unseen,
        need=phrase(row)[0].upper() + phrase(row)[1:],
        place=local.place,
        value=observed(row, row["value"], local.profile.area.code, own=True),
        whom=Name(str(row["unit_long"]).removeprefix("% of ")),
        period=period_name(str(row["period"])),
    )


TESTS: Mapping[str, Callable[[_Local], Sentence]] = {
    "needs": _needs,
    "figures": _figures,
    "trials": _trials,
    "money": _money,
    "mainstream": _mainstream,
    "ages": _ages,
    "intensity": _intensity,
    "views": _views,
    "net": _net,
}
"""The local tests by name: what an authority's own data say to a lesson."""


def lessons_items(
    profile: NeedsProfile,
    spend: SpendShares,
    coverage: Mapping[str, int],
    lessons: tuple[Lesson, ...] | None = None,
) -> list[tuple[Lesson, Sentence]]:
    """What local data say to each lesson.

    Parameters
    ----------
    profile : NeedsProfile
        From :func:`evidence.places.needs_profiles`.
    spend : SpendShares
        From :func:`evidence.places.spend_shares` for the same authority.
    coverage : mapping
        Of the needs that stand out as worse: how many there are (``worse``), have trials
        (``with_trials``), have trials from Britain or Ireland (``with_home_trials``) and have none
        (``without_trials``).
    lessons : tuple of Lesson, optional
        By default those of the project.

    Returns
    -------
    list of (Lesson, Sentence)
        In the order of the file; the sentence ends with what would answer the lesson where
        national data cannot.
    """
    local = _Local(profile, Shares(spend), coverage)
    return [
        (lesson, TESTS[lesson.test](local) + sentence("{asks}", asks=lesson.asks))
        for lesson in (lessons or read_lessons())
    ]


def lessons_block(
    profile: NeedsProfile,
    spend: SpendShares,
    coverage: Mapping[str, int],
    lessons: tuple[Lesson, ...] | None = None,
) -> Block:
    """The lessons with what local data say to each, ready to publish.

    Parameters
    ----------
    profile, spend, coverage, lessons
        As for :func:`lessons_items`.

    Returns
    -------
    Block
        A heading, the lesson and the local answer, nine times.
    """
    items: list[Heading | Sentence] = []
    for lesson, answer in lessons_items(profile, spend, coverage, lessons):
        start = "A risk: {title}" if lesson.kind == "risk" else "{title}"
        title = (
            lesson.title if lesson.kind != "risk" else lesson.title[0].lower() + lesson.title[1:]
        )
        items += [
            Heading(sentence(start, title=title), 3),
            lesson.cited,
            sentence("**Here.** {answer}", answer=answer),
        ]
    return Block(*items)
