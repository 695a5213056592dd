"""A small project made of rows of the real one, to be broken one file at a time."""

import csv
import io
import shutil
from pathlib import Path

from evidence.literature import build, check
from evidence.project import Project

AREAS = {"E92000001", "E12000001", "E06000001", "E06000053"}


class Copy:
    """A project folder whose CSV files tests may change."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.project = Project(root)

    def path(self, name):
        return self.root / "literature" / name

    def rows(self, name):
        with self.path(name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def write(self, name, rows, header=None):
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, header or list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        self.path(name).write_text(text.getvalue(), encoding="utf-8", newline="")

    def find(self, name, wanted=lambda row: True):
        """Line in the file and content of the first row that is as wanted."""
        for line, row in enumerate(self.rows(name), start=2):
            if wanted(row):
                return line, row
        raise AssertionError(f"no such row in {name}")

    def change(self, name, line, **cells):
        rows = self.rows(name)
        assert set(cells) <= set(rows[0])
        rows[line - 2].update(cells)
        self.write(name, rows)

    def spoil(self, name, change):
        """Put the bytes of a file through a function."""
        self.path(name).write_bytes(change(self.path(name).read_bytes()))

    def places(self, faults):
        """Faults as (file, line, column, code)."""
        return [
            (fault.file.removeprefix("literature/"), fault.row, fault.column, fault.code)
            for fault in faults
        ]

    def faults(self):
        """What the check says, as (file, line, column, code)."""
        return self.places(check(self.project))


def _shrink(target: Copy) -> None:
    effects = target.rows("trials/effects.csv")
    kept = [row for row in effects if row["construct_id"]][:25]
    kept += [row for row in effects if not row["construct_id"]][:10]
    # What the tests break must be there to be broken.
    for wanted in ("sd_i", "events_i", "p"):
        kept += [row for row in effects if row[wanted]][:3]
    effects = [row for row in effects if row in kept]
    unprinted = target.rows("trials/unprinted.csv")[:5]
    studies = {row["study_id"] for row in [*effects, *unprinted]}
    target.write("trials/effects.csv", effects)
    target.write("trials/unprinted.csv", unprinted)
    target.write(
        "trials/studies.csv",
        [row for row in target.rows("trials/studies.csv") if row["study_id"] in studies],
    )
    keys = {
        "effects": {row["effect_id"] for row in effects},
        "unprinted": {row["unprinted_id"] for row in unprinted},
        "studies": studies,
    }
    excluded = target.rows("trials/excluded.csv")
    left = [row for row in excluded
            if row["key"] in keys.get(row["file"].removesuffix(".csv"), {row["key"]})]  # fmt: skip
    target.write("trials/excluded.csv", left, header=list(excluded[0]))
    newest = {
        row["indicator_id"]: row["newest_period"] for row in target.rows("places/indicators.csv")
    }
    target.write(
        "places/observations.csv",
        [
            row
            for row in target.rows("places/observations.csv")
            if row["area_code"] in AREAS and row["period"] == newest[row["indicator_id"]]
        ],
    )


def make_small(source: Path, root: Path) -> Copy:
    """Fill a folder with a small project that has no fault, its database built."""
    for name in ("trials", "places"):
        shutil.copytree(source / "literature" / name, root / "literature" / name)
    shutil.copy(source / "literature" / "bridge.csv", root / "literature" / "bridge.csv")
    (root / "_quarto.yml").write_text("")
    copy = Copy(root)
    _shrink(copy)
    build(copy.project)
    return copy
