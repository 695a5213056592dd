"""Makes a notebook fit for Quarto, which runs this between reading and rendering it.

Outputs that are there as Markdown lose their other forms: those are for JupyterLab, and the HTML
among them would keep figures and tables from being numbered and add scripts from elsewhere to the
page. Marks of the run are dropped, so that the same notebook gives the same page. Reads the
notebook from standard input and writes it to standard output; needs nothing but Python.
"""

import json
import sys

NOT_RUN = """::: {.callout-important title="This notebook has not been run"}

Quarto shows the outputs that are in a notebook and there are none. Run its cells in JupyterLab
(`make lab`) and save it under another name, or make a briefing with `evidence briefing` and render
the notebook that it leaves in `build/notebooks`.

:::"""


def fit(notebook: dict) -> dict:
    """Change a notebook in place, and give it back."""
    shown = False
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            shown = shown or bool(cell["outputs"])
            for output in cell["outputs"]:
                data = output.get("data", {})
                if "text/markdown" in data:
                    output["data"] = {"text/markdown": data["text/markdown"]}
        for name in ("papermill", "execution"):
            cell["metadata"].pop(name, None)
        if not cell["metadata"].get("tags", True):
            del cell["metadata"]["tags"]
    notebook["metadata"].pop("papermill", None)
    if not shown and any(cell["cell_type"] == "code" for cell in notebook["cells"]):
        print("This notebook has not been run: the page says so and shows no more.",
              file=sys.stderr)  # fmt: skip
        first = int(notebook["cells"][0]["cell_type"] == "raw")
        notebook["cells"].insert(
            first, {"cell_type": "markdown", "id": "not-run", "metadata": {}, "source": [NOT_RUN]}
        )
    return notebook


if __name__ == "__main__":
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    json.dump(fit(json.load(sys.stdin)), sys.stdout, ensure_ascii=False)
