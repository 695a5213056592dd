"""Generalised linear mixed models."""

from typing import Any

import numpy as np

from evidence.synthesis.glmm import glmm as fit_glmm

_TRANSFORMS = {
    "inverse_logit": lambda x: 1 / (1 + np.exp(-x)),
    "exp": np.exp,
}


def glmm(args: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    fit = fit_glmm(
        args["measure"],
        model=args["model"],
        points=args["nAGQ"],
        coding=args["coding"],
        correlated=args["cor"],
        drop00=args["drop00"],
        method=args["method"],
        test=args["test"],
        **{role: data[name] for role, name in args["columns"].items()},
    )
    alpha = 1 - args["level"] / 100
    if args["transform"] is not None:
        row = fit.predict(alpha=alpha).iloc[0]
        turn = _TRANSFORMS[args["transform"]]
        names = {"pred": "mean", "ci_lb": "mean_ci_lower", "ci_ub": "mean_ci_upper",
                 "pi_lb": "pi_lower", "pi_ub": "pi_upper"}  # fmt: skip
        return {name: float(turn(row[column])) for name, column in names.items()}
    interval = fit.conf_int(alpha)
    found = {
        "k": fit.k,
        "names": ["intrcpt"],
        "beta": fit.params.tolist(),
        "se": fit.bse.tolist(),
        "stat": fit.statistic.tolist(),
        "pval": fit.pvalues.tolist(),
        "ci_lb": interval["lower"].tolist(),
        "ci_ub": interval["upper"].tolist(),
        "tau2": fit.tau2,
        "se_tau2": fit.tau2_se,
        "sigma2": fit.sigma2,
        "rho": fit.rho,
        "I2": fit.I2,
        "H2": fit.H2,
        "QE_Wald": fit.wald.statistic,
        "QEp_Wald": fit.wald.pvalue,
        "QE_LRT": fit.likelihood_ratio.statistic,
        "QEp_LRT": fit.likelihood_ratio.pvalue,
        "QE_df": fit.Q_df,
        "logLik": _log_likelihood(fit),
    }
    if args["test"] == "t":
        found["ddf"] = [fit.df_resid]
    return found


def _log_likelihood(fit) -> float:
    # Where the reference uses quadrature with several points it writes the log-likelihood of the
    # counts given the random effects at their modes.
    quadrature = fit.points > 1 and (fit.measure, fit.model_name) != ("OR", "CM.EL")
    return fit.conditional_llf if quadrature else fit.llf


FUNCTIONS = {"glmm": glmm}
