"""How close is equal, by kind of quantity.

Relative 1e-6 everywhere; looser only where the README or a note of the fixtures says that the
reference itself is less exact. The absolute part is for what is zero in theory and 1e-13 in the
reference, whose iterations stop there.
"""

from __future__ import annotations

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
    ("selection_model", "logLik"): 1e-7,
    ("excess_significance", "theta_lim"): 1e-3,  # root finder with tolerance 1.2e-4
    # The reference's nested quadrature is good to some 3e-6 of the half width, and a bound may be
    # much smaller than that; ours does not change from 100 to 1,000 nodes.
    ("henmi_copas", "ci_lb"): 2e-5,
    ("henmi_copas", "ci_ub"): 2e-5,
}

# Where missing means that the reference did not converge; any number will do.
ANY_WHERE_MISSING = {"cumulative"}


def tolerance(function: str, key: str) -> tuple[float, float]:
    """Relative and absolute tolerance of the number under a key that a function returns."""
    relative = RELATIVE_BY_FUNCTION_AND_KEY.get(
        (function, key), RELATIVE_BY_FUNCTION.get(function, RELATIVE)
    )
    return relative, ABSOLUTE_BY_KEY.get(key, ABSOLUTE)
