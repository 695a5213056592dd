-- Rules between the two packages; see trials.sql for how a rule is written.

-- rule: link-and-construct
-- table: bridge
-- column: construct_id
-- suggestion: a construct, unless the link is no-link
select _row, printf('the link is %s and the construct is %s', link,
    coalesce(construct_id, 'empty')) as message
from main.bridge where (link = 'no-link') <> (construct_id is null);

-- rule: not-a-need
-- table: bridge
-- column: indicator_id
-- suggestion: an indicator with the role need
select b._row, printf('%s has the role %s', b.indicator_id, i.role) as message
from main.bridge b join places.indicators i using (indicator_id) where i.role <> 'need';

-- rule: need-without-bridge
-- table: indicators
-- column: indicator_id
-- suggestion: one row or more in bridge.csv, also where no trial fits
select _row, printf('the need %s is not in bridge.csv', indicator_id) as message
from places.indicators
where role = 'need' and indicator_id not in (select indicator_id from main.bridge
    where indicator_id is not null);

-- rule: path-without-reference
-- table: bridge
-- column: reference
-- suggestion: a URL, a DOI or study ids
select _row, 'a plausible path without a reference' as message
from main.bridge where link = 'plausible-path' and reference is null;
