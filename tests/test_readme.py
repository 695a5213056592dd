"""What the README shows runs as it stands."""

import re
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def test_the_example_runs(project, monkeypatch, capsys):
    monkeypatch.chdir(project.root)
    example = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert example
    exec(compile(example[1], "README.md", "exec"), {})
    assert "prediction interval" in capsys.readouterr().out


def test_what_it_points_to_is_there(project):
    text = README.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (project.root / target).exists(), target
