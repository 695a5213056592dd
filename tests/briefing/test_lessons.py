"""The lessons: the file, its checks, and what local data answer."""

import re

import pytest

from evidence.briefing.lessons import TESTS, lessons_block, lessons_items, read_lessons
from evidence.errors import DataError
from evidence.project import Project
from evidence.tables import Heading

GOOD = """
- id: a-lesson
  kind: method
  title: A title
  lesson: It advises something.
  cites: [axfordlittle2004]
  test: needs
  asks: Something would answer it.
"""


@pytest.fixture
def folder(tmp_path, project):
    (tmp_path / "literature").mkdir()
    for name in ("pyproject.toml", "_quarto.yml"):
        if (project.root / name).is_file():
            (tmp_path / name).write_bytes((project.root / name).read_bytes())
    return Project(tmp_path)


def write(folder, text):
    (folder.literature / "lessons.yml").write_text(text, encoding="utf-8")
    return folder


def test_every_lesson_of_the_report_has_its_own_local_test(project):
    lessons = read_lessons(project)
    assert [lesson.kind for lesson in lessons] == ["method"] * 5 + ["risk"] * 4
    assert {lesson.test for lesson in lessons} == set(TESTS)
    assert len({lesson.test for lesson in lessons}) == len(lessons)
    cited = {key for lesson in lessons for key in lesson.cites}
    assert cited == {"axfordlittle2004", "rr510", "axfordlittle2006"}


def test_a_good_file_is_read(folder):
    (lesson,) = read_lessons(write(folder, GOOD))
    assert lesson.id == "a-lesson"
    assert lesson.cited.text.endswith("[@axfordlittle2004]")


@pytest.mark.parametrize(
    ("old", "new", "column", "word"),
    [
        ("kind: method", "kind: hint", "a-lesson.kind", "method or risk"),
        ("test: needs", "test: guess", "a-lesson.test", "no local test"),
        ("It advises something.", "It advises 3 things.", "a-lesson.lesson", "digit"),
        ("It advises something.", "It advises", "a-lesson.lesson", "full stop"),
        ("title: A title", "title: ''", "a-lesson.title", "no text"),
        ("id: a-lesson", "id: A Lesson", "A Lesson.id", "no name"),
        ("cites: [axfordlittle2004]", "cites: []", "a-lesson.cites", "names no work"),
        ("cites: [axfordlittle2004]", "cites: ['x; @y']", "a-lesson.cites", "no key"),
        ("  asks: Something would answer it.\n", "", "a-lesson.asks", "missing"),
        ("  kind: method", "  kind: method\n  kind: risk", "a-lesson.kind", "twice"),
        ("  kind: method", "  kind: method\n  colour: red", "a-lesson.colour", "no field"),
    ],
)
def test_a_fault_names_file_line_entry_and_field(folder, old, new, column, word):
    assert old in GOOD
    with pytest.raises(DataError) as caught:
        read_lessons(write(folder, GOOD.replace(old, new)))
    (fault,) = caught.value.faults
    assert fault.file.endswith("literature/lessons.yml")
    assert (fault.row, fault.column) == (2, column)
    assert word in str(fault)


def test_all_faults_are_reported_at_once(folder):
    broken = GOOD.replace("kind: method", "kind: hint") + GOOD.replace("needs", "guess")
    with pytest.raises(DataError) as caught:
        read_lessons(write(folder, broken))
    assert [fault.code for fault in caught.value.faults] == [
        "bad-lesson", "bad-lesson", "duplicate-lesson",
    ]  # fmt: skip
    assert [fault.row for fault in caught.value.faults] == [2, 10, 10]


@pytest.mark.parametrize(
    "text", ["", "just words", "{a: 1}", "- [1, 2]", "- null", "a: [", "- !!python/object:os.x {}"]
)
def test_what_is_no_list_of_lessons_is_a_data_error(folder, text):
    with pytest.raises(DataError):
        read_lessons(write(folder, text))


def test_no_file_is_a_data_error(folder):
    with pytest.raises(DataError, match="cannot be read"):
        read_lessons(folder)


def answers(local, project, code, **coverage):
    worse = len(local.profiles[code].standing_out("worse"))
    counts = {"worse": worse, "with_trials": worse, "with_home_trials": worse,
              "without_trials": 0} | coverage  # fmt: skip
    items = lessons_items(local.profiles[code], local.spend[code], counts, read_lessons(project))
    return {lesson.test: answer.plain for lesson, answer in items}


def test_answers_come_from_the_places_own_data(local, project):
    said = answers(local, project, "E06000009", with_trials=9, with_home_trials=4, without_trials=2)
    assert "In Blackpool, 11 needs stand out as worse" in said["needs"]
    assert (
        "trials in this database speak to nine, British or Irish trials to four" in said["trials"]
    )
    assert "to two no trial here speaks" in said["trials"]
    assert "from 59.4% to 63.4% (England from 51.1% to 55.9%)" in said["money"]
    worse = local.profiles["E06000009"].standing_out("worse")
    rarest = worse[(worse["unit"] == "%") & (worse["polarity"] == "high-is-worse")]["value"].min()
    assert f"only {rarest:.1f}% of pupils" in said["net"]


def test_the_ages_add_up(local, project):
    words = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    for code, profile in local.profiles.items():
        total = len(profile.standing_out("worse"))
        said = answers(local, project, code)["ages"]
        if not said.startswith("Of the"):
            assert total < 2 or said.startswith("All") or not profile.comparable
            continue
        parts = re.findall(r"(\w+) shows? (?:before|in|at)", said)
        counts = [words.index(part) if part in words else int(part) for part in parts]
        assert sum(counts) == total, said


def test_what_national_data_cannot_answer_is_said_with_what_would(local, project):
    for code in ("E08000025", "E09000001"):
        said = answers(local, project, code)
        assert "silent" in said["views"]
        assert "Interviews or a survey" in said["views"]
        assert "No national figure says which services run" in said["trials"]
        assert "cannot be seen in national data" in said["net"]


def test_the_block_has_a_heading_a_lesson_and_an_answer_each(local, project):
    code = "E08000025"
    counts = {"worse": 7, "with_trials": 5, "with_home_trials": 2, "without_trials": 2}
    lessons = read_lessons(project)
    block = lessons_block(local.profiles[code], local.spend[code], counts, lessons)
    assert sum(isinstance(item, Heading) for item in block.items) == len(lessons)
    assert len(block.items) == 3 * len(lessons)
    assert block.markdown.count("**Here.**") == len(lessons)
    assert block.markdown.count("[@") == len(lessons)
