"""Needs and spending of all authorities, worked out once and kept for every notebook."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from evidence.files import sha256_of_files, write_atomically, write_parquet
from evidence.literature import inputs_sha256, read_places
from evidence.places import (
    Authority,
    NeedsProfile,
    NeedsProfiles,
    SpendShares,
    authority,
    needs_profiles,
    spend_shares,
)
from evidence.project import Project

_PACKAGE = Path(__file__).resolve().parents[1]
_STAMP = "made_from.json"


@dataclass(frozen=True, eq=False)
class Local:
    """What is known of every authority.

    Attributes
    ----------
    profiles : NeedsProfiles
        Needs; look one up by its GSS code.
    spend_frame : pandas.DataFrame
        Frames of :class:`evidence.places.SpendShares` below each other, with ``area_code``.
    periods : tuple of str
        Years of spending, oldest first.
    """

    profiles: NeedsProfiles
    spend_frame: pd.DataFrame
    periods: tuple[str, ...]

    def profile(self, code: str) -> NeedsProfile:
        """Needs of one authority."""
        return self.profiles[code]

    def spend(self, code: str) -> SpendShares:
        """Spending of one authority."""
        own = self.spend_frame[self.spend_frame["area_code"] == code]
        frame = own.drop(columns="area_code").reset_index(drop=True)
        return SpendShares(self.profiles.areas[code], self.periods, frame)

    def find(self, name: str, project: Project) -> str:
        """GSS code of an authority given by code or name.

        Raises
        ------
        UsageError
            If nothing, or more than one authority, answers to it.
        """
        if name in self.profiles.areas:
            return name
        return authority(read_places(project), name).code


def local_data(project: Project) -> Local:
    """Needs and spending of all authorities, made anew if places, code or edition changed.

    Parameters
    ----------
    project : Project
        The project; the frames are kept under ``build/places``.
    """
    folder = project.build / "places"
    edition = project.edition()
    parts = [inputs_sha256(project, "places"), sha256_of_files(_PACKAGE, "*.py"), str(edition.date)]
    wanted = hashlib.sha256("".join(parts).encode()).hexdigest()
    try:
        if json.loads((folder / _STAMP).read_text(encoding="utf-8"))["sha256"] == wanted:
            return _read(folder)
    except (OSError, ValueError, KeyError):
        pass
    places = read_places(project)
    profiles = needs_profiles(places, edition_date=edition.date)
    shares = {code: spend_shares(places, code) for code in profiles}
    local = Local(
        profiles,
        pd.concat(
            [share.frame.assign(area_code=code) for code, share in shares.items()],
            ignore_index=True,
        ),
        next(iter(shares.values())).periods,
    )
    _write(local, folder, wanted)
    return local


def _write(local: Local, folder: Path, sha256: str) -> None:
    (folder / _STAMP).unlink(missing_ok=True)
    local.profiles.write(folder)
    write_parquet(local.spend_frame, folder / "spend.parquet")
    content = {
        "areas": {code: asdict(area) for code, area in local.profiles.areas.items()},
        "periods": list(local.periods),
        "sha256": sha256,
    }
    # The stamp is written last: a run that was killed leaves none.
    write_atomically(folder / _STAMP, json.dumps(content, ensure_ascii=False) + "\n")


def _read(folder: Path) -> Local:
    content: Mapping[str, dict[str, dict[str, object]]] = json.loads(
        (folder / _STAMP).read_text(encoding="utf-8")
    )
    areas = {code: Authority(**values) for code, values in content["areas"].items()}  # type: ignore[arg-type]
    profiles = NeedsProfiles(
        pd.read_parquet(folder / "needs.parquet"),
        pd.read_parquet(folder / "needs_neighbours.parquet"),
        areas,
    )
    return Local(profiles, pd.read_parquet(folder / "spend.parquet"), tuple(content["periods"]))
