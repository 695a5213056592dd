"""Notebooks run for real, in kernels of their own."""

from pathlib import Path

import nbformat
import pytest

from evidence.publish.execute import NotebookError, execute


def notebook(tmp_path: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_code_cell("place = 'x'", metadata={"tags": ["parameters"]})]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    content = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )
    path = tmp_path / "source.ipynb"
    nbformat.write(content, path)
    return path


def test_parameters_are_data_not_code(tmp_path: Path) -> None:
    source = notebook(tmp_path, "print(place)")
    before = source.read_bytes()
    hostile = '\'; import os; os._exit(3) #\n""" \\'
    result = execute(source, {"place": hostile}, out=tmp_path / "o" / "n.ipynb", folder=tmp_path)
    assert result.cells[-1].outputs[0]["text"] == hostile + "\n"
    assert source.read_bytes() == before
    assert [p.name for p in (tmp_path / "o").iterdir()] == ["n.ipynb"]


def test_error_keeps_notebook_and_traceback(tmp_path: Path) -> None:
    out = tmp_path / "n.ipynb"
    with pytest.raises(NotebookError, match="ZeroDivisionError") as error:
        execute(notebook(tmp_path, "1 / 0"), {}, out=out, folder=tmp_path)
    assert "1 / 0" in error.value.traceback and "\x1b" not in error.value.traceback
    assert "ZeroDivisionError" in out.read_text()


def test_endless_cell_is_stopped(tmp_path: Path) -> None:
    source = notebook(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(NotebookError, match="longer than 1 second"):
        execute(source, {}, out=tmp_path / "n.ipynb", folder=tmp_path, timeout=1)


def test_dead_kernel_is_reported(tmp_path: Path) -> None:
    source = notebook(tmp_path, "import os; os._exit(1)")
    with pytest.raises(NotebookError, match="kernel died"):
        execute(source, {}, out=tmp_path / "n.ipynb", folder=tmp_path)


def test_kernel_takes_no_port_and_leaves_no_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("folder of temporary files " * 4)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    source = notebook(
        tmp_path,
        "import json, ipykernel.connect as c\n"
        "print(c.get_connection_file()); print(json.loads(c.get_connection_info())['transport'])",
    )
    result = execute(source, {}, out=tmp_path / "n.ipynb", folder=tmp_path)
    file, transport = result.cells[-1].outputs[0]["text"].split()
    assert transport == "ipc"
    assert not Path(file).parent.exists()
