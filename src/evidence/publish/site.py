"""The index page, which finds an authority's briefing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from evidence.facts import clean
from evidence.files import write_atomically
from evidence.literature import read_places
from evidence.places import authority
from evidence.plots.style import brand
from evidence.project import Project
from evidence.publish.render.web import page


@dataclass(frozen=True)
class _Place:
    """One line of the index; addresses are empty where there is no such file."""

    name: str
    words: str
    html: str
    pdf: str


@dataclass(frozen=True)
class _Region:
    id: str
    name: str
    places: tuple[_Place, ...]


def write_index(project: Project) -> Path:
    """Write ``index.html`` of the site: every authority by region, with a box to search.

    Without scripts the list is all there; with them the box narrows it. An authority without a
    document is listed as not made.

    Parameters
    ----------
    project : Project
        What lies under its ``reports/_site/authorities`` is what gets linked.

    Returns
    -------
    pathlib.Path
        The page; the same files and the same edition give the same bytes.
    """
    edition = project.edition()
    content = page(
        "index.html",
        brand(project),
        sheets=("index.css",),
        script="index.js",
        lang="en-GB",
        title="Prevention briefings",
        subtitle="Local needs of children in every English authority, and what trials of "
        "prevention can and cannot say about them",
        date=edition.date,
        long_date=edition.long_date,
        links=(),
        edition=edition.id,
        regions=_regions(project),
    )
    return write_atomically(project.site / "index.html", content)


def _regions(project: Project) -> list[_Region]:
    places = read_places(project)
    codes = places.areas.loc[places.areas["kind"] == "authority", "area_code"]
    by_region: dict[str, list[_Place]] = {}
    for code in codes:
        area = authority(places, str(code))
        # Official name, short name, region and code: all that someone may type.
        words = " ".join(dict.fromkeys([area.name, area.short_name, area.region, area.code]))
        html, pdf = (
            _address(project, f"authorities/{area.code}.{kind}") for kind in ("html", "pdf")
        )
        by_region.setdefault(clean(area.region), []).append(
            _Place(clean(area.plain_name), clean(words), html, pdf)
        )
    return [
        _Region(
            "region-" + re.sub(r"[^a-z]+", "-", region.lower()),
            region,
            tuple(sorted(found, key=lambda place: place.name.casefold())),
        )
        for region, found in sorted(by_region.items())
    ]


def _address(project: Project, path: str) -> str:
    return path if (project.site / path).is_file() else ""
