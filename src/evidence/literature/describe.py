"""Show everything that is known about one study, effect, construct, indicator or place."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from evidence.errors import UsageError
from evidence.literature.database import connect
from evidence.literature.package import Table, all_tables
from evidence.project import Project

if TYPE_CHECKING:
    import duckdb

_WIDTH = 100

# What belongs to a record, beside its own row: heading, table of the record, query with its key.
_RELATED: tuple[tuple[str, str, str], ...] = (
    (
        "Programme",
        "studies",
        """select name, family, note from trials.programmes
        where programme_id = (select programme_id from trials.studies where study_id = ?)""",
    ),
    (
        "Also about the same people, or against the same control group",
        "studies",
        """select s.study_id, s.authors, s.year, s.programme_id
        from trials.studies s join trials.studies t on s.study_id <> t.study_id
            and (s.cohort_id = t.cohort_id or s.shared_control_id = t.shared_control_id)
        where t.study_id = ? order by s._row""",
    ),
    (
        "Effects",
        "studies",
        """select effect_id, coalesce(construct_id, construct_reason) as construct, outcome_measure,
            follow_up_months as months, effect_type as type, effect, ci_low, ci_high, favours
        from trials.effects where study_id = ? order by _row""",
    ),
    (
        "Measured, not printed",
        "studies",
        """select unprinted_id, outcome_measure, follow_up_months as months, stated_direction
        from trials.unprinted where study_id = ? order by _row""",
    ),
    (
        "Studies",
        "programmes",
        """select study_id, authors, year, country, design, comparator_class
        from trials.studies where programme_id = ? order by _row""",
    ),
    (
        "Costs",
        "programmes",
        """select cost_id, unit, amount, low, high, currency, price_year, kind
        from trials.costs where programme_id = ? order by _row""",
    ),
    (
        "Left out of every effect size",
        "effects",
        "select reason_code, reason from trials.excluded where file = 'effects' and key = ?",
    ),
    (
        "Study",
        "unprinted",
        """select study_id, authors, year, title, country, comparator_class
        from trials.studies where study_id = (select study_id from trials.unprinted
            where unprinted_id = ?)""",
    ),
    (
        "Study",
        "effects",
        """select study_id, authors, year, title, country, comparator_class
        from trials.studies where study_id = (select study_id from trials.effects
            where effect_id = ?)""",
    ),
    (
        "Effects",
        "constructs",
        """select effect_id, outcome_measure, follow_up_months as months, effect_type as type,
            effect, ci_low, ci_high, favours
        from trials.effects where construct_id = ? order by _row""",
    ),
    (
        "Measured, not printed",
        "constructs",
        """select unprinted_id, study_id, outcome_measure, stated_direction
        from trials.unprinted where construct_id = ? order by _row""",
    ),
    (
        "Local indicators",
        "constructs",
        "select indicator_id, link, reason from main.bridge where construct_id = ? order by _row",
    ),
    (
        "Constructs",
        "domains",
        "select construct_id, label from trials.constructs where domain_id = ? order by _row",
    ),
    (
        "Costs when things go wrong",
        "domains",
        """select outcome_cost_id, description, unit, amount, currency, price_year
        from trials.outcome_costs where domain_id = ? order by _row""",
    ),
    (
        "How common",
        "domains",
        """select definition, population, sex, period, value, unit
        from trials.prevalence where domain_id = ? order by _row""",
    ),
    (
        "Effects measured with it",
        "measures",
        """select effect_id, outcome_measure, follow_up_months as months, effect_type as type,
            effect, ci_low, ci_high
        from trials.effects where measure_id = ? order by _row""",
    ),
    (
        "Constructs of trials",
        "indicators",
        "select construct_id, link, reason from main.bridge where indicator_id = ? order by _row",
    ),
    (
        "England and its regions, newest period",
        "indicators",
        """select a.name, o.period, o.value, o.status
        from places.observations o join places.areas a using (area_code)
        join places.indicators i using (indicator_id)
        where indicator_id = ? and a.kind in ('country', 'region') and o.period = i.newest_period
        order by a.kind, a.name""",
    ),
    (
        "Area",
        "authorities",
        """select a.name, p.name as lies_in
        from places.areas a left join places.areas p on p.area_code = a.parent_code
        where a.area_code = ?""",
    ),
    (
        "Statistical neighbours",
        "authorities",
        """select n.rank, u.short_name, n.neighbour_code, n.closeness
        from places.neighbours n join places.authorities u on u.area_code = n.neighbour_code
        where n.area_code = ? order by n.rank""",
    ),
    (
        "Needs, newest period",
        "authorities",
        """select i.name, o.period, o.value, i.unit,
            if(u.comparable = 'yes', e.value, null) as england, o.status
        from places.observations o join places.indicators i using (indicator_id)
        join places.authorities u using (area_code)
        left join places.observations e on e.area_code = 'E92000001'
            and e.indicator_id = o.indicator_id and e.period = o.period
        where o.area_code = ? and i.role = 'need' and o.period = i.newest_period
        order by i.need_order""",
    ),
)


def _clean(value: object) -> str:
    """A value on one line, without characters that steer a terminal or turn the text around."""
    if isinstance(value, float):
        # Plain digits, as in the file: 81000000 and not 8.1e+07.
        return f"{value:.12g}"
    return "".join(each if each.isprintable() else " " for each in str(value))


def _record(table: Table, row: dict[str, Any], project: Project) -> list[str]:
    """The filled cells of a row, one to a paragraph, and where the row stands."""
    width = max(len(field.name) for field in table.fields) + 2
    lines = []
    for field in table.fields:
        if row[field.name] is not None:
            lines += textwrap.wrap(
                _clean(row[field.name]),
                _WIDTH,
                initial_indent=f"{field.name}:".ljust(width),
                subsequent_indent=" " * width,
                break_long_words=False,
                break_on_hyphens=False,
            )
    empty = [field.name for field in table.fields if row[field.name] is None]
    if empty:
        lines += textwrap.wrap("not known: " + ", ".join(empty), _WIDTH, subsequent_indent="  ")
    lines.append(f"from {project.relative(table.path)}, line {row['_row']}")
    return lines


def _listing(names: list[str], rows: Iterable[tuple[Any, ...]]) -> list[str]:
    """Rows as aligned columns of text, long cells shortened, empty columns left out."""
    cells = [["" if each is None else _clean(each) for each in row] for row in rows]
    used = [place for place in range(len(names)) if any(row[place] for row in cells)]
    short = [[textwrap.shorten(row[place], 48, placeholder="…") for place in used] for row in cells]
    table = [[names[place] for place in used], *short]
    widths = [max(len(row[place]) for row in table) for place in range(len(used))]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _fetch(
    connection: duckdb.DuckDBPyConnection, query: str, key: str
) -> tuple[list[str], list[tuple[Any, ...]]]:
    cursor = connection.execute(query, [key])
    return [column[0] for column in cursor.description or ()], cursor.fetchall()


def _find(
    connection: duckdb.DuckDBPyConnection, tables: list[Table], wanted: str
) -> tuple[Table, str]:
    """The table that has the record, and its key; names of authorities count as keys."""
    for table in tables:
        key = table.key[0]
        found = connection.execute(
            f'select "{key}" from "{table.package}"."{table.name}" where lower("{key}") = lower(?)',
            [wanted],
        ).fetchone()
        if found:
            return table, str(found[0])
    named = connection.execute(
        """select u.area_code from places.authorities u join places.areas a using (area_code)
        where lower(?) in (lower(a.name), lower(u.short_name))""",
        [wanted],
    ).fetchone()
    if named:
        return next(table for table in tables if table.name == "authorities"), str(named[0])
    known = [
        str(key)
        for table in tables
        for (key,) in connection.execute(
            f'select "{table.key[0]}" from "{table.package}"."{table.name}"'
        ).fetchall()
    ]
    known += [
        name
        for (name,) in connection.execute(
            """select short_name from places.authorities
        union select name from places.areas"""
        ).fetchall()
    ]
    lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(wanted.lower(), lower, n=3, cutoff=0.5)
    advice = f" Did you mean {', '.join(lower[each] for each in near)}?" if near else ""
    raise UsageError(f"nothing is called {wanted!r}.{advice}")


def show(id: str, project: Project | None = None) -> str:
    """Everything that is known about one record, as text for a terminal.

    Parameters
    ----------
    id : str
        Key of a study, effect, unprinted result, construct, programme, domain, measure,
        indicator or area, or the name of an authority; capitals do not matter.
    project : Project, optional
        By default the project of the working directory.

    Returns
    -------
    str
        The filled cells of its row, what is not known, the file and line it stands on, and what
        belongs to it.

    Raises
    ------
    UsageError
        If nothing has this name; the message holds the nearest ones.
    """
    project = project or Project.find()
    # Authorities before areas: the same code, and more to tell.
    tables = sorted(
        (table for table in all_tables(project) if table.package and len(table.key) == 1),
        key=lambda table: table.name == "areas",
    )
    with connect(project) as connection:
        table, key = _find(connection, tables, id.strip())
        names, rows = _fetch(
            connection,
            f'select * from "{table.package}"."{table.name}" where "{table.key[0]}" = ?',
            key,
        )
        lines = [f"{table.title or table.name}: {_clean(key)}", ""]
        lines += _record(table, dict(zip(names, rows[0], strict=True)), project)
        for heading, owner, query in _RELATED:
            if owner == table.name:
                names, rows = _fetch(connection, query, key)
                if rows:
                    lines += ["", f"{heading} ({len(rows)})", *_listing(names, rows)]
    return "\n".join(lines) + "\n"
