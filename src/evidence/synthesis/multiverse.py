"""The multiverse: every defensible analysis of the same studies, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evidence.errors import ModelError, UsageError
from evidence.facts import count_words
from evidence.synthesis.meta import _column, _require_data, meta
from evidence.synthesis.results import METHODS, TESTS

if TYPE_CHECKING:
    from evidence.plots.figure import Figure

CHOICES = ("subset", "metric", "method", "test", "rho")
"""Columns that say what was chosen."""

_NUMBERS = ("estimate", "se", "ci_lower", "ci_upper")


@dataclass(frozen=True, eq=False)
class MultiverseResults:
    """Analyses of the same studies by every combination of choices.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per specification. What was chosen: ``subset``, ``metric``, ``method`` (an estimator
        of τ², ``EE``, or ``CHE`` for correlated and hierarchical effects), ``test`` (``CR2`` with
        CHE), ``rho`` (NaN but for CHE). What came out: ``estimate``, ``se``, ``ci_lower``,
        ``ci_upper``, ``k`` (effects), ``tau2`` (between studies), ``note`` (why there is no
        estimate or no interval, or what a reader must know). NaN where nothing could be fitted.
    alpha : float
        One minus the level of the intervals.
    duplicates : tuple of str
        Combinations that mean the same as others and are not counted, in words.
    """

    table: pd.DataFrame
    alpha: float
    duplicates: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row per specification."""
        return self.table

    @property
    def fitted(self) -> pd.DataFrame:
        """The specifications that have an estimate."""
        return self.table[self.table["estimate"].notna()]

    def describe(self) -> pd.Series:
        """The curve in numbers.

        Returns
        -------
        pandas.Series
            ``specifications``, ``fitted``, ``with_interval``; ``min``, ``q25``, ``median``,
            ``q75``, ``max`` of the estimates; the shares ``positive`` and ``negative`` of the
            estimates, and ``excludes_zero`` of the intervals. NaN where there is none.
        """
        found = self.fitted
        known = found.dropna(subset=["ci_lower", "ci_upper"])
        away = (known["ci_lower"] > 0) | (known["ci_upper"] < 0)
        sizes = found["estimate"]
        return pd.Series({
            "specifications": len(self.table), "fitted": len(found), "with_interval": len(known),
            "min": sizes.min(), "q25": sizes.quantile(0.25), "median": sizes.median(),
            "q75": sizes.quantile(0.75), "max": sizes.max(),
            "positive": (sizes > 0).mean(), "negative": (sizes < 0).mean(),
            "excludes_zero": away.mean(),
        }, dtype=float)  # fmt: skip

    def summary(self) -> str:
        """What a paper needs, as text."""
        found = self.describe()
        parts = [
            f"{count_words(len(self.table), 'analysis', 'analyses')} of the same studies, "
            f"{int(found['fitted'])} of them fitted"
        ]
        if found["fitted"]:
            parts += [
                f"Estimates: median {found['median']:.4f}, quartiles {found['q25']:.4f} and "
                f"{found['q75']:.4f}, range {found['min']:.4f} to {found['max']:.4f}",
                f"Sign: {100 * found['positive']:.0f} % above zero, "
                f"{100 * found['negative']:.0f} % below",
            ]
        if found["with_interval"]:
            parts.append(
                f"Intervals ({100 * (1 - self.alpha):g} %): {100 * found['excludes_zero']:.0f} % "
                f"of {int(found['with_interval'])} exclude no effect"
            )
        parts.append(
            "The analyses share the same studies: they are not independent, their number adds no "
            "evidence, and there is no p value for the whole."
        )
        parts += [f"Not counted: {words}." for words in self.duplicates]
        return "\n".join(parts + self._reasons())

    def _reasons(self) -> list[str]:
        lost = self.table.loc[self.table["estimate"].isna(), "note"].value_counts(sort=False)
        return [f"Not fitted ({number}): {reason}." for reason, number in lost.items()]

    def report(self) -> str:
        """The sentence that a methods section needs."""
        options = [
            (self.table[choice].dropna().nunique(), *nouns)
            for choice, nouns in zip(
                CHOICES,
                (("set of studies", "sets of studies"), ("metric", "metrics"), ("model", "models"),
                 ("test", "tests"), ("assumed correlation", "assumed correlations")),
                strict=True,
            )
        ]  # fmt: skip
        crossed = ", ".join(count_words(*option) for option in options if option[0])
        fitted = len(self.fitted)
        return (
            f"All defensible combinations of choices ({crossed}) were analysed: "
            f"{count_words(len(self.table), 'specification')}, of which {fitted} could be fitted. "
            "As they share the same studies, they are described and not tested together."
        )

    def plot(self, *, scale: Literal["difference", "log"] = "difference",
             title: str = "Effect", label: str = "fig-specifications") -> Figure:  # fmt: skip
        """Draw the specification curve of the fitted analyses.

        Parameters
        ----------
        scale, title, label
            As for :func:`evidence.plots.research.specifications_figure`.

        Raises
        ------
        ModelError
            If nothing could be fitted.
        """
        from evidence.plots.research.specifications import specifications_figure

        found = self.fitted
        if found.empty:
            raise ModelError("no analysis could be fitted, so there is no curve to draw")
        # In the order in which the choices were given, not in that of the sizes.
        found = found.assign(rho=[f"{rho:g}" if rho == rho else "not needed" for rho in found.rho])
        told = [name for name in CHOICES if found[name].nunique() > 1] or ["method"]
        return specifications_figure(found, told, scale=scale, title=title, label=label)

    def __repr__(self) -> str:
        return f"<MultiverseResults: {len(self.table)} analyses, {len(self.fitted)} fitted>"

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from html import escape

        words = "".join(f"<p>{escape(line)}</p>" for line in self.summary().splitlines())
        return f"{words}{self.table.to_html(border=0, na_rep='')}"


