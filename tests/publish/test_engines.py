from pathlib import Path

import pytest

from evidence.errors import UsageError
from evidence.project import Project
from evidence.publish.render import renderer


def test_engines_and_formats_are_checked(project: Project, tmp_path: Path) -> None:
    assert renderer("auto", project).name == "embedded"
    assert renderer("embedded", project).version.startswith("embedded, pandoc ")
    with pytest.raises(UsageError, match=r"Quarto .*use --engine embedded"):
        renderer("quarto", project)
    with pytest.raises(UsageError, match="no engine 'latex'"):
        renderer("latex", project)
    with pytest.raises(UsageError, match="no format 'docx'"):
        renderer("auto", project).render([], ["docx"], tmp_path)
