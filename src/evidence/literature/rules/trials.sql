-- Rules between cells of literature/trials. Each rule selects the rows that break it: `_row`, the
-- `message`, and `column_name` where it is not always the one named above the query. Cells that
-- are not of their type are empty here; they are reported elsewhere.

-- rule: negative-sd
-- table: effects
-- column: sd_i
-- suggestion: a standard deviation is above 0
select _row, 'sd_i' as column_name, printf('the standard deviation is %g', sd_i) as message
from trials.effects where sd_i <= 0
union all
select _row, 'sd_c', printf('the standard deviation is %g', sd_c)
from trials.effects where sd_c <= 0;

-- rule: negative-se
-- table: effects
-- column: se
-- suggestion: a standard error is above 0
select _row, printf('the standard error is %g', se) as message from trials.effects where se <= 0;

-- rule: interval-reversed
-- table: effects
-- column: ci_low
-- suggestion: the lower limit first, as printed
select _row, printf('the interval runs from %g down to %g', ci_low, ci_high) as message
from trials.effects where ci_low > ci_high;

-- rule: interval-misses-effect
-- table: effects
-- column: effect
-- suggestion: the estimate lies inside its interval; look at the source again
select _row, printf('the effect %g is outside its interval %g to %g', effect, ci_low, ci_high)
    as message
from trials.effects
where ci_low <= ci_high and (effect < ci_low or effect > ci_high);

-- rule: interval-without-effect
-- table: effects
-- column: effect
-- suggestion: the estimate that the interval belongs to
select _row, 'there is an interval, p or standard error for an effect that is empty' as message
from trials.effects
where effect is null and coalesce(ci_low, ci_high, se) is not null;

-- rule: half-interval
-- table: effects
-- column: ci_high
-- suggestion: both limits, or none
select _row, if(ci_low is null, 'ci_low', 'ci_high') as column_name,
    'one limit of the interval is missing' as message
from trials.effects where (ci_low is null) <> (ci_high is null);

-- rule: interval-without-level
-- table: effects
-- column: ci_level
-- suggestion: 95, unless the source says otherwise
select _row, 'the interval has no level' as message
from trials.effects where ci_low is not null and ci_high is not null and ci_level is null;

-- rule: level-out-of-range
-- table: effects
-- column: ci_level
-- suggestion: a percentage such as 95
select _row, printf('the level of the interval is %g', ci_level) as message
from trials.effects where ci_level < 50 or ci_level >= 100;

-- rule: effect-without-type
-- table: effects
-- column: effect_type
-- suggestion: SMD, MD, OR, RR, HR, IRR, RD or BETA
select _row, 'the effect has no type' as message
from trials.effects where effect is not null and effect_type is null;

-- rule: ratio-not-positive
-- table: effects
-- column: effect
-- suggestion: ratios are above 0; a difference of logarithms is no ratio
select _row, printf('the %s is %g', effect_type, effect) as message
from trials.effects where effect_type in ('OR', 'RR', 'HR', 'IRR') and effect <= 0
union all
select _row, printf('the lower limit of the %s is %g', effect_type, ci_low)
from trials.effects where effect_type in ('OR', 'RR', 'HR', 'IRR') and ci_low < 0;

-- rule: p-out-of-range
-- table: effects
-- column: p
-- suggestion: a p value as printed, between 0 and 1, such as 0.03 or <0.001
select _row, printf('the p value is %s', p) as message
from trials.effects
where p is not null and not coalesce(
    regexp_full_match(p, '[<>=≤≥]? ?(0|1|[01]?\.[0-9]+)')
    and try_cast(regexp_replace(p, '^[<>=≤≥]? ?', '') as double) between 0 and 1, false);

-- rule: events-above-total
-- table: effects
-- column: events_i
-- suggestion: events are counted among the total
select _row, column_name, printf('%g events among %g', events, total) as message
from (
    from trials.effects
    select _row, effect_type, unnest(['events_i', 'events_c']) as column_name,
        unnest([events_i, events_c]::double[]) as events,
        unnest([total_i, total_c]::double[]) as total
)
-- Rates count events by person and year: one person can have several.
where events > total and effect_type is distinct from 'IRR';

-- rule: negative-count
-- table: effects
-- column: n_i
-- suggestion: a count is 0 or more, a group has at least one member
select _row, column_name, printf('%s is %g', column_name, count) as message
from (
    from trials.effects
    select _row, unnest(['n_i', 'n_c', 'total_i', 'total_c', 'events_i', 'events_c'])
        as column_name, unnest([n_i, n_c, total_i, total_c, events_i, events_c]::double[]) as count
)
where count < 0 or (count = 0 and column_name not in ('events_i', 'events_c'));

