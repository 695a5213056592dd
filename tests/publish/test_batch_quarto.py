"""The batch with an engine that renders many documents in one process."""

import json
import sys
from pathlib import Path

import pypandoc
import pytest

STUB = Path(__file__).resolve().parents[1] / "render" / "stub_quarto.py"


@pytest.fixture
def notes(small, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Puts the stub of Quarto on PATH; it notes its calls in this file."""
    program = small.root / "bin" / "quarto"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STUB}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    path = small.root / "notes.jsonl"
    orders = {"pandoc": str(pypandoc.get_pandoc_path()), "notes": str(path),
              "words": {"unprintable.typst": "fail"}}  # fmt: skip
    monkeypatch.setenv("QUARTO_STUB", json.dumps(orders))
    return path


def test_a_chunk_is_rendered_together_and_fails_apart(small, notes: Path) -> None:
    codes = ["a", "raises", "b", "unprintable", "c", "d", "e"]
    code, outcomes, _ = small.run(*codes, engine="quarto")
    assert code == 1 and set(outcomes) == set(codes)
    assert {c for c in codes if outcomes[c][1] == "failed"} == {"raises", "unprintable"}
    told = outcomes["unprintable"][2]
    assert told == "pdf: unprintable: Quarto failed: ERROR: it was told to fail"
    assert "second line" in Path(outcomes["unprintable"][3]).read_text()
    for name in "abcde":
        assert outcomes[name][1] == "made"
        assert f"Words about {name}" in small.page(name).read_text()
        assert small.page(name, "pdf").read_bytes().startswith(b"%PDF")
    assert not small.page("unprintable").exists()
    calls = [json.loads(line) for line in notes.read_text().splitlines()]
    together = [sorted({Path(name).stem[5:] for name in call["inputs"]}) for call in calls]
    # One process for what one worker had made ready, without what had failed before; what Quarto
    # had not come to when it stopped is taken up again.
    assert ["a", "b"] in together and ["c", "d", "unprintable"] in together
    assert ["c", "d"] in together and ["unprintable"] in together
    # What is right is kept; a chunk that lost its worker is made again, one by one.
    code, outcomes, _ = small.run("a", "b", "c", "worker-dies", "f", engine="quarto")
    assert code == 1 and [outcomes[name][1] for name in ("a", "b", "c", "f")] == [
        "kept", "kept", "kept", "made",
    ]  # fmt: skip
    assert "process died" in outcomes["worker-dies"][2]
    # The embedded engine would make other documents, so far as fingerprints know.
    _, outcomes, _ = small.run("a", engine="embedded")
    assert "another engine renders it" in outcomes["a"][2]
