"""Which engine renders, and what is said where Quarto cannot."""

from pathlib import Path

import pytest

from evidence.errors import UsageError
from evidence.project import Project
from evidence.publish.render import renderer


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put a program called quarto on an otherwise empty PATH, or none."""

    def put(script: str = "") -> None:
        folder = tmp_path / "a folder"
        folder.mkdir(exist_ok=True)
        if script:
            program = folder / "quarto"
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return put


def test_without_quarto_the_embedded_engine_renders(on_path, project: Project) -> None:
    on_path()
    assert renderer("auto", project).name == "embedded"
    assert renderer("embedded", project).version.startswith("embedded, pandoc ")
    with pytest.raises(UsageError, match=r"not on PATH: install Quarto 1\.9 or later.*embedded"):
        renderer("quarto", project)


@pytest.mark.parametrize("version", ["1.9.0", "1.10.18", "2.0.1-rc.1", "99.9.9"])
def test_quarto_renders_where_it_is_new_enough(on_path, project: Project, version: str) -> None:
    on_path(f"echo {version}")
    for name in ("auto", "quarto"):
        chosen = renderer(name, project)
        assert (chosen.name, chosen.version) == ("quarto", f"quarto {version}")
    assert renderer("embedded", project).name == "embedded"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 1.8.27", r"Quarto 1\.8\.27 \(.*quarto\) is too old.*Install Quarto 1\.9 or later"),
        ("echo 0.9.1", "is too old"),
        ("echo hello", "answers 'hello', so it is not Quarto"),
        ("exit 3", "does not start"),
    ],
)
def test_an_unfit_quarto_is_told_and_passed_over(
    on_path, project: Project, script: str, words: str
) -> None:
    on_path(script)
    assert renderer("auto", project).name == "embedded"
    with pytest.raises(UsageError, match=words) as error:
        renderer("quarto", project)
    assert "use --engine embedded" in str(error.value)


def test_engines_and_formats_are_checked(project: Project, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no engine 'latex': use auto, quarto, embedded"):
        renderer("latex", project)
    with pytest.raises(UsageError, match="no format 'docx'"):
        renderer("embedded", project).render([], ["docx"], tmp_path)
