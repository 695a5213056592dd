"""Likelihood ratio tests of univariate models."""

from typing import Any

import formulaic
import numpy as np
import pandas as pd

from evidence.synthesis import comparison
from evidence.synthesis.meta import meta


def likelihood_ratio(args: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    if args["V"] is not None:
        raise NotImplementedError("models with several variance components")
    frame = pd.DataFrame(data)
    for name, levels in (args["factors"] or {}).items():
        frame[name] = pd.Categorical(frame[name].astype(str), categories=[str(x) for x in levels])

    def fit(mods: str | None):
        formula = (mods or "~ 1").replace("factor(", "(").replace("^", "**")
        X = np.asarray(formulaic.model_matrix(formula, frame), dtype=float)
        columns = args["columns"]
        return meta(
            data[columns["yi"]], data[columns["vi"]], exog=X, method=args["method"], test="z"
        )

    test = comparison.likelihood_ratio(fit(args["mods_full"]), fit(args["mods_reduced"]))
    return {"LRT": test.statistic, "df": test.df, "pval": test.pvalue, "R2": test.R2}


FUNCTIONS = {"likelihood_ratio": likelihood_ratio}
