import csv
import datetime as dt
import io
import os
from pathlib import Path

import pandas as pd
import pytest

from evidence.files import csv_text, sha256_of_files, write_atomically, write_parquet


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "é file.txt"
    write_atomically(path, "one\n")
    write_atomically(path, b"two\n")
    assert path.read_bytes() == b"two\n"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_failure_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_atomically(tmp_path / "file", "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_frames_are_written_whole_and_categories_as_text(tmp_path):
    frame = pd.DataFrame({"a": pd.Categorical(["x", "y"]), "b": [1.5, None]}, index=[7, 8])
    path = write_parquet(frame, tmp_path / "deep" / "frame.parquet")
    back = pd.read_parquet(path)
    assert back["a"].tolist() == ["x", "y"]
    assert not isinstance(back["a"].dtype, pd.CategoricalDtype)
    assert list(back.index) == [0, 1]
    assert [each.name for each in path.parent.iterdir()] == ["frame.parquet"]


def test_a_folder_hash_follows_names_and_contents(tmp_path):
    (tmp_path / "a.py").write_text("x")
    one = sha256_of_files(tmp_path, "*.py")
    sha256_of_files.cache_clear()
    (tmp_path / "b.txt").write_text("no matter")
    assert sha256_of_files(tmp_path, "*.py") == one
    sha256_of_files.cache_clear()
    (tmp_path / "a.py").rename(tmp_path / "c.py")
    assert sha256_of_files(tmp_path, "*.py") != one


FORMULAS = ["=cmd()|' /C calc'!A0", "+1+cmd()", "-2+3", "@SUM(A1)", "\tx", '=HYPERLINK("x","y")']


def test_no_cell_of_a_csv_file_is_a_formula() -> None:
    frame = pd.DataFrame({
        "text": pd.Series(FORMULAS, dtype="str"),
        "kind": pd.Categorical(FORMULAS),
        "mixed": [*FORMULAS[:-2], None, -1.5],
        "number": [-1.5, 2.0, float("nan"), 0.0, 1e-7, -3.0],
        "whole": pd.array([-1, 2, None, 4, 5, 6], dtype="Int64"),
        "day": pd.to_datetime([dt.date(2026, 1, 1)] * 6),
        "=cmd()": 1,
    })  # fmt: skip
    before = frame.copy()
    rows = list(csv.reader(io.StringIO(csv_text(frame), newline=""), strict=True))
    assert rows[0] == ["text", "kind", "mixed", "number", "whole", "day", "'=cmd()"]
    for row, formula in zip(rows[1:], FORMULAS, strict=True):
        assert row[0] == row[1] == f"'{formula}"
    assert [row[2] for row in rows[1:]] == [*(f"'{f}" for f in FORMULAS[:-2]), "", "-1.5"]
    assert [row[3] for row in rows[1:]] == ["-1.5", "2.0", "", "0.0", "1e-07", "-3.0"]
    assert [row[4] for row in rows[1:]] == ["-1", "2", "", "4", "5", "6"]
    assert rows[1][5] == "2026-01-01"
    pd.testing.assert_frame_equal(frame, before)
    assert csv_text(pd.DataFrame()) == "\n"
