"""Funnel asymmetry, adjustments for missing results, and selection models."""

from typing import Any

from evidence.synthesis import bias

Args = dict[str, Any]
Data = dict[str, Any]


def _effects(args: Args, data: Data) -> tuple[Any, Any]:
    return data[args["columns"]["yi"]], data[args["columns"]["vi"]]


def _model(args: Args) -> dict[str, Any]:
    """Estimator and test by the package's names; the reference's `knha` has no floor."""
    test = "knha" if args["test"] == "adhoc" else args["test"]
    return {"method": args["method"], "test": test, "floor": args["test"] == "adhoc"}


def _alpha(args: Args) -> float:
    return 1 - args["level"] / 100


def _coefficients(fit: Any, alpha: float) -> dict[str, Any]:
    table = fit.to_frame(alpha)
    names = {"estimate": "beta", "se": "se", "statistic": "stat", "pvalue": "pval",
             "ci_lower": "ci_lb", "ci_upper": "ci_ub"}  # fmt: skip
    return {name: table[column].tolist() for column, name in names.items()} | {
        "k": fit.k, "p": fit.p, "tau2": fit.tau2, "se_tau2": fit.tau2_se, "I2": fit.I2,
        "H2": fit.H2, "R2": fit.R2, "QE": fit.Q, "QE_df": fit.Q_df, "QEp": fit.Q_pvalue,
        "QM": fit.QM, "QM_df": [fit.QM_df], "QMp": fit.QM_pvalue, "ddf": fit.df_resid,
        "dispersion": fit.scale,
    }  # fmt: skip


def regtest(args: Args, data: Data) -> dict[str, Any]:
    n = args["columns"].get("n")
    options = {} if args["model"] == "lm" else _model(args)
    found = bias.asymmetry(
        *_effects(args, data), predictor=args["predictor"], model=args["model"],
        ni=None if n is None else data[n], **options,
    )  # fmt: skip
    limit = found.limit(_alpha(args))
    return {
        "stat": found.statistic, "pval": found.pvalue, "dfs": found.df_resid,
        "limit_estimate": limit["estimate"], "limit_ci_lb": limit["lower"],
        "limit_ci_ub": limit["upper"],
    }  # fmt: skip


def ranktest(args: Args, data: Data) -> dict[str, Any]:
    exact = None if args["exact"] == "auto" else args["exact"]
    found = bias.rank_correlation(*_effects(args, data), exact=exact)
    return {"tau": found.tau, "pval": found.pvalue}


def pet_peese(args: Args, data: Data) -> dict[str, Any]:
    found = bias.pet_peese(*_effects(args, data), **_model(args))
    return _coefficients(found.pet if args["predictor"] == "sei" else found.peese, _alpha(args))


def failsafe(args: Args, data: Data) -> dict[str, Any]:
    target = None if args["target"] in (None, "half_mean") else args["target"]
    found = bias.fail_safe(
        *_effects(args, data), kind=args["type"], alpha=args["alpha"] or 0.05,
        tails=args["tails"], target=target, weighted=bool(args["weighted"]),
    )  # fmt: skip
    return {
        "fsn": found.n, "pval": found.pvalue, "mean_effect": found.mean, "target": found.target,
        "alpha": found.alpha,
    }  # fmt: skip


def trimfill(args: Args, data: Data) -> dict[str, Any]:
    found = bias.trim_and_fill(
        *_effects(args, data), estimator=args["estimator"], side=args["side"], **_model(args)
    )
    return _coefficients(found.fit, _alpha(args)) | {
        "side": found.side, "k0": found.k0, "se_k0": found.k0_se, "p_k0": found.k0_pvalue,
        "filled_yi": found.filled["yi"].tolist(), "filled_vi": found.filled["vi"].tolist(),
    }  # fmt: skip


def excess_significance(args: Args, data: Data) -> dict[str, Any]:
    names = ("method", "test", "alpha", "alternative", "test_alternative", "integration_width")
    found = bias.excess_significance(
        *_effects(args, data), limit_alpha=args["limit_alpha"] or 0.1,
        **{name: args[name] for name in names},
    )  # fmt: skip
    return {
        "k": found.k, "O": found.observed, "E": found.expected, "X2": found.statistic,
        "pval": found.pvalue, "theta": found.theta, "power": found.power.tolist(),
        "theta_lim": [found.limit],
    }  # fmt: skip


def henmi_copas(args: Args, data: Data) -> dict[str, Any]:
    assert args["method"] == "DL"
    found = bias.henmi_copas(*_effects(args, data))
    row = found.to_frame(_alpha(args)).iloc[0]
    return {
        "beta": row["estimate"], "se": row["se"], "ci_lb": row["ci_lower"],
        "ci_ub": row["ci_upper"], "tau2_DL": row["tau2"],
    }  # fmt: skip


def selection_model(args: Args, data: Data) -> dict[str, Any]:
    assert args["test"] == "z"
    options = {} if args["steps"] is None else {"steps": args["steps"]}
    found = bias.selection_model(
        *_effects(args, data), kind=args["type"], delta=args["delta"],
        alternative=args["alternative"], method=args["method"], **options,
    )  # fmt: skip
    row, weights = found.to_frame(_alpha(args)).iloc[0], found.weights()
    return {
        "alternative": found.alternative, "beta": row["estimate"], "se": row["se"],
        "zval": row["statistic"], "pval": row["pvalue"], "ci_lb": row["ci_lower"],
        "ci_ub": row["ci_upper"], "tau2": found.tau2, "se_tau2": found.tau2_se,
        "delta": weights["estimate"].tolist(), "weights": weights["estimate"].tolist(),
        "se_delta": weights["se"].tolist(), "LRT": found.LRT, "LRTdf": found.LRT_df,
        "LRTp": found.LRT_pvalue, "logLik": found.llf, "boundary": found.boundary,
    }  # fmt: skip


def p_values(args: Args, data: Data) -> list[float]:
    return bias.p_values(*_effects(args, data), alternative=args["alternative"]).tolist()


FUNCTIONS = {
    "regtest": regtest,
    "ranktest": ranktest,
    "pet_peese": pet_peese,
    "failsafe": failsafe,
    "trimfill": trimfill,
    "excess_significance": excess_significance,
    "henmi_copas": henmi_copas,
    "selection_model": selection_model,
    "p_values": p_values,
}