def multiverse(
    effects: pd.DataFrame,
    *,
    yi: str = "yi",
    vi: str = "vi",
    cluster: str | None = None,
    subsets: Mapping[str, ArrayLike | str] | None = None,
    methods: Sequence[str] = ("EE", "DL", "REML", "PM"),
    tests: Sequence[str] = ("z", "knha"),
    rhos: Sequence[float] = (0.4, 0.6, 0.8),
    metrics: Mapping[str, tuple[str, str]] | None = None,
    floor: bool = True,
    alpha: float = 0.05,
    missing: str = "raise",
) -> MultiverseResults:
    """Analyse the same studies by every defensible combination of choices.

    Effects that are independent are pooled by each of ``methods`` with each of ``tests``. Where
    studies give several effects these models do not hold; there the model of correlated and
    hierarchical effects is fitted with each of ``rhos``, and the others are listed without an
    estimate.

    Parameters
    ----------
    effects : pandas.DataFrame
        One row per effect.
    yi, vi : str
        Columns of the effects and their sampling variances.
    cluster : str, optional
        Column of the studies; without it all effects count as independent.
    subsets : mapping of str to array_like of bool, or str, optional
        Inclusion rules: a mask, shape (k,), or the name of a column that holds one. A Series is
        aligned by its index. By default all effects.
    methods : sequence of str
        Estimators of τ², or ``EE`` for a common effect; as for
        :func:`~evidence.synthesis.meta.meta`, without ``GENQ``.
    tests : sequence of str
        ``z``, ``t``, ``knha``. The last is left out for the common effect, for which it is not
        made.
    rhos : sequence of float
        Correlations of sampling errors within studies.
    metrics : mapping of str to (str, str), optional
        Columns of effects and variances by the name of the metric, in place of ``yi`` and ``vi``.
        They should be on one scale, or their estimates cannot be set in one curve.
    floor : bool
        Whether the Knapp-Hartung factor may not fall below one.
    alpha : float
        One minus the level of the intervals.
    missing : {"raise", "drop"}
        Whether a missing number makes a specification fail, or its row is left out.

    Returns
    -------
    MultiverseResults
        Choices that come to the same thing (subsets or metrics that hold the same numbers of the
        same rows, a correlation where no study gives several effects) are counted once. A
        combination that cannot be fitted stays, with the reason.

    Raises
    ------
    UsageError
        If an option or a column does not exist, a mask is not made of truth values for each row, or
        no combination is left.

    References
    ----------
    Simonsohn U, Simmons JP, Nelson LD (2020). Specification curve analysis. Nature Human Behaviour
    4, 1208-1214.
    Steegen S, Tuerlinckx F, Gelman A, Vanpaemel W (2016). Increasing transparency through a
    multiverse analysis. Perspectives on Psychological Science 11, 702-712.
    Voracek M, Kossmeier M, Tran US (2019). Which data to meta-analyze, and how? Zeitschrift für
    Psychologie 227, 64-82.
    """
    _require_options(methods, tests, rhos, alpha, missing)
    models = [
        (method, test)
        for method in dict.fromkeys(methods)
        for test in dict.fromkeys(tests)
        if (method, test) != ("EE", "knha")
    ]
    if not models:
        raise UsageError("a common effect has no Knapp-Hartung test: name another test or method")
    studies = None if cluster is None else _studies(effects, cluster)
    columns = {"as given": (yi, vi)} if metrics is None else dict(metrics)
    rules: Mapping[str, Any] = subsets or {"all": None}
    masks = {name: _mask(name, rule, effects) for name, rule in rules.items()}
    seen: dict[tuple[bytes, ...], tuple[str, str]] = {}
    duplicates: list[str] = []
    table: list[dict[str, Any]] = []
    for metric, names in columns.items():
        y, v = (_column(name, effects, role) for name, role in zip(names, ("yi", "vi"),
                                                                   strict=True))  # fmt: skip
        for subset, mask in masks.items():
            rows = np.flatnonzero(mask)
            if missing == "drop":
                rows = rows[~np.isnan(y[rows] + v[rows])]
            key = (rows.tobytes(), y[rows].tobytes(), v[rows].tobytes())
            if key in seen:
                first = " with metric ".join(seen[key]) if len(columns) > 1 else seen[key][0]
                this = f"{subset} with metric {metric}" if len(columns) > 1 else subset
                duplicates.append(f"subset {this} holds the same rows and numbers as {first}")
                continue
            seen[key] = (subset, metric)
            groups = None if studies is None else studies[rows]
            found = _analyses(y, v, rows, groups, models, rhos, floor, alpha)
            table.extend({"subset": subset, "metric": metric} | row for row in found)
    results = ("k", "tau2", "note")
    frame = pd.DataFrame(table, columns=[*CHOICES, *_NUMBERS, *results])
    return MultiverseResults(frame, alpha, tuple(duplicates))


