"""What the engine asks of Quarto, and what it makes of Quarto's answers.

Quarto is played by ``stub_quarto.py``, which does with pandoc and Typst what Quarto is known to do.
"""

import datetime as dt
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypandoc
import pytest
import yaml

from evidence.errors import UsageError
from evidence.publish.render import Document, renderer

STUB = Path(__file__).parent / "stub_quarto.py"

Orders = Callable[..., Path]


@pytest.fixture
def quarto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Orders:
    """Put the stub on PATH and give it orders; returns the file where it notes its calls."""
    program = tmp_path / "bin" / "quarto"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STUB}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    def order(**orders: Any) -> Path:
        notes = tmp_path / "notes.jsonl"
        pandoc = str(pypandoc.get_pandoc_path())
        monkeypatch.setenv(
            "QUARTO_STUB", json.dumps({"pandoc": pandoc, "notes": str(notes)} | orders)
        )
        return notes

    order()
    return order


def calls(notes: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]


def document(name: str, body: str = "## H\n\nWords.", **changes: Any) -> Document:
    made = Document(name, f"Title of {name}", "", "en-GB", dt.date(2026, 11, 24), body, {})
    return replace(made, **changes)


def test_both_engines_give_the_same_bytes(quarto, sample, rendered, project, tmp_path) -> None:
    results = renderer("quarto", project).render([sample], ["html", "pdf"], tmp_path / "out")
    assert [r.error for r in results] == [None, None]
    for result in results:
        assert result.path.read_bytes() == rendered[result.format].read_bytes()


def test_one_process_renders_many_documents(quarto, project, tmp_path, monkeypatch) -> None:
    notes = quarto()
    monkeypatch.setenv("QUARTO_PROFILE", "theirs")
    names = ["b", "a", "E10000016", "html"]
    results = renderer("quarto", project).render(
        [document(name) for name in names], ["html", "pdf"], tmp_path / "out"
    )
    assert [(r.document, r.format, r.error) for r in results] == [
        (name, kind, None) for name in names for kind in ("html", "pdf")
    ]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        f"{name}.{kind}" for name in names for kind in ("html", "pdf")
    )
    [call] = calls(notes)
    assert call["arguments"] == ["render", call["folder"]]
    assert not Path(call["folder"]).exists()
    # The date inside PDF files, and nothing of another Quarto around.
    assert call["environment"]["SOURCE_DATE_EPOCH"] == "1795478400"
    assert "QUARTO_PROFILE" not in call["environment"]
    config = call["config"]
    assert config["project"] == {"type": "default", "render": list(call["inputs"])}
    assert config["execute"] == {"enabled": False}
    assert config["filters"] == [{"at": "pre-ast", "path": "quarto.lua"}]
    assert config["format"]["typst"]["pdf-standard"] == "ua-1"
    # Every file that the settings name is there.
    typst = config["format"]["typst"]
    assert {"quarto.lua", typst["template"], *typst["font-paths"]} <= set(call["files"])


def test_an_input_cannot_be_executed_or_expanded(quarto, sample, project, tmp_path) -> None:
    """Quarto runs only what stands in other kinds of file, and expands only whole braces."""
    notes = quarto()
    hostile = replace(sample, title="{{< include /etc/passwd >}} --> ```{python}\n---", name="x")
    results = renderer("quarto", project).render([hostile], ["html", "pdf"], tmp_path / "out")
    assert [r.error for r in results] == [None, None]
    [call] = calls(notes)
    for name, text in call["inputs"].items():
        assert name.endswith(".md")
        assert "{{<" not in text and "\n```{python" not in text
        front = text.split("---\n")[1]
        assert yaml.safe_load(front)["lang"] == "en-GB"
        # No line of the body could be taken for the beginning of more settings.
        assert text.split("\n").count("---") == 2
    assert "{{&lt; include /etc/passwd &gt;}} --&gt;" in results[0].path.read_text(encoding="utf-8")


def test_figures_of_one_label_are_not_mixed_up(quarto, sample, project, tmp_path) -> None:
    drawing = sample.files["figures/fig-lines.svg"]
    marked = drawing.replace(b"</svg>", b"<desc>other</desc></svg>")
    other = replace(
        sample, name="other", files=dict(sample.files) | {"figures/fig-lines.svg": marked}
    )
    results = renderer("quarto", project).render([sample, other], ["html", "pdf"], tmp_path)
    assert [r.error for r in results] == [None] * 4
    embedded = renderer("embedded", project).render([other], ["html", "pdf"], tmp_path / "again")
    for ours, theirs in zip(results[2:], embedded, strict=True):
        assert ours.path.read_bytes() == theirs.path.read_bytes()


def test_dates_are_kept_apart(quarto, project, tmp_path) -> None:
    notes = quarto()
    early = document("early", date=dt.date(2025, 1, 31))
    results = renderer("quarto", project).render([document("late"), early], ["pdf"], tmp_path)
    assert [(r.document, r.error) for r in results] == [("late", None), ("early", None)]
    stamps = [call["environment"]["SOURCE_DATE_EPOCH"] for call in calls(notes)]
    assert stamps == ["1738281600", "1795478400"]
    assert b"D:20250131" in results[1].path.read_bytes()


