"""Codes that an effect size carries, each with the sentence that explains it."""

from __future__ import annotations

METRICS: dict[str, str] = {
    "g": "Hedges' g, the difference in standard deviations",
    "md": "difference of means on the instrument's own scale",
    "log_or": "log odds ratio",
    "log_rr": "log risk ratio",
    "log_irr": "log incidence rate ratio",
    "log_hr": "log hazard ratio",
    "rd": "risk difference",
}

DERIVATIONS: dict[str, str] = {
    "reported-interval": "reported effect with its interval",
    "reported-se": "reported effect with its standard error",
    "reported-p": "reported effect with the variance that its exact p value implies",
    "md-over-arm-sd": "reported difference of means over the standard deviation in the arms",
    "arm-means": "means and standard deviations of the arms",
    "counts": "events and totals of the arms",
    "md-over-published-sd": "reported difference of means over the instrument's published "
    "standard deviation",
    "md-through-t": "reported difference of means and its standard error, through t",
    "p-through-t": "sign of the difference of means and its exact p value, through t",
    "reported-n": "reported effect with a variance from the size of the arms",
}
"""Ways to an effect size; the order of the ladder, the most direct first."""

FLAGS: dict[str, str] = {
    "clustering-not-stated": "groups were randomised and the source does not say that the analysis "
    "took account of it",
    "clustering-not-accounted": "groups were randomised and the figure takes no account of it",
    "cluster-size-assumed": "the number of clusters or of people is not known; their size is "
    "assumed",
    "quasi-experiment": "people were not allocated at random",
    "part-of-trial": "the figure is of a part of the people in the trial",
    "variance-from-n": "no interval, standard error or exact p value is printed; the variance "
    "comes from the size of the arms alone",
    "variance-from-randomised-n": "the variance comes from the number randomised, who may not all "
    "have been measured",
    "variance-from-p-bound": "the p value is printed as a bound only; the variance is the largest "
    "that fits",
    "interval-off-centre": "the effect lies far from the middle of its interval",
    "second-hand": "the figure comes from a review or a conference, not from the report itself",
    "selective-source": "the abstract prints figures mainly for significant outcomes",
    "implausible": "the effect is larger than prevention programmes can be expected to reach",
    "sd-may-be-se": "the standard deviation is so small that it may be a standard error",
    "raw-and-reported-disagree": "the reported effect and the raw figures of the arms point in "
    "opposite directions",
}

ASSUMPTIONS: dict[str, str] = {
    "smd-taken-as-g": "the printed standardised difference is taken as it stands, whether or not "
    "its authors corrected it for small samples",
    "level-95": "the level of the interval is not stated and taken as 95%",
    "se-on-log-scale": "the printed standard error of a ratio is taken to be on the log scale",
    "p-from-normal": "the p value is taken to come from a two-sided normal test of this effect",
    "instrument-sd": "the instrument's published standard deviation is that of the people studied",
    "equal-variances": "the arms share one standard deviation",
    "half-added": "half a person is added to each cell because one of them is zero",
    "icc-given": "the intra-cluster correlation is the one given to the calculation",
    "icc-domain": "the intra-cluster correlation is the median of those published for the domain",
    "icc-default": "no intra-cluster correlation is published for the domain; a stated default is "
    "used",
    "equal-clusters": "clusters are of equal size",
}

REASONS: dict[str, str] = {
    "direction-unknown": "the source does not let the direction of the figure be known",
    "figure-unusable": "the figure as printed cannot be used",
    "difference-of-medians": "a difference of medians is not a difference of means",
    "ratio-of-odds-ratios": "a ratio of odds ratios is not an odds ratio",
    "score-rate-ratio": "a rate ratio of a score counts no events",
    "per-pupil-count": "a count per pupil is not a risk",
    "beta": "a regression coefficient has no scale of its own",
    "composite": "the outcome joins several things",
    "knowledge-score": "a score of knowledge is not the outcome of the domain",
    "not-convertible": "the figure cannot be turned into an effect size",
    "excluded": "the row is excluded from effect sizes by hand",
    "no-better-direction": "it is not said which direction of the outcome is better",
    "other-metric": "the row reports another kind of effect",
    "no-figure": "the row holds neither an effect nor complete figures of the arms",
    "no-events": "nobody, or everybody, had the event in both arms",
    "no-sd": "a difference of means without a standard deviation",
    "no-variance": "an effect without interval, standard error, p value or size of the arms",
    "not-positive": "a ratio that is not above zero",
    "direction-contradicted": "the sign contradicts what the source says the figure favours",
}
"""Why a row has no effect size in a metric."""
