-- Rules between cells of literature/places; see trials.sql for how a rule is written.

-- rule: no-authority-row
-- table: areas
-- column: area_code
-- suggestion: a row in authorities.csv
select _row, printf('%s (%s) is not in authorities.csv', name, area_code) as message
from places.areas
where kind = 'authority' and area_code not in (select area_code from places.authorities
    where area_code is not null);

-- rule: not-an-authority
-- table: authorities
-- column: area_code
-- suggestion: the code of an area of the kind authority
select u._row, printf('%s is a %s', u.area_code, a.kind) as message
from places.authorities u join places.areas a using (area_code) where a.kind <> 'authority';

-- rule: wrong-parent
-- table: areas
-- column: parent_code
-- suggestion: a country has none, a region lies in a country, a sub-region in a region
select a._row, printf('a %s lies in %s', a.kind, coalesce('a ' || p.kind, 'nothing')) as message
from places.areas a left join places.areas p on p.area_code = a.parent_code
where not case a.kind
    when 'country' then a.parent_code is null
    when 'region' then coalesce(p.kind = 'country', false)
    when 'sub-region' then coalesce(p.kind = 'region', false)
    else coalesce(p.kind in ('region', 'sub-region'), false) end;

-- rule: polarity-of-needs
-- table: indicators
-- column: polarity
-- suggestion: needs have a polarity and a place in need_order, other roles have neither
select _row, if((polarity is null) = (role = 'need'), 'polarity', 'need_order') as column_name,
    printf('the role is %s, the polarity %s, the place %s', role, coalesce(polarity, 'empty'),
        coalesce(need_order::varchar, 'empty')) as message
from places.indicators
where (polarity is null) = (role = 'need') or (need_order is null) = (role = 'need');

-- rule: need-order
-- table: indicators
-- column: need_order
-- suggestion: 1, 2, 3 and so on, each once
select _row, printf('place %d, where %d follows', need_order, place) as message
from (
    select _row, need_order, row_number() over (order by need_order, _row) as place
    from places.indicators where need_order is not null
)
where need_order <> place;

-- rule: newest-period
-- table: indicators
-- column: newest_period
-- suggestion: the last period in observations.csv
select i._row, printf('%s has %s as its newest period, observations end with %s', indicator_id,
    i.newest_period, coalesce(o.period, 'nothing')) as message
from places.indicators i
left join (select indicator_id, max_by(period, period_end) as period from places.observations
    group by indicator_id) o using (indicator_id)
where i.newest_period is distinct from o.period;

-- rule: value-and-status
-- table: observations
-- column: status
-- suggestion: ok and derived have a value, suppressed and missing have none
select _row, if(value is null, printf('the status is %s and there is no value', status),
    printf('the status is %s and the value is %g', status, value)) as message
from places.observations where (value is null) = (status in ('ok', 'derived'));

-- rule: missing-without-note
-- table: observations
-- column: note
-- suggestion: why the value is not there
select _row, printf('the value is %s and nothing says why', status) as message
from places.observations where status in ('suppressed', 'missing') and note is null;

-- rule: interval-misses-value
-- table: observations
-- column: value
-- suggestion: lower, value and upper in this order
select _row, printf('the value %g is outside its interval %g to %g', value, lower, upper) as message
from places.observations where value < lower or value > upper or lower > upper;

-- rule: half-interval
-- table: observations
-- column: upper
-- suggestion: both limits, or none
select _row, if(lower is null, 'lower', 'upper') as column_name,
    'one limit of the interval is missing' as message
from places.observations where (lower is null) <> (upper is null);

-- rule: not-a-share
-- table: observations
-- column: value
-- suggestion: a percentage from 0 to 100; a note, if more than 100 is right
select o._row, printf('%g percent', o.value) as message
from places.observations o join places.indicators i using (indicator_id)
where i.unit = '%' and (o.value < 0 or (o.value > 100 and o.note is null));

-- rule: part-above-whole
-- table: observations
-- column: numerator
-- suggestion: the numerator is part of the denominator
select o._row, printf('%g of %g', o.numerator, o.denominator) as message
from places.observations o join places.indicators i using (indicator_id)
where i.unit = '%' and o.numerator > o.denominator;

-- rule: value-against-counts
-- table: observations
-- column: value
-- suggestion: the value that follows from numerator and denominator, within rounding
select _row, printf('the value is %g, numerator and denominator give %g', value, computed)
    as message
from (
    select o._row, o.value, o.numerator / nullif(o.denominator, 0) * case i.unit
        when '%' then 100 when 'per 1,000' then 1000 when 'per 10,000' then 10000
        when 'per 100,000' then 100000 when '£ per child' then 1 end as computed
    from places.observations o join places.indicators i using (indicator_id)
    where o.numerator is not null and o.denominator is not null and o.value is not null
)
-- Published values and counts are rounded, some to whole numbers.
where abs(value - computed) > greatest(1, abs(computed) / 100);

-- rule: period-and-date
-- table: observations
-- column: period_end
-- suggestion: the last day of the period, as the period_basis of the indicator says
select _row, printf('%s of a %s ends on %s, not on %s', period, period_basis,
    coalesce(expected::varchar, 'no day that can be told'), period_end) as message
from (
    select o._row, o.period, o.period_end, i.period_basis, case
        when i.period_basis = 'academic-year' and regexp_full_match(o.period, '\d{4}/\d\d')
            then make_date(o.period[:4]::int + 1, 7, 31)
        when i.period_basis = 'financial-year' and regexp_full_match(o.period, '\d{4}[-/]\d\d')
            then make_date(o.period[:4]::int + 1, 3, 31)
        when i.period_basis = 'financial-year'
            and regexp_full_match(o.period, '\d{4}/\d\d to \d{4}/\d\d')
            then make_date(o.period[12:15]::int + 1, 3, 31)
        when i.period_basis in ('calendar-year', 'release') and regexp_full_match(o.period, '\d{4}')
            then make_date(o.period::int, 12, 31)
        when i.period_basis = 'day' then try_strptime(o.period, '%d %b %Y')::date
        when i.period_basis = 'january-census' and regexp_full_match(o.period, 'Jan \d{4}')
            then make_date(o.period[5:]::int, 1, 31)
        when i.period_basis = 'winter-mean'
            and regexp_full_match(o.period, 'Dec \d{4}-Feb \d{4}')
            then last_day(make_date(o.period[14:]::int, 2, 1))
        when i.period_basis = 'mid-year' and regexp_full_match(o.period, 'mid-\d{4}')
            then make_date(o.period[5:]::int, 6, 30)
        end as expected
    from places.observations o join places.indicators i using (indicator_id)
)
where period_end is not null and expected is distinct from period_end;

-- rule: its-own-neighbour
-- table: neighbours
-- column: neighbour_code
-- suggestion: another authority
select _row, printf('%s is its own neighbour', area_code) as message
from places.neighbours where neighbour_code = area_code;

-- rule: neighbour-twice
-- table: neighbours
-- column: neighbour_code
-- suggestion: ten different authorities
select _row, printf('%s has %s as a neighbour twice', area_code, neighbour_code) as message
from (
    select *, row_number() over (partition by area_code, neighbour_code order by _row) as place
    from places.neighbours where neighbour_code is not null
)
where place > 1;

-- rule: ten-neighbours
-- table: authorities
-- column: area_code
-- suggestion: ranks 1 to 10 in neighbours.csv
select u._row, printf('%s has %d neighbours', u.short_name, count(distinct n.rank)) as message
from places.authorities u left join places.neighbours n using (area_code)
group by u._row, u.short_name having count(distinct n.rank) <> 10;
