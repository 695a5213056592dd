"""Effect sizes and conversions of the reference results, computed with this package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from evidence.effectsize import MEASURES, convert, convert_log_or_to_g, escalc, small_sample_factor
from evidence.effectsize.calculate import EffectSizes

Data = dict[str, list[Any]]


def _column(values: list[Any]) -> np.ndarray:
    return np.array([np.nan if value is None else float(value) for value in values])


def _columns(roles: dict[str, str], data: Data) -> dict[str, np.ndarray]:
    return {role: _column(data[name]) for role, name in roles.items()}


def _df(rule: str, x: dict[str, np.ndarray]) -> np.ndarray:
    if rule == "n1 + n2 - 2":
        return x["n1"] + x["n2"] - 2
    if rule == "n - 2":
        return x["n"] - 2
    raise ValueError(f"degrees of freedom {rule!r}")


def _listed(**arrays: np.ndarray) -> dict[str, list[float | None]]:
    return {
        name: [None if np.isnan(value) else float(value) for value in values]
        for name, values in arrays.items()
    }


def _escalc(args: dict[str, Any], roles: dict[str, str], data: Data) -> EffectSizes:
    # The reference passes whole families of columns; a measure may need fewer.
    needs = MEASURES[args["measure"]].needs
    columns = {role: x for role, x in _columns(roles, data).items() if role in needs}
    options = {k: args[k] for k in ("add", "to", "drop00") if args.get(k) is not None}
    return escalc(args["measure"], vtype=args["vtype"], **options, **columns)


def effect_size(args: dict[str, Any], data: Data) -> dict[str, Any]:
    found = _escalc(args, args["columns"], data)
    return _listed(yi=found.yi, vi=found.vi)


def effect_size_difference(args: dict[str, Any], data: Data) -> dict[str, Any]:
    treated = _escalc(args, args["columns_treated"], data)
    control = _escalc(args, args["columns_control"], data)
    return _listed(yi=treated.yi - control.yi, vi=treated.vi + control.vi)


def convert_statistic(args: dict[str, Any], data: Data) -> dict[str, Any]:
    x = _columns(args["columns"], data)
    way = (args["from"], args["to"])
    if args["to"] == "SMD":
        return _to_smd(args, x)
    if way == ("ratio_ci", "log_ratio"):
        found = convert.log_ratio_from_interval(x["ratio"], x["lower"], x["upper"], args["level"])
    elif way == ("ratio_p", "log_ratio"):
        found = convert.log_ratio_from_p(x["ratio"], x["p"])
    elif way == ("log_odds_ratio", "d"):
        found = convert_log_or_to_g(x["yi"], x["vi"], args["method"])
    elif way == ("r", "d"):
        found = convert.d_from_r(x["r"], x["n"])
    elif way == ("t", "ZCOR"):
        r = convert.r_from_t(x["t"], _df(args["df"], x))
        found = escalc("ZCOR", r=r, n=x["n"])
        return _listed(ri=r, yi=found.yi, vi=found.vi)
    else:
        raise ValueError(f"conversion {way}")
    return _listed(yi=found.yi, vi=found.vi)


def _to_smd(args: dict[str, Any], x: dict[str, np.ndarray]) -> dict[str, Any]:
    df, more = _df(args["df"], x), {}
    if args["from"] == "t":
        t = x["t"]
    elif args["from"] == "F":
        t = convert.t_from_f(x["F"], x["sign"])
    elif args["from"] == "p":
        t = convert.t_from_p(x["p"], x["sign"], df)
        more = {"ti": t}
    elif args["from"] == "mean_difference_ci":
        se = convert.t_interval_se(x["lower"], x["upper"], df, args["level"])
        t = x["md"] / se
        more = {"se": se, "sd": convert.sd_from_se(se, x["n1"], x["n2"])}
    else:
        raise ValueError(f"conversion from {args['from']}")
    found = convert.g_from_t(t, x["n1"], x["n2"], args["vtype"])
    return _listed(**more, yi=found.yi, vi=found.vi)


def factor(args: dict[str, Any], data: Data) -> dict[str, Any]:
    x = _columns(args["columns"], data)
    j = small_sample_factor(_df(args["df"], x))
    d = x["t"] * np.sqrt(1 / x["n1"] + 1 / x["n2"])
    return _listed(J=j, d=d, g=j * d)


FUNCTIONS: dict[str, Callable[[dict[str, Any], Data], Any]] = {
    "effect_size": effect_size,
    "effect_size_difference": effect_size_difference,
    "convert": convert_statistic,
    "small_sample_factor": factor,
}
