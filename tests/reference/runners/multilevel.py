"""Multilevel models, their components, random effects and influence; aggregation of effects."""

import math
import re
from typing import Any

import numpy as np
import pandas as pd

from evidence.synthesis.dependent import covariance
from evidence.synthesis.dependent.aggregate import aggregate_effects
from evidence.synthesis.dependent.influence import influence
from evidence.synthesis.dependent.multilevel import multilevel
from evidence.synthesis.dependent.multilevel_results import MultilevelResults

Args = dict[str, Any]
Data = dict[str, Any]


def sampling_covariance(args: Args, data: Data) -> covariance.Covariance:
    V = args["V"]
    if V["type"] == "diagonal":
        return covariance.diagonal(data[V["variances"]])
    if V["type"] == "compound_symmetric":
        return covariance.compound_symmetric(
            data[V["variances"]], data[V["cluster"]], V["rho"]
        )  # fmt: skip
    assert V["type"] == "block"
    # A short block leaves the last columns empty.
    table = np.array([data[c] for c in V["columns"]], dtype=float).T
    return covariance.from_columns(table, data[V["cluster"]])


def frame_of(args: Args, data: Data) -> pd.DataFrame:
    frame = pd.DataFrame(data)
    for name, levels in (args["factors"] or {}).items():
        kept = [str(level) for level in levels]
        text = [f"{x:g}" if isinstance(x, float) else str(x) for x in frame[name]]
        frame[name] = pd.Categorical(text, categories=kept)
    return frame


def formula_of(args: Args, mods: str | None) -> str:
    formula = (mods or "~ 1").replace("^", "**")
    for name in args["factors"] or {}:
        formula = re.sub(rf"factor\({re.escape(name)}\)", name, formula)
    return formula


def random_of(random: str | list[str] | None) -> list[str]:
    """A formula, or several: as a list or in the reference's ``list(~ 1 | a, ~ 1 | b)``."""
    if random is None:
        return []
    if isinstance(random, list):
        return random
    inner = re.fullmatch(r"\s*list\((.*)\)\s*", random)
    return [part.strip() for part in (inner[1] if inner else random).split(",")]


def fit(
    args: Args, data: Data, mods: str = "mods", random: str = "random", test: str = "z"
) -> MultilevelResults:
    return multilevel(
        data[args["columns"]["yi"]],
        sampling_covariance(args, data),
        frame_of(args, data),
        mods=formula_of(args, args[mods]),
        random=random_of(args[random]),
        struct=args.get("struct") or "CS",
        method=args["method"],
        test=args.get("test", test),
    )


def _listed(values: Any) -> list[Any]:
    return np.asarray(values).tolist()


def _text(values: Any) -> list[str]:
    return [str(value) for value in values]


def _reference_name(term: str) -> str:
    """The reference calls the levels of its nested terms by these two names."""
    return "study_/es_" if "/" in term else "study_"


def run(args: Args, data: Data) -> dict[str, Any]:
    model = fit(args, data)
    alpha = 1 - args["level"] / 100
    interval = model.conf_int(alpha)
    table = model.predict(alpha=alpha)
    criteria = model.information_criteria()
    found = {
        "k": model.k,
        "p": model.p,
        "names": _names(args, model),
        "beta": _listed(model.params),
        "se": _listed(model.bse),
        "stat": _listed(model.statistic),
        "pval": _listed(model.pvalues),
        "ddf": [model.df_resid] if math.isfinite(model.df_resid) else None,
        "ci_lb": _listed(interval["lower"]),
        "ci_ub": _listed(interval["upper"]),
        "vcov": _listed(model.cov_params()),
        "QE": model.Q,
        "QE_df": model.Q_df,
        "QEp": model.Q_pvalue,
        "QM": model.QM,
        "QM_df": [model.QM_df] + ([model.df_resid] if math.isfinite(model.df_resid) else []),
        "QMp": model.QM_pvalue,
        "sigma2": _listed(model.sigma2),
        "sigma2_names": [_reference_name(name) for name in model.sigma2.index],
        "sigma2_nlevels": _listed(model.n_levels()[model.sigma2.index]),
        "struct": args["struct"],
        "fit": criteria,
        "logLik": criteria["logLik"],
        "prediction": {
            "pred": _listed(table["mean"]),
            "se": _listed(table["mean_se"]),
            "ci_lb": _listed(table["mean_ci_lower"]),
            "ci_ub": _listed(table["mean_ci_upper"]),
            "pi_lb": _listed(table["pi_lower"]),
            "pi_ub": _listed(table["pi_upper"]),
        },
        "typical_variance": model.typical_variance,
        "I2_total": model.I2["total"],
        "I2_levels": _listed(model.I2.drop("total")),
    }
    if args["struct"]:
        found |= {"tau2": _listed(model.tau2), "rho": _listed(model.rho)}
    return found


def _names(args: Args, model: MultilevelResults) -> list[str]:
    """Names of the coefficients as the reference spells them, in the order of the columns."""
    found = []
    for name in model.names:
        parts = []
        for part in name.split(":"):
            matched = re.fullmatch(r"(\w+)\[(?:T\.)?(.*)\]", part)
            if matched is None:
                parts.append("intrcpt" if part == "Intercept" else part)
                continue
            factor = f"factor({matched[1]})"
            written = factor if factor in (args["mods"] or "") else matched[1]
            parts.append(written + matched[2])
        found.append(":".join(parts))
    return found


def multilevel_ci(args: Args, data: Data) -> list[float]:
    assert args["type"] == "PL"
    model = fit(args, data)
    place = args["component"] - 1
    interval = model.profile_interval(place, 1 - args["level"] / 100)
    return [float(model.sigma2.iloc[place]), interval.lower, interval.upper]


def multilevel_blup(args: Args, data: Data) -> dict[str, Any]:
    table = fit(args, data).random_effects(args["component"] - 1)
    return {"level": _text(table.index), "blup": _listed(table["mean"]), "se": _listed(table["se"])}


def multilevel_influence(args: Args, data: Data) -> dict[str, Any]:
    found = influence(fit(args, data), data[args["cluster"]])
    by_cluster = {
        args["cluster"]: _text(found.clusters.index),
        "value": _listed(found.clusters["cook"]),
    }
    return {
        "rstandard": _listed(found.rows["standardized"]),
        "hat": _listed(found.rows["hat"]),
        "weights_rowsum": _listed(found.rows["weight"]),
        f"cooks_{args['cluster']}": by_cluster,
        "rstudent_row": _listed(found.rows["deleted"]),
        f"rstudent_{args['cluster']}_X2": _listed(found.clusters["chi2"]),
    }


def aggregated(args: Args, data: Data) -> dict[str, Any]:
    assert args["struct"] == "CS"
    columns = args["columns"]
    V = covariance.compound_symmetric(
        data[columns["vi"]], data[columns["cluster"]], args["rho"]
    )  # fmt: skip
    table = aggregate_effects(
        data[columns["yi"]], V, data[columns["cluster"]], weighted=args["weighted"]
    )
    return {"yi": _listed(table["yi"]), "vi": _listed(table["vi"])}


FUNCTIONS = {
    "multilevel": run,
    "multilevel_ci": multilevel_ci,
    "multilevel_blup": multilevel_blup,
    "multilevel_influence": multilevel_influence,
    "aggregate_effects": aggregated,
}
