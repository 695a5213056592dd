"""What `quarto render NOTEBOOK` by hand goes by: `_quarto.yml` and the notebook filter."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parents[2]
FILTER = ROOT / "tools" / "notebook_filter.py"


def filtered(notebook: nbformat.NotebookNode, folder: Path) -> tuple[nbformat.NotebookNode, str]:
    """What Quarto reads after the filter, run as Quarto runs it, and what the filter says."""
    done = subprocess.run(
        [sys.executable, "-I", str(FILTER)], input=nbformat.writes(notebook).encode(),
        capture_output=True, cwd=folder, check=True,
    )  # fmt: skip
    result = nbformat.reads(done.stdout.decode(), as_version=4)
    nbformat.validate(result)
    return result, done.stderr.decode()


def test_settings_name_files_that_exist() -> None:
    settings = yaml.safe_load((ROOT / "_quarto.yml").read_text(encoding="utf-8"))
    for name in (settings["brand"], settings["bibliography"], settings["csl"],
                 *settings["ipynb-filters"]):  # fmt: skip
        assert (ROOT / name).is_file(), name
    # What the format needs so that nothing is loaded from elsewhere and Typst cites as HTML does.
    assert settings["format"]["html"]["embed-resources"] is True
    assert settings["format"]["html"]["html-math-method"] == "mathml"
    assert settings["format"]["typst"]["citeproc"] is True
    assert settings["number-sections"] is True and settings["execute"]["enabled"] is False
    # Every string that is also a file's name would be taken for that file.
    for value in ("default", "en-GB", "mathml", "ua-1", "a4"):
        assert not (ROOT / value).exists()


def test_the_brand_holds_only_what_quarto_knows() -> None:
    brand = yaml.safe_load((ROOT / "reports" / "_brand.yml").read_text(encoding="utf-8"))
    assert set(brand) <= {"meta", "logo", "color", "typography", "defaults"}
    assert set(brand["color"]) <= {
        "palette", "foreground", "background", "primary", "secondary", "tertiary", "success",
        "info", "warning", "danger", "light", "dark", "link",
    }  # fmt: skip
    known = {"fonts", "base", "headings", "monospace", "monospace-inline", "monospace-block"}
    assert set(brand["typography"]) <= known | {"link"}
    for font in brand["typography"]["fonts"]:
        assert set(font) == {"family", "source", "files"} and font["source"] == "file"
        for file in font["files"]:
            assert set(file) <= {"path", "weight", "style"}
            assert (ROOT / "reports" / file["path"]).is_file()


def test_only_markdown_is_left_of_what_is_there_as_markdown(tmp_path, sample_notebook) -> None:
    sample_notebook.cells[1].metadata["papermill"] = {"duration": 1.5}
    sample_notebook.cells[1].metadata["execution"] = {"iopub.execute_input": "2026"}
    sample_notebook.cells[2].metadata["tags"] = []
    sample_notebook.metadata["papermill"] = {"output_path": "/somewhere"}
    before = json.dumps(sample_notebook)
    result, said = filtered(sample_notebook, tmp_path)
    assert said == "" and json.dumps(sample_notebook) == before
    assert "papermill" not in nbformat.writes(result)
    assert [cell.source for cell in result.cells] == [c.source for c in sample_notebook.cells]
    outputs = [o for cell in result.cells for o in cell.get("outputs", ()) if "data" in o]
    assert len(outputs) >= 6 and all(set(o.data) == {"text/markdown"} for o in outputs)
    assert all(cell.metadata.get("tags", ["x"]) for cell in result.cells)
    assert "execution" not in result.cells[1].metadata


def test_other_outputs_stay(tmp_path, notebook_of) -> None:
    data = {"text/html": "<b>1</b>", "text/plain": "1"}
    output = nbformat.v4.new_output("execute_result", data, execution_count=1)
    cell = nbformat.v4.new_code_cell("1", execution_count=1, outputs=[output])
    result, _ = filtered(nbformat.v4.new_notebook(cells=[cell]), tmp_path)
    assert dict(result.cells[0].outputs[0].data) == data


def test_a_notebook_that_was_not_run_says_so(tmp_path) -> None:
    notebook = nbformat.read(ROOT / "notebooks" / "briefing.ipynb", as_version=4)
    result, said = filtered(notebook, tmp_path)
    assert "has not been run" in said
    assert result.cells[0].cell_type == "raw" and "has not been run" in result.cells[1].source
    assert len(result.cells) == len(notebook.cells) + 1
    words = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("Words only.")])
    assert filtered(words, tmp_path)[0].cells == words.cells
