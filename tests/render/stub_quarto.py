"""Stands for the program Quarto in tests: does with pandoc and Typst what Quarto is known to do.

It reads the project's ``_quarto.yml``, renders what that lists in order, names each input when it
begins, stops at the first that fails, and writes each output beside its input. `QUARTO_STUB` holds
JSON that tells it to misbehave and where to note what it was called with.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import yaml

PAGE = "<!DOCTYPE html>\n<html><head><title>$title$</title></head><body>\n$body$\n</body></html>\n"

# A filter of the user's runs in an environment of its own that holds these names, and is given to
# the document's `walk` with one more entry that is no function.
LOADER = """
local names = {{}}
for name in ([[assert collectgarbage dofile error getmetatable ipairs load loadfile next pairs pcall
    print rawequal rawget rawlen rawset select setmetatable tonumber tostring type _VERSION xpcall
    coroutine require package string utf8 table math io os debug FORMAT PANDOC_READER_OPTIONS
    PANDOC_WRITER_OPTIONS PANDOC_VERSION PANDOC_API_VERSION PANDOC_STATE pandoc lpeg
    re]]):gmatch("%S+") do
  names[name] = _G[name]
end
names._G = _G
names.PANDOC_SCRIPT_FILE = {path}
local filters = assert(loadfile({path}, "bt", setmetatable({{}}, {{ __index = names }})))()
function Pandoc(doc)
  for _, filter in ipairs(filters) do
    filter.scriptFile = {path}
    doc = doc:walk(filter) or doc
  end
  return doc
end
"""


def main() -> int:
    orders = json.loads(os.environ.get("QUARTO_STUB", "{}"))
    if sys.argv[1:] == ["--version"]:
        print(orders.get("version", "1.10.18"))
        return 0
    command, name = sys.argv[1:]
    assert command == "render"
    folder = Path(name)
    config = yaml.safe_load((folder / "_quarto.yml").read_text(encoding="utf-8"))
    inputs = config["project"]["render"]
    if "notes" in orders:
        seen = {"arguments": sys.argv[1:], "folder": str(Path.cwd()), "config": config,
                "inputs": {i: (folder / i).read_text(encoding="utf-8") for i in inputs},
                "files": sorted(str(p.relative_to(folder)) for p in folder.rglob("*")),
                "environment": dict(os.environ)}  # fmt: skip
        with Path(orders["notes"]).open("a", encoding="utf-8") as notes:
            notes.write(json.dumps(seen) + "\n")
    for number, each in enumerate(inputs, start=1):
        if len(inputs) > 1 and not orders.get("silent"):
            print(f"\r\x1b[34m[{number:2d}/{len(inputs)}] {each}\x1b[0m", file=sys.stderr)
        if not render(folder, folder / each, config, orders):
            print("\x1b[31mERROR: Error\n    at renderFiles (render.ts:1:1)", file=sys.stderr)
            return 1
    return 0


def render(folder: Path, source: Path, config: dict, orders: dict) -> bool:
    text = source.read_text(encoding="utf-8")
    front = yaml.safe_load(re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)[1])
    kind = front["format"]
    [rule] = config["filters"]
    assert rule["at"] == "pre-ast"
    options = config["format"][kind]
    template = folder / ("page.html" if kind == "html" else options["template"])
    if kind == "html":
        template.write_text(PAGE)
    loader = folder / "loader.lua"
    loader.write_text(LOADER.format(path=json.dumps(rule["path"])))
    made = source.with_suffix({"html": ".html", "typst": ".typ"}[kind])
    done = subprocess.run(
        [orders["pandoc"], "-f", "markdown", "-t", kind, "-s", f"--template={template}",
         f"--lua-filter={loader}", "-o", made.name, source.name,
         # Quarto raises headings for Typst where nothing else is said.
         f"--shift-heading-level-by={options.get('shift-heading-level-by', -(kind == 'typst'))}"],
        cwd=folder, check=False,
    )  # fmt: skip
    word = next((key for key in orders.get("words", {}) if key in source.stem + "." + kind), None)
    order = orders.get("words", {}).get(word)
    if order == "fail" or done.returncode:
        print("ERROR: it was told to fail\nsecond line", file=sys.stderr)
        return False
    if order == "hang":
        time.sleep(600)
    if order == "vanish":
        made.unlink()
        return True
    if order and kind == "html":
        old, new = order
        made.write_text(made.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    if kind == "typst":
        import typst

        assert options["pdf-standard"] == "ua-1"
        try:
            content = typst.compile(
                made, root=folder, font_paths=[folder / path for path in options["font-paths"]],
                ignore_system_fonts=True, pdf_standards=["ua-1"],
                timestamp=int(os.environ["SOURCE_DATE_EPOCH"]), format="pdf",
            )  # fmt: skip
        except typst.TypstError as error:
            print(f"error: {error}", file=sys.stderr)
            return False
        made.with_suffix(".pdf").write_bytes(content)
        made.unlink()
    return True


if __name__ == "__main__":
    sys.exit(main())
