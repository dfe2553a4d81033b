"""What was modelled, and how models compare, as the text of a paper says it."""

import pandas as pd

from clamlab.stats.outcomes.candidates import base_words

NOTHING = "nothing"


def covariates_words(associations: pd.DataFrame) -> str:
    """Say what outcomes were adjusted for; what one of them was, where it differs from most.

    Parameters
    ----------
    associations : DataFrame
        From :func:`outcome_associations`.

    Returns
    -------
    str
        Without an outcome that was modelled, "nothing".

    Examples
    --------
    >>> rows = {"part": "omnibus", "test": "F", "title": ["DLCO", "FVC", "CRP"]}
    >>> rows["covariates"] = ["Age, Sex", "Age, Sex", "Age"]
    >>> covariates_words(pd.DataFrame(rows))
    'Age, Sex (CRP: for Age)'
    """
    tests = associations[(associations["part"] == "omnibus") & associations["test"].notna()]
    held = tests.assign(covariates=tests["covariates"].fillna("").replace("", NOTHING))
    if held.empty:
        return NOTHING
    most = held["covariates"].mode(dropna=False)
    usual = next(words for words in held["covariates"] if words in set(most))
    others = held[held["covariates"] != usual].groupby("covariates", sort=False)["title"]
    apart = [f"{_listed(list(titles))}: for {words}" for words, titles in others]
    return f"{usual} ({'; '.join(apart)})" if apart else usual


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
        One or two sentences. "Explained more variation" means a higher adjusted R squared; below
        0 nothing is explained, and of two such models neither explains more.
        Outcomes derived from the images are not counted, and those that a person read from them
        are named as not counted; an outcome without these models is named as such, and so is a
        comparison without outcomes.

    Raises
    ------
    ValueError
        If ``reader`` is not in the comparison.

    Examples
    --------
    >>> from clamlab.stats.outcomes import compare_models
    >>> table = pd.DataFrame({"cluster": [0, 0, 0, 1, 1, 1], "fvc": [3.0, 3.2, 3.1, 2.4, 2.6, 2.7]})
    >>> schema = {"properties": {"fvc": {"title": "FVC", "x-role": "outcome"}}}
    >>> summary_sentence(compare_models(table, schema, n_bootstrap=0))
    'Adding the cluster to the mean alone explained more variation (adjusted R²) for FVC.'
    """
    if comparison.empty:
        return "There is no outcome to compare: mark columns with x-role 'outcome' in the contract."
    external = comparison[comparison["outcome_source"] == "external"]
    after = without_read(comparison)
    usable = external[external["adjusted_r2"].notna()]
    kinds = usable.assign(with_cluster=usable["has_cluster"].astype(bool))
    scores = kinds.pivot_table(
        index="title", columns=["reader", "with_cluster"], values="adjusted_r2", sort=False
    )
    after = below_zero(scores) + after
    scores = scores.clip(lower=0)
    if ("", True) not in scores:
        return (
            f"No outcome could be modelled with the cluster: the comparison's notes say why.{after}"
        )
    compared = scores[[("", True), ("", False)]].dropna()
    base = base_words(comparison, "model")
    text = f"Adding the cluster to {base} explained more variation (adjusted R²) "
    text += _verdict(compared) + "."
    without = [t for t in dict.fromkeys(external["title"]) if t not in compared.index]
    if without:
        text += f" No comparison could be made for {_listed(without)}."
    staging = usable.loc[usable["reader_role"] == "staging", "reader"]
    reader = reader or (staging.iloc[0] if len(staging) else None)
    if reader is None:
        return text + after
    if (reader, False) not in scores:
        raise ValueError(f"no models with {reader!r} in the comparison")
    title = usable.loc[usable["reader"] == reader, "reader_title"].iloc[0]
    beside = scores[[("", True), (reader, False)]].dropna()
    text += f" The cluster explained more variation than {title} {_verdict(beside)}."
    # "All outcomes" would take in those whose model with the reader could not be made.
    if unread := [t for t in compared.index if t not in beside.index]:
        text += f" No comparison with {title} could be made for {_listed(unread)}."
    return text + after


def below_zero(scores: pd.DataFrame) -> str:
    """Say how a sentence counts where two values of an outcome lie below 0."""
    two = ((scores < 0).sum(axis=1) > 1).any()
    return " Of two adjusted R² below 0 neither is more: both explain nothing." if two else ""


def without_read(compared: pd.DataFrame) -> str:
    """Name the outcomes that a person read from the images: a sentence behind the counting one."""
    read = list(dict.fromkeys(compared.loc[compared["outcome_source"] == "reader", "title"]))
    return f" Read from the images by a person, and not counted: {_listed(read)}." if read else ""


def _verdict(scores: pd.DataFrame) -> str:
    """Say for which outcomes the first of two columns of scores is higher."""
    higher = scores.iloc[:, 0] > scores.iloc[:, 1]
    return _share(list(scores.index[higher]), list(scores.index))


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
