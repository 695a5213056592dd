"""Cluster-robust inference on univariate and multilevel models, and robust variance estimation."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from evidence.synthesis.dependent.robu import robu
from evidence.synthesis.dependent.robust import RobustResults, robust

Args = dict[str, Any]
Data = dict[str, Any]


def _beside(name: str) -> Any:
    """Another runner of this folder: how it fits its models."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"robust_beside_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_MULTILEVEL, _UNIVARIATE = _beside("multilevel"), _beside("univariate")


def _fit(args: Args, data: Data) -> RobustResults:
    if args["working_model"] == "multilevel":
        model = _MULTILEVEL.fit(args, data)
    else:
        columns = args["columns"] | {"vi": args["V"]["variances"]}
        plain = {"columns": columns, "weights": args.get("weights"), "tau2": args.get("tau2")}
        model = _UNIVARIATE.fit(args | plain, data)
    cluster = data[args["cluster"]]
    return robust(model, cluster, vcov=args["vcov"], df=args.get("df", "Satterthwaite"))


def _listed(values: Any) -> list[Any]:
    return np.asarray(values).tolist()


def _tables(model: RobustResults, level: float) -> dict[str, Any]:
    interval = model.conf_int(1 - level / 100)
    return {
        "beta": _listed(model.params),
        "se": _listed(model.bse),
        "t": _listed(model.statistic),
        "df": _listed(model.df),
        "pval": _listed(model.pvalues),
        "ci_lb": _listed(interval["lower"]),
        "ci_ub": _listed(interval["upper"]),
        "vcov": _listed(model.cov_params()),
    }


def run(args: Args, data: Data) -> dict[str, Any]:
    return _tables(_fit(args, data), args["level"])


def robust_wald(args: Args, data: Data) -> dict[str, Any]:
    test = _fit(args, data).wald_test(args["constraints"], args["robust_test"])
    return {
        "Fstat": test.statistic,
        "df_num": test.df[0],
        "df_denom": test.df[1],
        "pval": test.pvalue,
    }


def run_robu(args: Args, data: Data) -> dict[str, Any]:
    columns = args["columns"]
    X = _UNIVARIATE.model_matrix(args, data)
    model = robu(
        data[columns["yi"]], data[columns["vi"]], data[columns["cluster"]], exog=X,
        weights=args["weights"], rho=args["rho"], small=args["small"],
    )  # fmt: skip
    found = _tables(model, args["level"])
    # Names as R's make.names writes them.
    names = ["X.Intercept." if name == "Intercept" else name for name in model.names]
    return found | {
        "names": names,
        "tau2": model.tau2,
        "omega2": model.omega2,
        "I2": model.I2,
        "n_studies": model.n_clusters,
        "n_effects": model.k,
    }


FUNCTIONS = {"robust": run, "robust_wald": robust_wald, "robu": run_robu}
