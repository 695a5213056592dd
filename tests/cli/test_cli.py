"""The command line as people use it: real processes, what they print, how they end."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = Path(sys.executable).with_name("evidence")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run() -> Run:
    """Run the command in the project, or in another folder."""

    def call(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
        environment.pop("EVIDENCE_PROJECT", None)
        return subprocess.run(
            [str(EVIDENCE), *arguments], cwd=cwd, env=environment, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip

    return call


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project, to be broken."""
    root = tmp_path / "copy"
    root.mkdir()
    for name in ("literature", "notebooks"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copytree(ROOT / "reports", root / "reports", ignore=shutil.ignore_patterns("_site"))
    for name in ("_quarto.yml", "uv.lock"):
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ((), ("briefings", "literature", "sql", "--project", "--debug")),
        (("briefing",), ("GSS code or name", "--format", "--open", "--timeout")),
        (("briefings",), ("--all", "--region", "--workers", "--force")),
        (("literature",), ("check", "build", "show")),
        (("literature", "check"), ("file:row:column",)),
        (("literature", "build"), ("build/evidence.duckdb",)),
        (("literature", "show"), ("study, effect, construct, indicator",)),
        (("sql",), ("select count(*)", "--csv")),
    ],
)
def test_help_teaches(run: Run, command: tuple[str, ...], words: tuple[str, ...]) -> None:
    done = run(*command, "--help")
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    assert all(word in text for word in words), text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("briefing", "Atlantis"), ("Atlantis",)),
        (("briefing", "../../etc/passwd"), ("passwd",)),
        (("briefing", "[bold]x"), ("[bold]x",)),
        (("briefing", "Kent", "--format", "docx"), ("docx", "html")),
        (("briefing", "Kent", "--engine", "word"), ("word", "embedded")),
        (("briefings",), ("--all", "--region")),
        (("briefings", "--region", "Atlantis"), ("Atlantis",)),
        (("literature", "show", "nothing-of-this-name"), ("nothing-of-this-name",)),
        (("no-such-command",), ("no-such-command",)),
        (("briefing", "Kent", "--timeout", "soon"), ("--timeout", "number")),
    ],
)
def test_wrong_usage_says_what_is_wrong(
    run: Run, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""


def test_a_quarto_that_is_too_old_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "quarto"
    program.write_text("#!/bin/sh\necho 1.8.27\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    done = run("briefing", "Kent", "--engine", "quarto")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    words = " ".join(done.stderr.split())
    assert "Quarto 1.8.27" in words and "1.9 or later" in words and "--engine embedded" in words


def test_a_misspelt_authority_gets_a_hint(run: Run) -> None:
    done = run("briefing", "Birmingam")
    assert done.returncode == 2 and "Birmingham" in done.stderr


def test_outside_a_project(run: Run, tmp_path: Path) -> None:
    done = run("literature", "check", cwd=tmp_path)
    assert done.returncode == 2
    assert "not inside a project" in done.stderr and "Traceback" not in done.stderr
    elsewhere = run("--project", str(ROOT), "literature", "show", "E10000016", cwd=tmp_path)
    assert elsewhere.returncode == 0 and "Kent" in elsewhere.stdout


def test_debug_shows_where_it_went_wrong(run: Run) -> None:
    done = run("--debug", "briefing", "Atlantis")
    assert done.returncode != 0 and "Traceback" in done.stderr and "UsageError" in done.stderr


def test_faults_in_data_are_all_listed_and_nothing_is_made(run: Run, copy: Path) -> None:
    effects = copy / "literature" / "trials" / "effects.csv"
    lines = effects.read_text().splitlines()
    lines[1] = "," + lines[1].split(",", 1)[1]
    effect, _, rest = lines[2].split(",", 2)
    lines[2] = f"{effect},no-such-study,{rest}"
    effects.write_text("\n".join(lines) + "\n")
    for command in (("literature", "check"), ("briefing", "Kent")):
        done = run(*command, cwd=copy)
        assert done.returncode == 1, done.stderr
        assert "effects.csv:2:effect_id" in done.stderr and "no-such-study" in done.stderr
        assert "Traceback" not in done.stderr
    assert not (copy / "reports" / "_site").exists()


def test_sql_reads_and_cannot_write(run: Run, tmp_path: Path) -> None:
    done = run("sql", "select count(*) as n from trials.studies", "--csv")
    name, number = done.stdout.split()
    assert done.returncode == 0 and name == "n" and int(number) > 100
    target = tmp_path / "x.csv"
    for hostile in ("drop table trials.studies", f"copy (select 1) to '{target}'"):
        refused = run("sql", hostile)
        assert refused.returncode in (1, 2) and "Traceback" not in refused.stderr
    assert not target.exists()


def test_commands_start_quickly_because_they_import_late(run: Run) -> None:
    """Help and wrong usage load none of the heavy packages."""
    code = (
        "import sys; import evidence.cli; "
        "print([m for m in ('pandas', 'matplotlib', 'scipy', 'duckdb', 'papermill', 'typst') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
