"""Univariate models: mean effects, meta-regression, heterogeneity, predictions and residuals."""

import math
import re
from typing import Any

import formulaic
import numpy as np
import pandas as pd

from evidence.synthesis import comparison, permutation, refits, shrunk
from evidence.synthesis.meta import meta

Args = dict[str, Any]
Data = dict[str, Any]

# The reference's two Knapp-Hartung tests, with and without the floor.
_TESTS = {"adhoc": ("knha", True), "knha": ("knha", False), "z": ("z", True), "t": ("t", True)}


def model_matrix(args: Args, data: Data) -> pd.DataFrame:
    """The reference's model matrix: treatment contrasts, the first level is the reference."""
    frame = pd.DataFrame(data)
    formula = (args["mods"] or "~ 1").replace("^", "**")
    for name, levels in (args["factors"] or {}).items():
        kept = [str(level) for level in levels]
        frame[name] = pd.Categorical([_text(x) for x in frame[name]], categories=kept)
        formula = re.sub(rf"factor\({re.escape(name)}\)", name, formula)
    return formulaic.model_matrix(formula, frame)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def fit(args: Args, data: Data):
    test, floor = _TESTS[args["test"]]
    y = data[args["columns"]["yi"]]
    weights = args["weights"]
    if weights is not None:
        weights = np.ones(len(y)) if weights == "equal" else data[weights]
    return meta(
        y,
        data[args["columns"]["vi"]],
        exog=model_matrix(args, data),
        method=args["method"],
        test=test,
        floor=floor,
        weights=weights,
        tau2=args["tau2"],
    )


def _alpha(args: Args) -> float:
    return 1 - args["level"] / 100


def _listed(values: Any) -> list[Any]:
    return np.asarray(values).tolist()


def _prediction(table: pd.DataFrame, random: bool) -> dict[str, Any]:
    found = {
        "pred": _listed(table["mean"]),
        "se": _listed(table["mean_se"]),
        "ci_lb": _listed(table["mean_ci_lower"]),
        "ci_ub": _listed(table["mean_ci_upper"]),
    }
    if random:
        found |= {"pi_lb": _listed(table["pi_lower"]), "pi_ub": _listed(table["pi_upper"])}
    return found


def rma(args: Args, data: Data) -> dict[str, Any]:
    model = fit(args, data)
    alpha = _alpha(args)
    interval = model.conf_int(alpha)
    found = {
        "k": model.k,
        "p": len(model.params),
        "names": ["intrcpt" if name == "Intercept" else name for name in model.params.index],
        "beta": _listed(model.params),
        "se": _listed(model.bse),
        "stat": _listed(model.statistic),
        "pval": _listed(model.pvalues),
        "ci_lb": _listed(interval["lower"]),
        "ci_ub": _listed(interval["upper"]),
        "tau2": model.tau2,
        "se_tau2": model.tau2_se,
        "I2": model.I2,
        "H2": model.H2,
        "QE": model.Q,
        "QE_df": model.Q_df,
        "QEp": model.Q_pvalue,
        "vcov": _listed(model.cov_params()),
        "prediction": _prediction(model.predict(alpha=alpha), model.method != "EE"),
        "fit": model.information_criteria(),
    }
    if math.isfinite(model.df_resid):
        found["ddf"] = [model.df_resid]
    return found


def meta_regression(args: Args, data: Data) -> dict[str, Any]:
    found = rma(args, data)
    model = fit(args, data)
    df = [model.QM_df] + ([model.df_resid] if math.isfinite(model.df_resid) else [])
    # Names of factor levels are spelt differently here.
    del found["names"]
    return found | {"QM": model.QM, "QM_df": df, "QMp": model.QM_pvalue, "R2": model.R2}


def rma_ci(args: Args, data: Data) -> Any:
    model = fit(args, data)
    options = {"kind": args["type"], "upper": args["tau2_max"]}
    table = model.heterogeneity(_alpha(args), **options)
    numbers = table[["estimate", "lower", "upper"]]
    if args["parameter"] is not None:
        return _listed(numbers.loc[args["parameter"]])
    interval = model.tau2_interval(_alpha(args), **options)
    empty, beyond = interval.empty, interval.open_above
    return {
        **{name: _listed(row) for name, row in numbers.iterrows()},
        "null_interval": empty,
        "lb_sign": "<" if empty else "",
        "ub_sign": "<" if empty else ">" if beyond else "",
    }


def predict(args: Args, data: Data) -> dict[str, Any]:
    assert args["pi_quantile"] in (None, "normal") or args["test"] != "z"
    model = fit(args, data)
    X = model_matrix(args, data)
    found = {}
    exog = None
    if args["at"] == "column_means":
        means = np.asarray(X, dtype=float).mean(axis=0)
        exog = means[None, :]
        constant = (np.asarray(X) == 1).all(axis=0)
        found["newmods"] = _listed(means[~constant])
    table = model.predict(exog, alpha=_alpha(args))
    found |= _prediction(table, model.method != "EE")
    if args["transform"] is not None:
        function = {"exp": np.exp, "tanh": np.tanh, "transf.ztor": np.tanh,
                    "ilogit": lambda x: 1 / (1 + np.exp(-x))}[args["transform"]]  # fmt: skip
        found = {
            key: [None] * len(table) if key == "se" else _listed(function(np.array(value)))
            for key, value in found.items()
        }
    return found


