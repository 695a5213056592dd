"""The project folder: where things lie, and the edition that is being published."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from evidence.errors import DataError, Fault, UsageError

_EDITION_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,31}")


@dataclass(frozen=True)
class Edition:
    """One publication of all briefings; every date and seed in an output comes from here.

    Attributes
    ----------
    id : str
        Short name in lower case, for example ``"2026-autumn"``.
    date : datetime.date
        Date printed on the briefings.
    seed : int
        Seed from which all others are derived.
    """

    id: str
    date: dt.date
    seed: int

    def seed_for(self, *names: str) -> int:
        """Seed of a step that depends only on its names, never on the order of the work.

        Parameters
        ----------
        *names : str
            What the step is called, for example an authority's code and ``"impact"``.

        Returns
        -------
        int
            A number from 0 to 2**63 - 1.
        """
        text = "\x1f".join([self.id, str(self.seed), *names])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

    @property
    def long_date(self) -> str:
        """The date as British readers write it, for example ``"24 November 2026"``."""
        return f"{self.date.day} {self.date:%B %Y}"


@dataclass(frozen=True)
class Project:
    """A folder laid out as the workbench expects it.

    Attributes
    ----------
    root : pathlib.Path
        The folder that holds ``literature/``, ``notebooks/`` and ``reports/``.
    """

    root: Path

    @classmethod
    def find(cls, start: Path | str | None = None) -> Project:
        """Find the project that a folder belongs to.

        Parameters
        ----------
        start : path, optional
            Where to begin; by default the environment variable ``EVIDENCE_PROJECT``, else the
            working directory. The search goes upwards, so a notebook finds its project.

        Raises
        ------
        UsageError
            If neither the folder nor any above it holds ``literature/`` and ``_quarto.yml``.
        """
        begin = Path(start or os.environ.get("EVIDENCE_PROJECT") or Path.cwd()).resolve()
        for folder in (begin, *begin.parents):
            if (folder / "literature").is_dir() and (folder / "_quarto.yml").is_file():
                return cls(folder)
        raise UsageError(
            f"{begin} is not inside a project: no folder above it holds literature/ and "
            "_quarto.yml. Go to the project's folder, or set EVIDENCE_PROJECT to it."
        )

    @property
    def literature(self) -> Path:
        """Folder of the data packages, the bridge, the lessons and the rules."""
        return self.root / "literature"

    @property
    def notebooks(self) -> Path:
        """Folder of the parameterised notebooks."""
        return self.root / "notebooks"

    @property
    def reports(self) -> Path:
        """Folder of the brand, the fonts and the edition."""
        return self.root / "reports"

    @property
    def site(self) -> Path:
        """Folder of the published site; written anew by each batch."""
        return self.reports / "_site"

    @property
    def build(self) -> Path:
        """Folder of what is made on the way; may be deleted at any time."""
        return self.root / "build"

    @property
    def database(self) -> Path:
        """The embedded DuckDB database, a cache of the data packages."""
        return self.build / "evidence.duckdb"

    @property
    def local(self) -> Path:
        """Folder of the authorities' own data; never published."""
        return self.root / "local"

    def relative(self, path: Path) -> str:
        """Path as it is shown to people: from the project's folder, with forward slashes."""
        try:
            return path.resolve().relative_to(self.root).as_posix()
        except ValueError:
            return str(path)

    def edition(self) -> Edition:
        """Read ``reports/edition.yml``.

        Raises
        ------
        DataError
            If the file is missing, or an entry is missing or of the wrong kind.
        """
        path = self.reports / "edition.yml"
        name = self.relative(path)
        try:
            raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise DataError(
                [Fault(name, None, None, "missing-file", "the file does not exist")]
            ) from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise DataError([Fault(name, None, None, "bad-yaml", f"not YAML: {error}")]) from error
        entries = raw if isinstance(raw, dict) else {}
        faults = []
        if not (isinstance(entries.get("id"), str) and _EDITION_ID.fullmatch(entries["id"])):
            faults.append(
                Fault(name, None, "id", "bad-id", f"the id is {entries.get('id')!r}",
                      "lower-case letters, digits, dots and hyphens, at most 32")
            )  # fmt: skip
        if type(entries.get("date")) is not dt.date:
            faults.append(
                Fault(name, None, "date", "bad-date", f"the date is {entries.get('date')!r}",
                      "a date such as 2026-11-24")
            )  # fmt: skip
        if type(entries.get("seed")) is not int or entries["seed"] < 0:
            faults.append(
                Fault(name, None, "seed", "bad-seed", f"the seed is {entries.get('seed')!r}",
                      "a whole number, 0 or more")
            )  # fmt: skip
        if faults:
            raise DataError(faults)
        return Edition(entries["id"], entries["date"], entries["seed"])
