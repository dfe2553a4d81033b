"""The comparison of models in one or two sentences for the text of a paper."""

import pandas as pd


def summary_sentence(comparison: pd.DataFrame, *, reader: str | None = None) -> str:
    """Say in words which outcomes the cluster explains better, as the paper's results do.

    Parameters
    ----------
    comparison : DataFrame
        From :func:`compare_models`.
    reader : str, optional
        Column the cluster is compared with; by default the first with role "staging".

    Returns
    -------
    str
        One or two sentences. "Explained more variation" means a higher adjusted R squared.
        Outcomes derived from the images are not counted.

    Raises
    ------
    ValueError
        If ``reader`` is not in the comparison, or no outcome could be modelled.

    Examples
    --------
    >>> from clamlab.stats.outcomes import compare_models
    >>> table = pd.DataFrame({"cluster": [0, 0, 0, 1, 1, 1], "fvc": [3.0, 3.2, 3.1, 2.4, 2.6, 2.7]})
    >>> schema = {"properties": {"fvc": {"title": "FVC", "x-role": "outcome"}}}
    >>> summary_sentence(compare_models(table, schema, n_bootstrap=0))
    'Adding the cluster to demographics explained more variation (adjusted R²) for FVC.'
    """
    usable = comparison[(comparison["model"] != "") & (comparison["outcome_source"] != "derived")]
    if usable.empty:
        raise ValueError("the comparison holds no model of an outcome measured outside the image")
    kinds = usable.assign(with_cluster=usable["has_cluster"].astype(bool))
    scores = kinds.pivot_table(
        index="title", columns=["reader", "with_cluster"], values="adjusted_r2", sort=False
    )
    gained = _titles(scores[("", True)] > scores[("", False)])
    text = "Adding the cluster to demographics explained more variation (adjusted R²) "
    text += _share(gained, list(scores.index)) + "."
    staging = usable.loc[usable["reader_role"] == "staging", "reader"]
    reader = reader or (staging.iloc[0] if len(staging) else None)
    if reader is None:
        return text
    if (reader, False) not in scores:
        raise ValueError(f"no models with {reader!r} in the comparison")
    title = usable.loc[usable["reader"] == reader, "reader_title"].iloc[0]
    better = _titles(scores[("", True)] > scores[(reader, False)])
    return f"{text} The cluster explained more variation than {title} " + (
        _share(better, list(scores.index)) + "."
    )


def _titles(chosen: pd.Series) -> list[str]:
    return list(chosen.index[chosen])


def _share(chosen: list[str], everything: list[str]) -> str:
    others = [title for title in everything if title not in chosen]
    if not chosen:
        return "for no outcome"
    if not others:
        return f"for all {len(everything)} outcomes" if len(everything) > 1 else f"for {chosen[0]}"
    if len(others) <= 2 < len(chosen):
        return f"for all outcomes except {_listed(others)}"
    return f"for {_listed(chosen)}"


def _listed(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} and {names[-1]}"