@pytest.mark.parametrize("silent", [False, True])
def test_a_failure_takes_no_other_document_with_it(quarto, project, tmp_path, silent) -> None:
    notes = quarto(words={"bad": "fail", "odd.typst": "fail"}, silent=silent)
    names = ["a", "bad", "b", "odd", "c"]
    results = renderer("quarto", project).render(
        [document(name) for name in names], ["html", "pdf"], tmp_path / "out"
    )
    failed = {(r.document, r.format) for r in results if r.error}
    assert failed == {("bad", "html"), ("bad", "pdf"), ("odd", "pdf")}
    for result in results:
        written = (tmp_path / "out" / f"{result.document}.{result.format}").exists()
        assert written == result.ok == (result.path is not None)
        if result.error:
            first, *rest = result.error.splitlines()
            assert first == f"{result.document}: Quarto failed: ERROR: it was told to fail"
            assert "second line" in rest
    # Each that failed was tried again alone; as long as Quarto tells how far it came, what had
    # been done by then is not done again.
    sizes = [len(call["inputs"]) for call in calls(notes)]
    assert sizes.count(1) >= 3
    if not silent:
        assert sizes == [10, 1, 7, 1, 6, 1, 2]


def test_what_quarto_loses_is_noticed(quarto, sample, project, tmp_path) -> None:
    """A page that lacks something of its document, or would load something, is not published."""
    damage = {
        "figures": ('<img src="figures/fig-lines.svg"', "<b "),
        "alternative": ('alt="Falls', 'alt="" title="Falls'),
        "headings": ('scope="col"', ""),
        "tables": ("</table>", "</table><table><tr><td>1</td></tr></table>"),
        "facts": ("data-fact=", "data-lost="),
        "script": ("<p>", "<script src='https://example.org/x.js'></script><p>"),
        "picture": ("<p>", "<p><img alt='x' src='https://example.org/x.png'>"),
        "the text that the filter wrote": ("<!-- evidence: end -->", ""),
    }
    words = {f"doc{number}.html": change for number, change in enumerate(damage.values())}
    quarto(words=words)
    documents = [replace(sample, name=f"doc{number}") for number in range(len(damage))]
    results = renderer("quarto", project).render(documents, ["html"], tmp_path / "out")
    for word, result in zip(damage, results, strict=True):
        wanted = {"alternative": "no alternative text", "picture": "holds <img> https://"}
        assert result.error and wanted.get(word, word) in result.error, (word, result.error)
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_a_figure_without_a_size_stops_its_document_alone(quarto, project, tmp_path) -> None:
    body = '## H\n\n![c](figures/fig-a.svg){#fig-a fig-alt="x"}'
    bad = document("bad", body, files={"figures/fig-a.svg": b"<svg>"})
    results = renderer("quarto", project).render([bad, document("good")], ["html", "pdf"], tmp_path)
    assert [(r.document, r.ok) for r in results] == [
        ("bad", False), ("bad", False), ("good", True), ("good", True),
    ]  # fmt: skip


def test_a_file_that_was_not_made_is_an_error(quarto, project, tmp_path) -> None:
    quarto(words={"lost.html": "vanish"})
    lost, kept = renderer("quarto", project).render(
        [document("lost"), document("kept")], ["html"], tmp_path
    )
    assert kept.ok and not lost.ok and "Quarto failed" in lost.error


def test_a_hanging_quarto_is_ended(quarto, project, tmp_path, monkeypatch) -> None:
    from evidence.publish.render import quarto as engine

    monkeypatch.setattr(engine, "_PATIENCE", (3, 0))
    quarto(words={"stuck": "hang"})
    stuck, fine = renderer("quarto", project).render(
        [document("stuck"), document("fine")], ["html"], tmp_path
    )
    assert fine.ok and "took longer than 3 seconds" in stuck.error


def test_odd_characters_are_shown_as_missing(quarto, project, tmp_path) -> None:
    odd = document("odd", "## H\n\nŁódź and 東京.", title="T 東")
    results = renderer("quarto", project).render([odd], ["html", "pdf"], tmp_path / "q")
    again = renderer("embedded", project).render([odd], ["html", "pdf"], tmp_path / "e")
    for ours, theirs in zip(results, again, strict=True):
        assert ours.path.read_bytes() == theirs.path.read_bytes()
    assert "U+4EAC" in results[1].log


def test_what_is_asked_for_is_checked(quarto, project, tmp_path) -> None:
    engine = renderer("quarto", project)
    with pytest.raises(UsageError, match="no format 'docx'"):
        engine.render([], ["docx"], tmp_path)
    with pytest.raises(UsageError, match="the same name"):
        engine.render([document("a"), document("a")], ["html"], tmp_path)
    assert engine.render([], ["html", "pdf"], tmp_path) == []
