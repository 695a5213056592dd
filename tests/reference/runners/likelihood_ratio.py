"""Likelihood ratio tests of univariate and multilevel models."""

import importlib.util
from pathlib import Path
from typing import Any

import formulaic
import numpy as np
import pandas as pd

from evidence.synthesis import comparison
from evidence.synthesis.dependent import comparison as dependent
from evidence.synthesis.meta import meta

_SPEC = importlib.util.spec_from_file_location(
    "reference_multilevel", Path(__file__).with_name("multilevel.py")
)
multilevel = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(multilevel)


def likelihood_ratio(args: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    if args["V"] is None:
        models = [_univariate(args, data, args[f"mods_{size}"]) for size in ("full", "reduced")]
        test = comparison.likelihood_ratio(*models)
    else:
        models = [
            multilevel.fit(args, data, f"mods_{size}", f"random_{size}")
            for size in ("full", "reduced")
        ]
        test = dependent.likelihood_ratio(*models)
    return {"LRT": test.statistic, "df": test.df, "pval": test.pvalue, "R2": test.R2}


def _univariate(args: dict[str, Any], data: dict[str, Any], mods: str | None):
    frame = pd.DataFrame(data)
    for name, levels in (args["factors"] or {}).items():
        frame[name] = pd.Categorical(frame[name].astype(str), categories=[str(x) for x in levels])
    formula = (mods or "~ 1").replace("factor(", "(").replace("^", "**")
    X = np.asarray(formulaic.model_matrix(formula, frame), dtype=float)
    columns = args["columns"]
    return meta(data[columns["yi"]], data[columns["vi"]], exog=X, method=args["method"], test="z")


FUNCTIONS = {"likelihood_ratio": likelihood_ratio}
