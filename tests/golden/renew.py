"""The golden edition: every number that the briefings of five authorities show.

`python tests/golden/renew.py` writes it anew; the change is then reviewed by `git diff` and
committed with what caused it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evidence.briefing import briefing_data
from evidence.facts import Fact
from evidence.project import Project

FOLDER = Path(__file__).resolve().parent
PLACES = {
    "E06000009": "Blackpool",
    "E06000053": "Isles of Scilly",
    "E08000025": "Birmingham",
    "E09000001": "City of London",
    "E10000016": "Kent",
}
"""A county, a city, a seaside town, and the two places too small for any comparison."""

# A fact that rests on more rows than these is told by the first and by how many there are.
_ROWS = 3
# Digits of values; the last ones differ between machines.
_DIGITS = 6


def pages(project: Project) -> dict[str, str]:
    """The golden files' names and content, from the data as they are.

    What all five briefings show (the evidence) is kept once, in ``all.json``. There is one fact to
    a line, sorted by what it is a fact of, so that a change of a number is a change of one line.
    """
    facts = {code: _lines(briefing_data(code, project=project).facts) for code in PLACES}
    shared = set.intersection(*map(set, facts.values()))
    content = {"all.json": sorted(shared)}
    content |= {f"{code}.json": sorted(set(lines) - shared) for code, lines in facts.items()}
    return {name: "[\n" + ",\n".join(lines) + "\n]\n" for name, lines in content.items()}


def _lines(facts: tuple[Fact, ...]) -> list[str]:
    return [json.dumps(_short(fact), ensure_ascii=False) for fact in facts]


def _short(fact: Fact) -> dict[str, Any]:
    """A fact without its identity and without what it leaves open."""
    rows = list(fact.inputs)
    if len(rows) > _ROWS:
        rows = [*rows[:_ROWS], f"{len(rows)} in all"]
    said = {
        "how": fact.how.removeprefix("evidence."), "of": rows, "note": fact.note,
        "assumptions": list(fact.assumptions), "kind": fact.kind, "unit": fact.unit,
        "text": fact.text, "value": _rounded(fact.value), "lower": _rounded(fact.lower),
        "upper": _rounded(fact.upper), "level": fact.level,
    }  # fmt: skip
    return {key: value for key, value in said.items() if value not in (None, "", [])}


def _rounded(value: Any) -> Any:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


if __name__ == "__main__":
    for name, text in pages(Project(FOLDER.parents[1])).items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"tests/golden/{name}: {text.count(chr(10)) - 2} facts")
