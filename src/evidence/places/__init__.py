"""Local authorities: their indicators, comparators and needs profiles."""
