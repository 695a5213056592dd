"""Influence of single studies, subsets, and the coordinates of diagnostic plots."""

from pathlib import Path
from typing import Any

import numpy as np

from evidence.synthesis import diagnostics

Args = dict[str, Any]
Data = dict[str, Any]


def _fit(args: Args, data: Data):
    # The model of the univariate runner; runners are imported by file.
    return _UNIVARIATE.fit(args, data)


def influence(args: Args, data: Data) -> dict[str, Any]:
    fit = _fit(args, data)
    found = diagnostics.influence(fit)
    names = {
        "rstudent": "rstudent", "dffits": "dffits", "cook_d": "cook.d", "cov_ratio": "cov.r",
        "tau2_deleted": "tau2.del", "Q_deleted": "QE.del", "hat": "hat", "weight": "weight",
        "influential": "is_influential",
    }  # fmt: skip
    values: dict[str, Any] = {name: found.table[column].tolist() for column, name in names.items()}
    betas = {
        "intrcpt" if name == "Intercept" else name: column.tolist()
        for name, column in found.dfbetas.items()
    }
    return values | {"dfbetas": betas if fit.p > 1 else betas["intrcpt"]}


def gosh(args: Args, data: Data) -> dict[str, Any]:
    assert args["subsets"] == "all"
    found = diagnostics.gosh(_fit(args, data))
    shown = found.table.head(args["shown"])
    names = {"Q": "QE"}
    return {
        **{names.get(name, name): column.tolist() for name, column in shown.items()},
        "n_subsets": len(found.table),
        "estimate_summary": np.quantile(found.table["estimate"], args["probs"]).tolist(),
    }


def baujat(args: Args, data: Data) -> dict[str, Any]:
    table = diagnostics.baujat(_fit(args, data))
    return {"x": table["heterogeneity"].tolist(), "y": table["influence"].tolist()}


def radial(args: Args, data: Data) -> dict[str, Any]:
    table = diagnostics.radial(_fit(args, data), center=args["center"])
    return {name: column.tolist() for name, column in table.items()}


def funnel_limits(args: Args, data: Data) -> dict[str, Any]:
    fit = _fit(args, data)
    contours = {level: round(1 - level / 100, 10) for level in args["contours"]}
    table = diagnostics.funnel_limits(
        fit, points=args["grid"], alpha=1 - args["level"] / 100, contours=list(contours.values())
    )
    level = f"{args['level']:g}"
    return {
        "se_grid": table["se"].tolist(),
        f"center_{args['method']}": float(fit.beta[0]),
        f"lb{level}": table["lower"].tolist(),
        f"ub{level}": table["upper"].tolist(),
        **{
            f"contour_{level:g}_lb": (-table[f"contour_{p:g}"]).tolist()
            for level, p in contours.items()
        },
    }


def _load_univariate() -> Any:
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "reference_models", Path(__file__).with_name("univariate.py")
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_UNIVARIATE = _load_univariate()

FUNCTIONS = {
    "influence": influence,
    "gosh": gosh,
    "baujat": baujat,
    "radial": radial,
    "funnel_limits": funnel_limits,
}
