"""Each way in which a table can be wrong is told as file:row:column, and changes nothing.

Whatever reads the tables is tried: the check, the build, the database, the readers and a run of
briefings. Every file of the project is compared byte by byte before and after.
"""

import hashlib
import re
import subprocess
import sys
import time

import pytest

from evidence.errors import DataError
from evidence.literature import build, check, connect, read_trials
from evidence.publish.batch import run_batch

EFFECTS = "trials/effects.csv"
STUDIES = "trials/studies.csv"
COSTS = "trials/costs.csv"
PLACE = re.compile(r"literature/[a-z/]+\.csv:[1-9][0-9]*:[a-z_0-9]+: ")


def state(root):
    """Every file and its content, but the lock of a run, which is there or not."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "run.lock" and path.stat().st_size < 100_000_000
    }


def refused(copy, file, row, column, code, *advice, at_reading=False):
    """Everything refuses the project for this fault alone, in this place, and changes nothing."""
    before = state(copy.root)
    faults = check(copy.project)
    assert {(f.file, f.row, f.column, f.code) for f in faults} == {
        (f"literature/{file}", row, column, code)
    }
    for words in advice:
        assert words in faults[0].suggestion
    shown = str(faults[0])
    assert shown.startswith(f"literature/{file}:{row}:{column}: ") and PLACE.match(shown)
    with pytest.raises(DataError) as connected:
        connect(copy.project)
    with pytest.raises(DataError) as run:
        run_batch(copy.project, {"E06000001": "Hartlepool"}, workers=1, engine="embedded")
    assert shown in str(connected.value) and shown in str(run.value)
    if at_reading:
        with pytest.raises(DataError) as read:
            read_trials(copy.project)
        assert shown in str(read.value)
    assert state(copy.root) == before


def test_the_project_is_right_until_it_is_broken(published):
    assert check(published.project, fresh=True) == []


def test_a_missing_column(copy):
    rows = [{k: v for k, v in row.items() if k != "sd_c"} for row in copy.rows(EFFECTS)]
    copy.write(EFFECTS, rows)
    refused(copy, EFFECTS, 1, "sd_c", "missing-column", at_reading=True)


def test_reordered_headers_are_refused(copy):
    """Also where the cells move along: a table has one order, so that changes can be compared."""
    rows = copy.rows(EFFECTS)
    header = list(rows[0])
    one, other = header.index("n_i"), header.index("n_c")
    header[one], header[other] = "n_c", "n_i"
    copy.write(EFFECTS, rows, header=header)
    refused(copy, EFFECTS, 1, "n_c", "column-order", "effect_id,", at_reading=True)


def test_headers_that_changed_places_without_their_cells(copy):
    names = (b",total_i,", b",events_i,")
    copy.spoil(
        EFFECTS,
        lambda text: (
            text.replace(names[0], b",@,", 1).replace(names[1], names[0], 1)
            .replace(b",@,", names[1], 1)
        ),
    )  # fmt: skip
    first = min(names, key=copy.path(EFFECTS).read_bytes().index)[1:-1].decode()
    refused(copy, EFFECTS, 1, first, "column-order", at_reading=True)


def test_a_typing_error_in_a_vocabulary(copy):
    line, _ = copy.find(EFFECTS, lambda row: row["favours"] == "intervention")
    copy.change(EFFECTS, line, favours="intervetnion")
    refused(copy, EFFECTS, line, "favours", "not-in-vocabulary", "'intervention'?")


def test_a_negative_standard_deviation(copy):
    line, row = copy.find(EFFECTS, lambda row: row["sd_i"])
    copy.change(EFFECTS, line, sd_i="-" + row["sd_i"])
    refused(copy, EFFECTS, line, "sd_i", check(copy.project)[0].code)


@pytest.mark.parametrize("text", ["inf", "-Infinity", "1e400"])
def test_a_number_without_end(copy, text):
    line, _ = copy.find(EFFECTS, lambda row: row["effect"])
    copy.change(EFFECTS, line, effect=text)
    refused(copy, EFFECTS, line, "effect", "not-finite", at_reading=True)


def test_words_where_numbers_stand(copy):
    rows = [row | {"amount": "True"} for row in copy.rows(COSTS)]
    copy.write(COSTS, rows)
    with pytest.raises(DataError, match=r"literature/trials/costs\.csv:2:amount: 'True'"):
        read_trials(copy.project)


def test_an_interval_that_misses_its_estimate(copy):
    line, row = copy.find(
        EFFECTS, lambda row: row["ci_high"] and row["effect_type"] in {"MD", "SMD"}
    )
    copy.change(EFFECTS, line, ci_high=row["ci_low"])
    refused(copy, EFFECTS, line, "effect", "interval-misses-effect", "look at the source")


def test_a_duplicate_key(copy):
    rows = copy.rows(COSTS)
    copy.write(COSTS, [rows[0], *rows])
    refused(copy, COSTS, 3, "cost_id", "duplicate-key")


def test_a_foreign_key_to_nothing(copy):
    line, row = copy.find(EFFECTS)
    copy.change(EFFECTS, line, study_id=row["study_id"] + "x")
    refused(copy, EFFECTS, line, "study_id", "points-to-nothing", repr(row["study_id"]))


@pytest.mark.parametrize(
    ("what", "code"),
    [(b"\xe9", "not-utf-8"), (b"\x00", "nul"), (b'"', "open-quote"),
     (b"\xc2\x9b", "control-character")],
)  # fmt: skip
def test_bytes_that_no_table_holds(copy, what, code):
    lines = copy.path(STUDIES).read_bytes().split(b"\n")
    line = next(n for n, text in enumerate(lines, 1) if n > 1 and b'"' not in text)
    row = copy.rows(STUDIES)[line - 2]
    authors = row["authors"].encode()
    assert authors in lines[line - 1]
    start = lines[line - 1].index(authors)
    lines[line - 1] = lines[line - 1][:start] + what + lines[line - 1][start:]
    copy.path(STUDIES).write_bytes(b"\n".join(lines))
    refused(copy, STUDIES, line, "authors", code, at_reading=True)


@pytest.mark.parametrize("lost", [1, 40])
def test_a_truncated_file(copy, lost):
    """Cut off in its last record or, at the least, before the last line feed."""
    table = "trials/costs.csv"
    whole = copy.path(table).read_bytes()
    copy.spoil(table, lambda text: text[:-lost])
    faults = check(copy.project)
    last = whole.count(b"\n")
    assert {fault.code for fault in faults} <= {"truncated", "ragged-row", "open-quote"}
    assert {fault.row for fault in faults} == {last}
    before = state(copy.root)
    with pytest.raises(DataError, match=rf"literature/{table}:{last}:[a-z_]+: "):
        build(copy.project)
    assert state(copy.root) == before


def test_an_empty_file(copy):
    copy.spoil(STUDIES, lambda text: b"")
    refused(copy, STUDIES, 1, "study_id", "empty-file", at_reading=True)


def test_a_cell_of_100_kilobytes_is_refused(copy):
    """It would survive everywhere, but no cell of a reviewed table is so long: 1,000 characters."""
    line, _ = copy.find(STUDIES)
    copy.change(STUDIES, line, title="x" * 100_000)
    refused(copy, STUDIES, line, "title", "too-long", "at most 1,000 characters")


def test_a_long_word_in_a_key_or_vocabulary_is_told_at_once(copy):
    """Looking for the nearest term would take minutes."""
    rows = copy.rows(EFFECTS)
    for row in rows:
        row["study_id"], row["favours"] = "ab" * 30_000, "cd" * 30_000
    copy.write(EFFECTS, rows)
    before = time.process_time()
    assert {"points-to-nothing", "not-in-vocabulary"} & {
        fault.code for fault in check(copy.project)
    }
    assert time.process_time() - before < 20


@pytest.mark.parametrize("size", [1_000_000_000, 120_000_000])
def test_a_huge_file_without_a_line(copy, size):
    """A sparse file, which takes no room; one is above the size of any table, one below."""
    with copy.path(EFFECTS).open("wb") as file:
        file.truncate(size)
    assert copy.path(EFFECTS).stat().st_blocks * 512 < 1_000_000
    code = "too-large" if size > 128_000_000 else "line-too-long"
    # The whole check in a process of its own, so that the memory is its own. The kernel hands the
    # peak of getrusage on from parent to child, so /proc is asked where there is one.
    program = (
        "import atexit, pathlib, re, resource, sys\n"
        "def peak():\n"
        "    status = pathlib.Path('/proc/self/status')\n"
        "    kib = (re.search(r'VmHWM:\\s+(\\d+)', status.read_text())[1] if status.exists()\n"
        "           else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
        "    print(kib)\n"
        "atexit.register(peak)\n"
        "from evidence.literature import check\n"
        "from evidence.project import Project\n"
        "for fault in check(Project(pathlib.Path(sys.argv[1]))):\n"
        "    print(fault, file=sys.stderr)\n"
    )
    before, begin = state(copy.root), time.monotonic()
    done = subprocess.run([sys.executable, "-c", program, str(copy.root)], text=True,
                          capture_output=True, check=True)  # fmt: skip
    assert done.stderr.startswith("literature/trials/effects.csv:1:effect_id: ")
    assert f"[{code}]" in done.stderr
    assert int(done.stdout) < 200_000
    assert time.monotonic() - begin < 20
    assert state(copy.root) == before


def test_the_command_line_refuses_a_huge_file_in_seconds(copy):
    with copy.path(EFFECTS).open("wb") as file:
        file.truncate(1_000_000_000)
    before, begin = state(copy.root), time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", "from evidence.cli import main; main()", "--project", str(copy.root),
         "literature", "check"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "literature/trials/effects.csv:1:effect_id: the file has 1,000,000,000 bytes" in told
    assert time.monotonic() - begin < 30
    assert state(copy.root) == before
