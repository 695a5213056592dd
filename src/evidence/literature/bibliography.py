"""Everything that can be cited, as CSL-JSON: the studies, and the works the project builds on."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from evidence.errors import DataError, Fault
from evidence.facts import clean
from evidence.project import Project

if TYPE_CHECKING:
    from evidence.literature.read import Trials

_NAME = re.compile(r"(?P<family>.+) (?P<initials>[A-ZÀ-Þ](?:-?[A-ZÀ-Þ])*)")
_PLACE = re.compile(r"(?P<volume>[^(:]+)(?:\((?P<issue>[^)]+)\))?(?::(?P<page>.+))?")
_WEB = re.compile(r"https?://[^\s<>\"'`\\^{|}]+", re.IGNORECASE)
_ABSTRACT = " (abstract)"


def _author(name: str) -> dict[str, str]:
    """A person from family name and initials; anything else is an institution."""
    # This word makes pandoc's citeproc print "et al."
    if name == "et al.":
        return {"literal": "others"}
    if person := _NAME.fullmatch(name):
        # Citation styles tell initials apart by their full stops.
        given = " ".join(f"{each}." for each in re.findall(r"-?[A-ZÀ-Þ]", person["initials"]))
        return {"family": person["family"], "given": given}
    return {"literal": name}


def _study(row: pd.Series) -> dict[str, Any]:
    """One row of ``studies`` as an item of CSL-JSON; what is not known is left out."""
    known = row.dropna()
    item: dict[str, Any] = {
        "id": row["study_id"],
        "type": "report",
        "title": row["title"],
        "issued": {"date-parts": [[int(row["year"])]]},
    }
    if not row["authors"].startswith("["):
        item["author"] = [_author(name) for name in row["authors"].split("; ")]
    if journal := known.get("journal"):
        if journal.endswith(_ABSTRACT):
            item |= {"type": "paper-conference", "container-title": journal.removesuffix(_ABSTRACT)}
        elif (
            known.get("doi")
            or known.get("volume_pages")
            or not re.search(r"\b(report|paper|monograph)\b", journal)
        ):
            item |= {"type": "article-journal", "container-title": journal}
        else:
            item["publisher"] = re.sub(r" \(?report\)?$", "", journal)
    elif known.get("doi"):
        item["type"] = "article-journal"
    if place := _PLACE.fullmatch(known.get("volume_pages", "")):
        item |= {key: value for key, value in place.groupdict().items() if value}
    if doi := known.get("doi"):
        item |= {"DOI": doi, "URL": f"https://doi.org/{doi}"}
    return item


def _works(project: Project) -> list[dict[str, Any]]:
    """The works that are cited and are no study, from ``literature/works.json``."""
    path = project.literature / "works.json"

    def refuse(code: str, message: str) -> DataError:
        return DataError([Fault(project.relative(path), None, None, code, message)])

    try:
        works = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise refuse("missing-file", "the file does not exist") from error
    except (ValueError, RecursionError) as error:
        raise refuse("bad-json", f"not JSON: {error}") from error
    if not isinstance(works, list) or not all(
        isinstance(work, dict) and isinstance(work.get("id"), str) for work in works
    ):
        raise refuse("bad-works", "not a list of works, each with an id")
    for work in works:
        if "URL" in work and not _WEB.fullmatch(str(work["URL"])):
            raise refuse("not-a-web-address", f"the URL of {work['id']} is no web address")
    return works


def _cleaned(value: Any) -> Any:
    """An item with every text in it on one line, without hidden characters."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _cleaned(each) for key, each in value.items()}
    return [_cleaned(each) for each in value] if isinstance(value, list) else value


def references(trials: Trials, project: Project | None = None) -> list[dict[str, Any]]:
    """Everything that a document can cite, as CSL-JSON.

    Parameters
    ----------
    trials : Trials
        From :func:`evidence.literature.read_trials`.
    project : Project, optional
        Where ``literature/works.json`` lies; by default the project of the working directory.

    Returns
    -------
    list of dict
        The works of ``works.json``, then one item for each study with ``study_id`` as its ``id``.
        A list of authors that goes on ends with the name ``others``, which pandoc prints as
        "et al."; a study whose authors are not known has none. Every ``URL`` is a web address.

    Raises
    ------
    DataError
        If ``works.json`` is missing or no list of works, an address in it is none of the web, or
        two items have one ``id``.
    """
    project = project or Project.find()
    works = _works(project)
    works += [_study(row) for _, row in trials.studies.iterrows()]
    works = [_cleaned(work) for work in works]
    seen: set[str] = set()
    for work in works:
        if work["id"] in seen:
            fault = Fault(
                project.relative(project.literature / "works.json"),
                None,
                None,
                "duplicate-key",
                f"two works or studies are called {work['id']}",
            )
            raise DataError([fault])
        seen.add(work["id"])
    return works
