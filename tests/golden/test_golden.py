"""No number of the golden edition changes unseen."""

import difflib
import importlib.util
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent
RENEW = "python tests/golden/renew.py"


@pytest.fixture(scope="module")
def golden(project):
    """The golden files as the data make them now."""
    spec = importlib.util.spec_from_file_location("golden_renew", FOLDER / "renew.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages(project)


def changes(old: str, new: str, name: str) -> str:
    """The lines that differ, without their surroundings."""
    return "\n".join(
        difflib.unified_diff(old.splitlines(), new.splitlines(), name, f"{name} now", "", "", 0, "")
    )


def test_the_numbers_are_those_of_the_golden_edition(golden) -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    differ = [
        changes(kept.get(name, ""), golden.get(name, ""), name)
        for name in sorted({*kept, *golden})
        if kept.get(name) != golden.get(name)
    ]
    if differ:
        pytest.fail(
            "\n".join(differ) + "\n\nThe numbers above have changed. If they should, renew the "
            f"golden edition with `{RENEW}` and commit it with what changed them.",
            pytrace=False,
        )


def test_a_changed_number_shows_as_one_line(golden) -> None:
    name, text = "E10000016.json", golden["E10000016.json"]
    fact = json.loads(text)[0]
    changed = text.replace(f'"text": "{fact["text"]}"', '"text": "changed"', 1)
    shown = changes(text, changed, name).splitlines()
    assert [line[:1] for line in shown] == ["-", "+", "@", "-", "+"]
    assert '"changed"' in shown[-1] and fact["how"] in shown[-1]