-- rule: contradicts-favours
-- table: effects
-- column: favours
-- suggestion: check the sign of the effect, turn, lower_is_better and favours against the source
select _row, printf('favours says %s, but %s %g with turn %s and lower_is_better %s is %s',
    favours, effect_type, effect, turn, lower_is_better,
    if(benefit > 0, 'a benefit', if(benefit < 0, 'a harm', 'no difference'))) as message
from (
    select *, if(lower_is_better = 'yes', -1, 1) * if(turn in ('negate', 'invert'), -1, 1)
        * if(effect_type in ('OR', 'RR', 'HR', 'IRR'), ln(effect), effect) as benefit
    from trials.effects
    where effect is not null and turn in ('none', 'negate', 'invert')
        and lower_is_better in ('yes', 'no')
        and (effect_type not in ('OR', 'RR', 'HR', 'IRR') or effect > 0)
)
where (favours = 'intervention' and benefit <= 0) or (favours = 'control' and benefit >= 0);

-- rule: invert-no-ratio
-- table: effects
-- column: turn
-- suggestion: negate, for a difference
select _row, printf('an effect of type %s cannot be inverted', effect_type) as message
from trials.effects where turn = 'invert' and effect_type not in ('OR', 'RR', 'HR', 'IRR');

-- rule: same-figures-twice
-- table: effects
-- column: effect_id
-- suggestion: remove one, or say in outcome_measure or informant what differs
select _row, printf('%s has the outcome, time and figures of %s', effect_id, first_id) as message
from (
    select _row, effect_id, first_value(effect_id) over same as first_id,
        row_number() over same as place
    from trials.effects
    where coalesce(effect, mean_i, events_i) is not null
    window same as (
        partition by study_id, domain_id, outcome_measure, informant, measure_id, follow_up_months,
            effect_type, effect, ci_low, ci_high, se, p, mean_i, mean_c, sd_i, sd_c, n_i, n_c,
            events_i, events_c, total_i, total_c
        order by _row)
)
where place > 1;

-- rule: no-figures
-- table: effects
-- column: effect
-- suggestion: an effect, means or counts; a result without figures belongs in unprinted.csv
select _row, 'there is neither an effect nor means nor counts' as message
from trials.effects where coalesce(effect, mean_i, events_i) is null;

-- rule: reason-or-construct
-- table: effects
-- column: construct_reason
-- suggestion: either a construct, or the reason why there is none
select _row, if(construct_id is null, 'neither a construct nor a reason for none',
    'a construct and a reason for none') as message
from trials.effects where (construct_id is null) = (construct_reason is null);

-- rule: reason-or-construct
-- table: unprinted
-- column: construct_reason
-- suggestion: either a construct, or the reason why there is none
select _row, if(construct_id is null, 'neither a construct nor a reason for none',
    'a construct and a reason for none') as message
from trials.unprinted where (construct_id is null) = (construct_reason is null);

-- rule: mixed-comparators
-- table: effects
-- column: construct_id
-- suggestion: an estimate never mixes comparators: another construct, or none with a reason
select e._row, printf('%s compares with %s, its study %s with %s', c.construct_id,
    c.comparator_class, s.study_id, coalesce(s.comparator_class, 'nothing stated')) as message
from trials.effects e
join trials.constructs c using (construct_id)
join trials.studies s using (study_id)
where s.comparator_class is distinct from c.comparator_class;

-- rule: mixed-domains
-- table: effects
-- column: construct_id
-- suggestion: a construct of the same domain
select e._row, printf('%s belongs to the domain %s, the effect to %s', c.construct_id, c.domain_id,
    e.domain_id) as message
from trials.effects e join trials.constructs c using (construct_id)
where e.domain_id <> c.domain_id;

-- rule: no-common-instrument
-- table: constructs
-- column: measure_id
-- suggestion: the instrument on which raw differences are pooled
select _row, 'a construct of raw mean differences names no instrument' as message
from trials.constructs where metric = 'md' and measure_id is null;

-- rule: ages-reversed
-- table: studies
-- column: age_max
-- suggestion: the younger age in age_min
select _row, printf('the oldest, %g, are younger than the youngest, %g', age_max, age_min)
    as message
from trials.studies where age_max < age_min;

-- rule: clusters-not-applicable
-- table: effects
-- column: clustering
-- suggestion: accounted, not-accounted or not-stated, for a trial of clusters
select e._row, printf('%s randomised clusters, yet clustering is not-applicable', s.study_id)
    as message
from trials.effects e join trials.studies s using (study_id)
where s.design = 'cluster-rct' and e.clustering = 'not-applicable';

-- rule: zero-without-anchor
-- table: effects
-- column: follow_up_anchor
-- suggestion: the moment from which the months are counted
select _row, 'a follow-up of 0 months is counted from nothing' as message
from trials.effects where follow_up_months = 0 and follow_up_anchor is null;
