"""Effects pooled from counts."""

import math
from typing import Any

from evidence.synthesis.mantel_haenszel import mantel_haenszel as fit_mantel_haenszel
from evidence.synthesis.peto import peto as fit_peto
from evidence.synthesis.pooled_counts import PooledCounts


def _columns(args: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    return {role: data[name] for role, name in args["columns"].items()}


def _listed(fit: PooledCounts, args: dict[str, Any]) -> dict[str, Any]:
    row = fit.to_frame(1 - args["level"] / 100).iloc[0]
    return {
        "k": fit.k,
        "k_pos": fit.k_informative if fit.measure in ("OR", "PETO") else None,
        "k_yi": fit.k_effects,
        "beta": float(row["estimate"]),
        "se": float(row["se"]),
        "zval": float(row["statistic"]),
        "pval": float(row["pvalue"]),
        "ci_lb": float(row["ci_lower"]),
        "ci_ub": float(row["ci_upper"]),
        "QE": fit.heterogeneity.statistic,
        "QEp": fit.heterogeneity.pvalue,
        "I2": fit.I2,
        "H2": fit.H2,
    }


def mantel_haenszel(args: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    rules = {name: args[name] for name in ("correct", "add", "to", "drop00")}
    fit = fit_mantel_haenszel(args["measure"], **rules, **_columns(args, data))
    tests = {"MH": fit.association, "BD": fit.breslow_day, "TA": fit.tarone}
    found = _listed(fit, args)
    for name, test in tests.items():
        found[name] = math.nan if test is None else test.statistic
        found[f"{name}p"] = math.nan if test is None else test.pvalue
    return found


def peto(args: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    # The rules for zero cells (add, to, drop00) have no part in the reference's numbers.
    return _listed(fit_peto(**_columns(args, data)), args)


FUNCTIONS = {"mantel_haenszel": mantel_haenszel, "peto": peto}
