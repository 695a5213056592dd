"""How close is equal, by kind of quantity.

Relative 1e-6 everywhere; looser only where the README or a note of the fixtures says that the
reference itself is less exact. The absolute part is for what is zero in theory and 1e-13 in the
reference, whose iterations stop there.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

RELATIVE = 1e-6
ABSOLUTE = 1e-9

# The square root of a tau2 of 1e-13 is 3e-7.
ABSOLUTE_BY_KEY = {"tau": 1e-6, "I2": 1e-6, "R2": 1e-6}

# Numbers that are small in earnest: p values may be 1e-30 and must be right all the same.
_P_VALUES = ("pval", "QEp", "QMp", "MHp", "BDp", "TAp")
ABSOLUTE_BY_KEY |= dict.fromkeys(_P_VALUES, 1e-300)

# Notes of the fixtures, by function.
RELATIVE_BY_FUNCTION = {
    "glmm": 1e-3,  # adaptive quadrature and a default optimiser tolerance
    "selection_model": 1e-4,  # numerical optimiser
}
RELATIVE_BY_FUNCTION_AND_KEY = {
    # The end of the reference's integral over tau (30) is known to 0.01 only; see runners/bayes.py.
    ("bayes_normal_normal", "sd"): 5e-6,
    ("selection_model", "se"): 1e-3,  # numerical Hessian
    # Up to 1e-6 with beta weights, whose mean the reference integrates adaptively.
    ("selection_model", "logLik"): 1e-6,
    # A standard error with an error of 1e-3 moves z by z/1000 and log p by z squared/1000.
    ("selection_model", "zval"): 1e-3,
    ("selection_model", "pval"): 1e-2,
    ("excess_significance", "theta_lim"): 1e-3,  # root finder with tolerance 1.2e-4
    # The reference's nested quadrature is good to some 3e-6 of the half width, and a bound may be
    # much smaller than that; ours does not change from 100 to 1,000 nodes.
    ("henmi_copas", "ci_lb"): 2e-5,
    ("henmi_copas", "ci_ub"): 2e-5,
}

# Looser for single fixtures, by pattern of FIXTURE::FUNCTION, for what the reference itself gets
# wrong there; infinite where its number is meaningless.
_FROM_SE = ("se", "stat", "ci_lb", "ci_ub")
RELATIVE_BY_CASE = [
    # P values of z near 10 move a hundred times as much as z, which is compared too.
    ("glmm/*", ("pval",), 0.1),
    # Laplace's log-determinant is not renewed at the points of the reference's numerical Hessian:
    # with it held at the maximum our standard error for dat.hahn2001 is theirs to 3e-6. The Wald
    # test is further off where a study's own effect is infinite.
    ("glmm/*UM.RS::*", _FROM_SE, 1e-2),
    ("glmm/*UM.RS::*", ("QE_Wald",), 0.15),
    ("glmm/*UM.RS::*", ("pval",), 0.6),
    # The search stopped at a tau2 with a lower likelihood than tau2 = 0 has; the Hessian there is
    # noise of numerical integration (a standard error of 6e-7 among effects with one of 0.4).
    ("glmm/dat.hahn2001-CM.EL::*", (*_FROM_SE, "pval", "tau2", "I2"), float("inf")),
]

# The numerical optimiser stops at some 1e-5 of a standard error, which shows where the mean or a
# bound is near zero.
ABSOLUTE_BY_FUNCTION_AND_KEY = {
    ("selection_model", "beta"): 1e-5,
    ("selection_model", "zval"): 1e-4,
    ("selection_model", "ci_lb"): 1e-5,
    ("selection_model", "ci_ub"): 1e-5,
    # The reference subtracts the distribution function from one.
    ("robu", "pval"): 1e-15,
}

# Models with struct= are known to 1e-5 in their variances (README), which p values magnify.
_STRUCT = "multilevel with struct"
RELATIVE_BY_FUNCTION[_STRUCT] = 2e-5
RELATIVE_BY_FUNCTION_AND_KEY |= {(_STRUCT, "QMp"): 5e-4, (_STRUCT, "pval"): 5e-4}
RELATIVE_BY_FUNCTION_AND_KEY |= {(_STRUCT, "logLik"): RELATIVE, (_STRUCT, "QE"): RELATIVE}

# Where missing means that the reference did not converge; any number will do.
ANY_WHERE_MISSING = {"cumulative", "multilevel_ci", "multilevel_influence"}


def kind(function: str, args: dict[str, object]) -> str:
    """Name under which the tolerances of a computation stand: the function, mostly."""
    return _STRUCT if function == "multilevel" and args.get("struct") else function


def any_where_missing(name: str) -> bool:
    """Whether a missing number of a case (FIXTURE::FUNCTION) or function may be any number."""
    return name.rpartition("::")[2] in ANY_WHERE_MISSING


def tolerance(name: str, key: str) -> tuple[float, float]:
    """Relative and absolute tolerance of a number that a case or function gives under a key."""
    function = name.rpartition("::")[2]
    relative = RELATIVE_BY_FUNCTION_AND_KEY.get(
        (function, key), RELATIVE_BY_FUNCTION.get(function, RELATIVE)
    )
    for pattern, keys, looser in RELATIVE_BY_CASE:
        if key in keys and fnmatchcase(name, pattern):
            relative = looser
    absolute = ABSOLUTE_BY_FUNCTION_AND_KEY.get((function, key), ABSOLUTE_BY_KEY.get(key, ABSOLUTE))
    return relative, absolute
