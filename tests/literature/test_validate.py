"""Each fault is found, at its file, line and column, and nothing is changed by finding it."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import DataError, Fault
from evidence.literature import build, check, validate
from evidence.literature.cells import cell_faults
from evidence.literature.guard import MOST_FAULTS
from evidence.literature.package import all_tables, read_package
from evidence.literature.validate import rules

EFFECTS = "trials/effects.csv"
STUDIES = "trials/studies.csv"
OBSERVATIONS = "places/observations.csv"


def expect(copy, *expected):
    """A build finds exactly these faults, and leaves the old database as it was."""
    before = copy.project.database.read_bytes()
    with pytest.raises(DataError) as caught:
        build(copy.project)
    found = copy.places(caught.value.faults)
    assert found == sorted(expected, key=lambda each: (each[0], each[1] is None, each[1]))
    assert copy.project.database.read_bytes() == before
    assert not list(copy.project.build.glob(".database.*"))


def test_the_shipped_data_have_no_fault(project):
    assert check(project, fresh=True) == []


def test_a_small_copy_has_no_fault(small):
    assert check(small.project, fresh=True) == []


# -- bytes and headers


@pytest.mark.parametrize(
    ("instead", "code", "column"),
    [
        (b"\nE06000001,\xe9", "not-utf-8", "short_name"),
        (b"\nE06000001,\0", "nul", "short_name"),
        (b'\nE06000001,"', "open-quote", "short_name"),
        (b"\nE06000001,,", "ragged-row", "column 13"),
        (b"\n\nE06000001,", "blank-line", "area_code"),
    ],
)
def test_bytes_that_no_table_holds(copy, instead, code, column):
    line, _ = copy.find("places/authorities.csv", lambda row: row["area_code"] == "E06000001")
    copy.spoil("places/authorities.csv", lambda text: text.replace(b"\nE06000001,", instead, 1))
    expect(copy, ("places/authorities.csv", line, column, code))


def test_a_file_cut_off_in_its_last_record(copy):
    lines = copy.path("places/neighbours.csv").read_bytes().count(b"\n")
    copy.spoil("places/neighbours.csv", lambda text: text[:-12])
    expect(
        copy,
        ("places/neighbours.csv", lines, "closeness", "truncated"),
        ("places/neighbours.csv", lines, "model_year", "ragged-row"),
    )


def test_an_empty_file(copy):
    copy.spoil(STUDIES, lambda text: b"")
    expect(copy, (STUDIES, 1, "study_id", "empty-file"))


def test_a_file_that_is_not_there(copy):
    copy.path(STUDIES).unlink()
    expect(copy, (STUDIES, None, None, "missing-file"))


def test_a_file_that_nobody_described(copy):
    copy.path("trials/extra.csv").write_text("a\n")
    expect(copy, ("trials/extra.csv", None, None, "not-described"))


def test_a_huge_file_without_lines(copy):
    with copy.path(EFFECTS).open("wb") as file:
        file.truncate(1_000_000_000)
    before = time.monotonic()
    assert copy.faults() == [(EFFECTS, 1, "effect_id", "too-large")]
    assert time.monotonic() - before < 10


def test_a_missing_column(copy):
    rows = [{k: v for k, v in row.items() if k != "sd_c"} for row in copy.rows(EFFECTS)]
    copy.write(EFFECTS, rows)
    expect(copy, (EFFECTS, 1, "sd_c", "missing-column"))


def test_a_misspelt_column_is_both_missing_and_unknown_and_the_near_name_is_said(copy):
    copy.spoil(EFFECTS, lambda text: text.replace(b"favours", b"favors", 1))
    expect(
        copy, (EFFECTS, 1, "favors", "unknown-column"), (EFFECTS, 1, "favours", "missing-column")
    )
    assert any("'favours'?" in fault.suggestion for fault in check(copy.project))


def test_reordered_headers(copy):
    rows = copy.rows(EFFECTS)
    header = list(rows[0])
    header[1], header[2] = header[2], header[1]
    copy.write(EFFECTS, rows, header=header)
    expect(copy, (EFFECTS, 1, header[1], "column-order"))


def test_a_repeated_header(copy):
    copy.spoil("places/areas.csv", lambda text: text.replace(b",kind,", b",name,", 1))
    expect(
        copy,
        ("places/areas.csv", 1, "kind", "missing-column"),
        ("places/areas.csv", 1, "name", "repeated-column"),
    )


def test_a_descriptor_that_is_no_json(copy):
    copy.path("trials/datapackage.json").write_text("{")
    assert ("trials/datapackage.json", None, None, "bad-json") in copy.faults()


def test_a_descriptor_cannot_leave_its_folder(copy):
    copy.spoil(
        "places/datapackage.json", lambda text: text.replace(b'"areas.csv"', b'"../x/areas.csv"')
    )
    assert ("places/datapackage.json", None, None, "bad-descriptor") in copy.faults()


# -- cells


@pytest.mark.parametrize("text", ["inf", "-inf", "Infinity", "nan", "NaN", "1e400", "-1e400"])
def test_numbers_are_finite(copy, text):
    line, _ = copy.find(OBSERVATIONS, lambda row: row["value"] and not row["numerator"])
    copy.change(OBSERVATIONS, line, value=text)
    expect(copy, (OBSERVATIONS, line, "value", "not-finite"))


@pytest.mark.parametrize(
    ("text", "advice"),
    [("1,234.5", "1234.5"), (".5", "0.5"), ("\N{MINUS SIGN}3", "-3"), ("12%", "a number"),
     ("=cmd()", "a number"), ("0x1F", "a number"), ("1_000", "a number"), ("٣", "a number")],
)  # fmt: skip
def test_numbers_are_written_plainly(copy, text, advice):
    line, _ = copy.find(OBSERVATIONS, lambda row: row["value"] and not row["numerator"])
    copy.change(OBSERVATIONS, line, value=text)
    expect(copy, (OBSERVATIONS, line, "value", "not-a-number"))
    assert advice in check(copy.project)[0].suggestion


def test_whole_numbers(copy):
    copy.change("places/authorities.csv", 2, population_0_17="12.5")
    expect(copy, ("places/authorities.csv", 2, "population_0_17", "not-a-whole-number"))


@pytest.mark.parametrize("text", ["2025-02-30", "31/03/2025", "2025-3-31", "tomorrow"])
def test_dates(copy, text):
    copy.change(OBSERVATIONS, 2, period_end=text)
    expect(copy, (OBSERVATIONS, 2, "period_end", "not-a-date"))


def test_a_typo_in_a_vocabulary_names_the_nearest_term(copy):
    line, _ = copy.find(EFFECTS, lambda row: row["favours"] == "intervention")
    copy.change(EFFECTS, line, favours="intervetion")
    expect(copy, (EFFECTS, line, "favours", "not-in-vocabulary"))
    assert check(copy.project)[0].suggestion.startswith("'intervention'?")


def test_limits(copy):
    copy.change("places/authorities.csv", 2, latitude="75")
    expect(copy, ("places/authorities.csv", 2, "latitude", "too-large-value"))


def test_required(copy):
    copy.change("places/authorities.csv", 2, short_name="")
    expect(copy, ("places/authorities.csv", 2, "short_name", "required"))


def test_a_code_of_another_form(copy):
    copy.change("places/areas.csv", 3, area_code="E06000002x")
    assert ("places/areas.csv", 3, "area_code", "wrong-form") in copy.faults()


def test_spaces_around_a_cell(copy):
    copy.change("places/authorities.csv", 2, short_name=" Hartlepool")
    expect(copy, ("places/authorities.csv", 2, "short_name", "outer-space"))


@pytest.mark.parametrize(
    "text",
    ["javascript:alert(1)", "ftp://example.org", "//example.org", "www.example.org",
     "https://example.org/<script>", "data:text/html,x", "https://a b"],
)  # fmt: skip
def test_links_lead_to_the_web_and_nowhere_else(copy, text):
    copy.change(EFFECTS, 2, source_url=text)
    expect(copy, (EFFECTS, 2, "source_url", "not-a-web-address"))


def test_a_cell_that_is_too_long(copy):
    copy.change(STUDIES, 2, note="x" * 1001)
    expect(copy, (STUDIES, 2, "note", "too-long"))
    copy.change(STUDIES, 2, note="x" * 1000)
    assert copy.faults() == []


# -- keys and links


def test_a_duplicate_key(copy):
    rows = copy.rows("trials/costs.csv")
    copy.write("trials/costs.csv", [rows[0], *rows])
    expect(copy, ("trials/costs.csv", 3, "cost_id", "duplicate-key"))


def test_a_duplicate_key_of_several_columns(copy):
    rows = copy.rows(OBSERVATIONS)
    copy.write(OBSERVATIONS, [*rows[:4], rows[3], *rows[4:]])
    expect(copy, (OBSERVATIONS, 6, "period", "duplicate-key"))


def test_the_same_row_under_two_keys(copy):
    rows = copy.rows(EFFECTS)
    place = next(i for i, row in enumerate(rows) if row["effect"])
    double = rows[place] | {"effect_id": rows[place]["effect_id"] + "x"}
    copy.write(EFFECTS, [*rows[: place + 1], double, *rows[place + 1 :]])
    expect(copy, (EFFECTS, place + 3, "effect_id", "duplicate-row"))


def test_the_same_figures_with_another_note(copy):
    rows = copy.rows(EFFECTS)
    place = next(i for i, row in enumerate(rows) if row["effect"])
    double = rows[place] | {"effect_id": rows[place]["effect_id"] + "x", "note": "another"}
    copy.write(EFFECTS, [*rows[: place + 1], double, *rows[place + 1 :]])
    expect(copy, (EFFECTS, place + 3, "effect_id", "same-figures-twice"))


def test_a_link_to_nothing_names_the_nearest_key(copy):
    line, row = copy.find(EFFECTS)
    copy.change(EFFECTS, line, study_id=row["study_id"] + "x")
    expect(copy, (EFFECTS, line, "study_id", "points-to-nothing"))
    assert repr(row["study_id"]) in check(copy.project)[0].suggestion


def test_an_effect_of_no_construct_that_exists(copy):
    line, _ = copy.find(EFFECTS, lambda row: row["construct_id"])
    copy.change(EFFECTS, line, construct_id="no-such-construct")
    expect(copy, (EFFECTS, line, "construct_id", "points-to-nothing"))


def test_excluded_rows_exist(copy):
    rows = copy.rows("trials/excluded.csv")
    extra = {"file": "effects", "key": "none-such", "reason_code": "x", "reason": "y"}
    copy.write("trials/excluded.csv", [*rows, extra], header=list(extra))
    found = [each for each in copy.faults() if each[3] != "not-sorted"]
    line = len(rows) + 2
    assert ("trials/excluded.csv", line, "key", "points-to-nothing") in found


def test_the_bridge_leads_to_constructs_and_needs(copy):
    line, _ = copy.find("bridge.csv", lambda row: row["construct_id"])
    copy.change("bridge.csv", line, construct_id="~none")
    found = [each for each in copy.faults() if each[3] != "not-sorted"]
    assert found == [("bridge.csv", line, "construct_id", "points-to-nothing")]


def test_every_need_is_in_the_bridge(copy):
    rows = copy.rows("bridge.csv")
    copy.write("bridge.csv", [row for row in rows if row["indicator_id"] != "gld_pct"])
    line, _ = copy.find("places/indicators.csv", lambda row: row["indicator_id"] == "gld_pct")
    expect(copy, ("places/indicators.csv", line, "indicator_id", "need-without-bridge"))


def test_rows_out_of_order(copy):
    rows = copy.rows("trials/domains.csv")
    copy.write("trials/domains.csv", [rows[1], rows[0], *rows[2:]])
    expect(copy, ("trials/domains.csv", 3, "domain_id", "not-sorted"))


# -- rules between cells of the trials


def test_a_negative_sd(copy):
    line, row = copy.find(EFFECTS, lambda row: row["sd_i"])
    copy.change(EFFECTS, line, sd_i="-" + row["sd_i"])
    found = copy.faults()
    assert [each[:3] for each in found] == [(EFFECTS, line, "sd_i")]
    assert found[0][3] in {"negative", "negative-sd", "too-small"}


def test_an_interval_that_misses_its_estimate(copy):
    line, row = copy.find(
        EFFECTS, lambda row: row["ci_high"] and row["effect_type"] in {"MD", "SMD"}
    )
    copy.change(EFFECTS, line, ci_high=row["ci_low"])
    expect(copy, (EFFECTS, line, "effect", "interval-misses-effect"))


def test_a_reversed_interval(copy):
    line, row = copy.find(EFFECTS, lambda row: row["ci_low"] and row["ci_low"] != row["ci_high"])
    copy.change(EFFECTS, line, ci_low=row["ci_high"], ci_high=row["ci_low"])
    expect(copy, (EFFECTS, line, "ci_low", "interval-reversed"))


def test_half_an_interval(copy):
    line, _ = copy.find(EFFECTS, lambda row: row["ci_high"])
    copy.change(EFFECTS, line, ci_high="")
    expect(copy, (EFFECTS, line, "ci_high", "half-interval"))


def test_more_events_than_people(copy):
    line, row = copy.find(EFFECTS, lambda row: row["total_i"] and row["effect_type"] != "IRR")
    copy.change(EFFECTS, line, events_i=str(int(float(row["total_i"])) + 1))
    expect(copy, (EFFECTS, line, "events_i", "events-above-total"))


@pytest.mark.parametrize("text", ["1.2", "-0.1", "<2", "p=0.03", "ns", "0,03"])
def test_p_values(copy, text):
    line, _ = copy.find(EFFECTS, lambda row: row["p"])
    copy.change(EFFECTS, line, p=text)
    expect(copy, (EFFECTS, line, "p", "p-out-of-range"))


@pytest.mark.parametrize("text", ["0.03", "<0.001", "1", "0", ".5"])
def test_p_values_as_they_are_printed(copy, text):
    line, _ = copy.find(EFFECTS, lambda row: row["p"])
    copy.change(EFFECTS, line, p=text)
    assert copy.faults() == []


@pytest.mark.parametrize("cell", ["lower_is_better", "favours"])
def test_a_sign_against_favours(copy, cell):
    line, row = copy.find(
        EFFECTS,
        lambda row: row["favours"] == "intervention" and row["turn"] == "none" and row["effect"],
    )
    other = {"yes": "no", "no": "yes", "intervention": "control"}[row[cell]]
    copy.change(EFFECTS, line, **{cell: other})
    expect(copy, (EFFECTS, line, "favours", "contradicts-favours"))


def test_a_turn_changes_the_sign(copy):
    line, _ = copy.find(
        EFFECTS,
        lambda row: row["favours"] == "intervention" and row["turn"] == "none" and row["effect"],
    )
    copy.change(EFFECTS, line, turn="negate")
    expect(copy, (EFFECTS, line, "favours", "contradicts-favours"))


def test_a_ratio_is_positive(copy):
    line, _ = copy.find(EFFECTS, lambda row: row["effect_type"] in {"OR", "RR"} and row["effect"])
    copy.change(EFFECTS, line, effect="0", ci_low="", ci_high="")
    assert (EFFECTS, line, "effect", "ratio-not-positive") in copy.faults()


def test_a_construct_never_mixes_comparators(copy):
    line, effect = copy.find(EFFECTS, lambda row: row["construct_id"])
    study, row = copy.find(STUDIES, lambda row: row["study_id"] == effect["study_id"])
    other = "mixed" if row["comparator_class"] != "mixed" else "usual-service"
    copy.change(STUDIES, study, comparator_class=other)
    wrong = [
        (EFFECTS, place, "construct_id", "mixed-comparators")
        for place, each in enumerate(copy.rows(EFFECTS), start=2)
        if each["study_id"] == effect["study_id"] and each["construct_id"]
    ]
    assert (EFFECTS, line, "construct_id", "mixed-comparators") in wrong
    expect(copy, *wrong)


def test_no_construct_needs_a_reason(copy):
    line, _ = copy.find(EFFECTS, lambda row: row["construct_id"])
    copy.change(EFFECTS, line, construct_id="")
    expect(copy, (EFFECTS, line, "construct_reason", "reason-or-construct"))


# -- rules between cells of the places


def test_a_value_outside_its_interval(copy):
    line, row = copy.find(OBSERVATIONS, lambda row: row["lower"])
    copy.change(OBSERVATIONS, line, lower=row["upper"], numerator="", denominator="")
    expect(copy, (OBSERVATIONS, line, "value", "interval-misses-value"))


def test_a_value_against_its_counts(copy):
    line, row = copy.find(OBSERVATIONS, lambda row: row["indicator_id"] == "factor_neglect_pct"
                          and row["numerator"])  # fmt: skip
    copy.change(OBSERVATIONS, line, value=str(float(row["value"]) + 5))
    expect(copy, (OBSERVATIONS, line, "value", "value-against-counts"))


def test_a_part_above_its_whole(copy):
    line, row = copy.find(OBSERVATIONS, lambda row: row["indicator_id"] == "factor_neglect_pct"
                          and row["numerator"])  # fmt: skip
    copy.change(OBSERVATIONS, line, numerator=str(int(row["denominator"]) + 1))
    found = copy.faults()
    assert (OBSERVATIONS, line, "numerator", "part-above-whole") in found


@pytest.mark.parametrize("text", ["-1", "100.5"])
def test_a_percentage_beyond_its_range(copy, text):
    line, _ = copy.find(OBSERVATIONS, lambda row: row["indicator_id"] == "gld_pct"
                        and row["value"])  # fmt: skip
    copy.change(OBSERVATIONS, line, value=text)
    expect(copy, (OBSERVATIONS, line, "value", "not-a-share"))


def test_a_suppressed_value_is_empty(copy):
    line, _ = copy.find(OBSERVATIONS, lambda row: row["status"] == "missing")
    copy.change(OBSERVATIONS, line, value="0")
    expect(copy, (OBSERVATIONS, line, "status", "value-and-status"))


def test_a_missing_value_says_why(copy):
    line, _ = copy.find(OBSERVATIONS, lambda row: row["status"] == "missing")
    copy.change(OBSERVATIONS, line, note="")
    expect(copy, (OBSERVATIONS, line, "note", "missing-without-note"))


def test_a_period_ends_on_its_last_day(copy):
    line, row = copy.find(OBSERVATIONS, lambda row: row["indicator_id"] == "gld_pct")
    copy.change(OBSERVATIONS, line, period_end=row["period_end"].replace("-07-31", "-03-31"))
    expect(copy, (OBSERVATIONS, line, "period_end", "period-and-date"))


def test_a_need_has_a_polarity_and_others_have_none(copy):
    line, _ = copy.find("places/indicators.csv", lambda row: row["role"] == "context")
    copy.change("places/indicators.csv", line, polarity="high-is-worse")
    expect(copy, ("places/indicators.csv", line, "polarity", "polarity-of-needs"))


def test_ten_neighbours_each(copy):
    rows = copy.rows("places/neighbours.csv")
    copy.write("places/neighbours.csv", rows[1:])
    line, _ = copy.find(
        "places/authorities.csv", lambda row: row["area_code"] == rows[0]["area_code"]
    )
    expect(copy, ("places/authorities.csv", line, "area_code", "ten-neighbours"))


def test_nobody_is_its_own_neighbour(copy):
    _, row = copy.find("places/neighbours.csv")
    copy.change("places/neighbours.csv", 2, neighbour_code=row["area_code"])
    expect(copy, ("places/neighbours.csv", 2, "neighbour_code", "its-own-neighbour"))


def test_ten_different_neighbours(copy):
    _, row = copy.find("places/neighbours.csv")
    copy.change("places/neighbours.csv", 3, neighbour_code=row["neighbour_code"])
    expect(copy, ("places/neighbours.csv", 3, "neighbour_code", "neighbour-twice"))


def test_every_authority_has_its_row(copy):
    rows = copy.rows("places/areas.csv")
    line = next(i for i, row in enumerate(rows, start=2) if row["kind"] == "former-authority")
    copy.change("places/areas.csv", line, kind="authority")
    expect(copy, ("places/areas.csv", line, "area_code", "no-authority-row"))


def test_regions_lie_in_a_country(copy):
    line, _ = copy.find("places/areas.csv", lambda row: row["kind"] == "region")
    copy.change("places/areas.csv", line, parent_code="E06000001")
    expect(copy, ("places/areas.csv", line, "parent_code", "wrong-parent"))


# -- the report as a whole


def test_every_fault_is_reported_and_one_for_each_cell(copy):
    copy.change("places/authorities.csv", 2, latitude="inf", dfe_number="x", comparable="perhaps")
    copy.change("places/neighbours.csv", 3, rank="eleven")
    line, _ = copy.find(OBSERVATIONS, lambda row: row["value"] and not row["numerator"])
    copy.change(OBSERVATIONS, line, value="abc", status="okay")
    found = copy.faults()
    for each in [
        ("places/authorities.csv", 2, "latitude", "not-finite"),
        ("places/authorities.csv", 2, "dfe_number", "not-a-whole-number"),
        ("places/authorities.csv", 2, "comparable", "not-in-vocabulary"),
        ("places/neighbours.csv", 3, "rank", "not-a-whole-number"),
        (OBSERVATIONS, line, "value", "not-a-number"),
        (OBSERVATIONS, line, "status", "not-in-vocabulary"),
    ]:
        assert each in found
    cells = [each[:3] for each in found if None not in each[:3]]
    assert len(cells) == len(set(cells))


def test_many_faults_of_one_kind_are_listed_and_counted(copy):
    rows = copy.rows(OBSERVATIONS)
    copy.write(OBSERVATIONS, [row | {"status": "fine"} for row in rows])
    faults = [fault for fault in check(copy.project) if fault.code == "not-in-vocabulary"]
    assert len(faults) == MOST_FAULTS + 1
    assert f"{len(rows) - MOST_FAULTS} more of this kind" in {fault.message for fault in faults}


def test_a_fault_reads_as_file_line_column_what_and_how(copy):
    line, _ = copy.find(EFFECTS, lambda row: row["favours"] == "control" or row["favours"])
    copy.change(EFFECTS, line, favours="contrl")
    text = str(check(copy.project)[0])
    assert text.startswith(f"literature/trials/effects.csv:{line}:favours: 'contrl' is not in")
    assert "'control'?" in text


def test_hostile_text_is_only_text(copy):
    hostile = [
        "=cmd()", "<script>alert(1)</script>", "#raw[x]", "{{< include /etc/passwd >}}",
        "[x](javascript:alert(1))", "abc\u202edef", "\N{PILE OF POO}", "'; drop table x; --",
        "x" * 1000,
    ]  # fmt: skip
    rows = copy.rows(STUDIES)
    for row, text in zip(rows, hostile, strict=False):
        row["note"] = text
    copy.write(STUDIES, rows)
    assert copy.faults() == []
    build(copy.project)


def test_an_unchanged_project_is_not_checked_again(copy, monkeypatch):
    assert check(copy.project) == []

    def never(project):
        raise AssertionError("checked again")

    monkeypatch.setattr(validate, "_find_faults", never)
    assert check(copy.project) == []
    with pytest.raises(AssertionError):
        check(copy.project, fresh=True)
    monkeypatch.setattr(validate, "code_sha256", lambda: "other rules")
    with pytest.raises(AssertionError):
        check(copy.project)


def test_a_change_after_a_check_is_checked(copy):
    assert copy.faults() == []
    copy.change("places/authorities.csv", 2, comparable="no idea")
    assert copy.faults() == [("places/authorities.csv", 2, "comparable", "not-in-vocabulary")]
    # A check that found a fault leaves no stamp that would hide it.
    assert copy.faults() == [("places/authorities.csv", 2, "comparable", "not-in-vocabulary")]


def test_every_rule_names_a_table_and_a_column_that_exist(project):
    tables = {table.name: table for table in all_tables(project)}
    for rule in rules():
        assert rule.column in tables[rule.table].columns, rule.code
        assert rule.needs <= set(tables), rule.code
        assert rule.suggestion


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_cell_breaks_the_check(project, data):
    """Whatever stands in a cell, the check says what is wrong or nothing, and never fails."""
    import pandas as pd

    table = read_package(project, "places").table("observations")
    cell = st.one_of(st.text(max_size=12), st.sampled_from(["1e400", "-0", "1e-400", "9" * 30]))
    rows = data.draw(st.lists(st.tuples(*[cell] * len(table.columns)), min_size=1, max_size=4))
    frame = pd.DataFrame(rows, columns=table.columns, dtype="str")
    frame["_row"] = range(2, len(rows) + 2)
    for fault in cell_faults(table, frame, "x"):
        assert isinstance(fault, Fault)
        assert fault.column in table.columns
        assert fault.row is None or 2 <= fault.row < len(rows) + 2
