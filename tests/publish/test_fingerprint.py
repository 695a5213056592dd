from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.files import sha256_of_files
from evidence.project import Project
from evidence.publish.fingerprint import (
    PARTS,
    fingerprint,
    fingerprint_json,
    read_fingerprint,
    sha256_of,
    why_stale,
)

content = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=5)


@given(content)
def test_order_of_keys_does_not_matter(values: dict[str, object]) -> None:
    assert sha256_of(values) == sha256_of(dict(reversed(values.items())))


def test_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        sha256_of({"a": float("nan")})


def make(project: Project, **changes: object) -> dict[str, str]:
    arguments: dict[str, object] = {
        "kind": "briefing",
        "notebook": project.root / "pyproject.toml",
        "parameters": {"authority": "x"},
        "data": {"a": 1},
        "engine": "embedded",
        "engine_version": "1",
    }
    return fingerprint(project, **(arguments | changes))  # type: ignore[arg-type]


def test_each_change_has_its_reason(project: Project) -> None:
    base = make(project)
    assert set(base) == set(PARTS) and why_stale(base, make(project)) == []
    assert why_stale(None, base) == ["it was never made"]
    assert why_stale(base, make(project, data={"a": 2})) == ["the data it uses changed"]
    assert why_stale(base, make(project, notebook=project.root / "Makefile")) == [
        "the notebook changed"
    ]
    for part in PARTS:
        assert len(why_stale(base | {part: "other"}, base)) == 1


def test_vouches_only_for_what_was_written(tmp_path: Path) -> None:
    output = tmp_path / "x.html"
    output.write_text("a")
    stored = tmp_path / "x.json"
    stored.write_text(fingerprint_json({"kind": "k"}, [output]))
    assert read_fingerprint(stored, [output]) == {"kind": "k"}
    output.write_text("b")
    assert read_fingerprint(stored, [output]) is None
    output.unlink()
    assert read_fingerprint(stored, [output]) is None
    stored.write_text("{")
    assert read_fingerprint(stored, []) is None


def test_files_count_by_name_and_content_not_by_place(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / "a.py").write_text("x")
    assert sha256_of_files(tmp_path / "one", "*.py") == sha256_of_files(tmp_path / "two", "*.py")
    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "a.py").write_text("x")
    assert sha256_of_files(tmp_path / "three", "*.py") != sha256_of_files(tmp_path / "one", "*.py")