def fitted(args: Args, data: Data) -> list[float]:
    return _listed(fit(args, data).fittedvalues)


def model_weights(args: Args, data: Data) -> list[float]:
    assert args["scale"] == "percent"
    return _listed(fit(args, data).weights)


def residuals(args: Args, data: Data) -> dict[str, Any]:
    table = fit(args, data).residuals(args["type"])
    return {name: _listed(table[name]) for name in ("resid", "se", "z")}


def wald_test(args: Args, data: Data) -> dict[str, Any]:
    model = fit(args, data)
    test = model.wald_test([place - 1 for place in args["coefficients"]])
    df = test.df if len(test.df) > 1 else test.df[0]
    return {"QM": test.statistic, "QM_df": _listed(df), "QMp": test.pvalue}


def contrast(args: Args, data: Data) -> dict[str, Any]:
    model = fit(args, data)
    L = np.array([args["contrast"]], dtype=float)
    row = model.predict(L).iloc[0]
    z = float(row["mean"] / row["mean_se"])
    return {"estimate": float(row["mean"]), "se": float(row["mean_se"]), "stat": z,
            "pval": model.wald_test(L).pvalue}  # fmt: skip


def log_likelihood(args: Args, data: Data) -> float:
    return fit(args, data).information_criteria(restricted=args["likelihood"] == "REML")["logLik"]


def information_criteria(args: Args, data: Data) -> dict[str, Any]:
    model = fit(args, data)
    found = model.information_criteria(restricted=args["likelihood"] == "REML")
    return found | {"tau2": model.tau2}


def _refits(table: pd.DataFrame, args: Args) -> dict[str, Any]:
    # Where one study is left the reference writes the values that no heterogeneity would give.
    table = table.fillna({"Q_pvalue": 1.0, "I2": 0.0, "H2": 1.0})
    names = {
        "estimate": "estimate", "se": "se", "pvalue": "pval", "ci_lower": "ci.lb",
        "ci_upper": "ci.ub", "Q": "Q", "Q_pvalue": "Qp", "tau2": "tau2", "I2": "I2", "H2": "H2",
        "statistic": "zval" if args["test"] == "z" else "tval",
    }  # fmt: skip
    return {name: _listed(table[column]) for column, name in names.items()}


def leave_one_out(args: Args, data: Data) -> dict[str, Any]:
    return _refits(refits.leave_one_out(fit(args, data), _alpha(args)), args)


def cumulative(args: Args, data: Data) -> dict[str, Any]:
    order = data[args["columns"]["order"]]
    return _refits(refits.cumulative(fit(args, data), order, _alpha(args)), args)


def blup(args: Args, data: Data) -> dict[str, Any]:
    table = shrunk.blup(fit(args, data), args["kind"], _alpha(args))
    names = {"mean": "pred", "se": "se", "lower": "pi_lb", "upper": "pi_ub"}
    return {name: _listed(table[column]) for column, name in names.items()}


def vif(args: Args, data: Data) -> Any:
    model = fit(args, data)
    if args["coefficients"] is None:
        return _listed(comparison.variance_inflation(model))
    places = [place - 1 for place in args["coefficients"]]
    value = comparison.generalised_variance_inflation(model, places)
    return {"btt": args["coefficients"], "value": value}


def permutation_test(args: Args, data: Data) -> dict[str, Any]:
    model = fit(args, data)
    test = permutation.permutation_test(
        model, exact=args["exact"], permute=args["permute"], tolerance=args["tolerance"],
        alternative=args["alternative"].replace(".", "-"),
    )  # fmt: skip
    found = {"n_permutations": test.n_permutations, "beta": _listed(model.params),
             "pval_parametric": _listed(model.pvalues), "pval": _listed(test.pvalues)}  # fmt: skip
    statistic = _listed(model.statistic)
    if args["permute"] == "signs":
        found = {name: x[0] if isinstance(x, list) else x for name, x in found.items()}
        return found | {"zval": statistic[0], "tval": statistic[0]}
    return found | {"stat": statistic, "QM": model.QM, "QMp": test.QM_pvalue}


FUNCTIONS = {
    "permutation_test": permutation_test,
    "vif": vif,
    "leave_one_out": leave_one_out,
    "cumulative": cumulative,
    "blup": blup,
    "rma": rma,
    "meta_regression": meta_regression,
    "rma_ci": rma_ci,
    "predict": predict,
    "fitted": fitted,
    "model_weights": model_weights,
    "residuals": residuals,
    "wald_test": wald_test,
    "contrast": contrast,
    "log_likelihood": log_likelihood,
    "information_criteria": information_criteria,
}