def _analyses(
    y: np.ndarray, v: np.ndarray, rows: np.ndarray, groups: np.ndarray | None,
    models: list[tuple[str, str]], rhos: Sequence[float], floor: bool, alpha: float,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """All analyses of one set of effects."""
    from evidence.synthesis.dependent.che import che

    k = len(rows)
    n = k if groups is None else len(set(groups))
    reason = ""
    try:
        _require_data(y[rows], v[rows], np.ones((k, 1)), None, rows)
    except ModelError as error:
        reason = str(error)
    several = (
        f"{k} effects come from {count_words(n, 'study', 'studies')}, and this model takes them "
        "as independent"
    )
    for method, test in models:
        row = {"method": method, "test": test, "rho": np.nan, "k": k}
        why = reason or (several if n < k else "")
        yield row | _outcome(
            why,
            lambda m=method, t=test: meta(y[rows], v[rows], method=m, test=t, floor=floor),
            alpha,
        )
    if groups is None or n == k:
        return
    for rho in dict.fromkeys(map(float, rhos)):
        row = {"method": "CHE", "test": "CR2", "rho": rho, "k": k}
        why = reason or ("all effects come from one study" if n == 1 else "")
        yield row | _outcome(why, lambda r=rho: che(y[rows], v[rows], groups, rho=r), alpha)


def _outcome(reason: str, fit: Any, alpha: float) -> dict[str, Any]:
    """What a model gives, or why it gives nothing."""
    if not reason:
        try:
            found = fit()
        except ModelError as error:
            reason = str(error)
        else:
            numbers = found.to_frame(alpha).iloc[0]
            return {
                **{name: float(numbers[name]) for name in _NUMBERS},
                "tau2": float(found.tau2), "note": "; ".join(found.warnings),
            }  # fmt: skip
    return {**dict.fromkeys((*_NUMBERS, "tau2"), np.nan), "note": reason}


def _studies(effects: pd.DataFrame, cluster: str) -> np.ndarray:
    if cluster not in effects:
        raise UsageError(f"no column {cluster!r} in the data")
    if effects[cluster].isna().any():
        row = int(np.argmax(effects[cluster].isna()))
        raise UsageError(f"row {row}: the study is missing in {cluster!r}")
    return effects[cluster].astype(str).to_numpy(dtype=object)


def _mask(name: str, given: Any, effects: pd.DataFrame) -> np.ndarray:
    """Truth values of a subset, shape (k,)."""
    if given is None:
        return np.ones(len(effects), dtype=bool)
    if isinstance(given, str):
        if given not in effects:
            raise UsageError(f"subset {name}: no column {given!r} in the data")
        given = effects[given].to_numpy()
    elif isinstance(given, pd.Series) and not given.index.equals(effects.index):
        same = given.index.is_unique and set(given.index) == set(effects.index)
        if not same:
            raise UsageError(f"subset {name} has not the labels of the effects")
        given = given.reindex(effects.index)
    values = pd.array(np.asarray(given).tolist()) if np.size(given) else np.zeros(0, dtype=bool)
    if np.ndim(given) != 1 or not pd.api.types.is_bool_dtype(values) or pd.isna(values).any():
        raise UsageError(f"subset {name}: a subset is True or False in each row")
    if len(values) != len(effects):
        raise UsageError(f"subset {name} has {len(values)} rows, the effects have {len(effects)}")
    return np.asarray(values, dtype=bool)


def _require_options(
    methods: Sequence[str], tests: Sequence[str], rhos: Sequence[float], alpha: float, missing: str
) -> None:
    known = [method for method in METHODS if method != "GENQ"]
    for role, given, allowed in (
        ("methods", methods, known), ("tests", tests, list(TESTS)),
        ("missing", [missing], ["raise", "drop"]),
    ):  # fmt: skip
        if isinstance(given, str) or not given:
            raise UsageError(f"{role} is a list of one or more of {', '.join(allowed)}")
        if strange := [value for value in given if value not in allowed]:
            raise UsageError(f"{role}: {', '.join(allowed)}, not {strange[0]!r}")
    for rho in rhos:
        if not -1 < rho < 1:
            raise UsageError(f"rho is a correlation between -1 and 1, not {rho!r}")
    if not 0 < alpha < 1:
        raise UsageError(f"alpha is between 0 and 1, not {alpha!r}")
