"""The words that stand wherever something appears that was not planned."""

import html

import pandas as pd

EXPLORATORY, PLANNED = "EXPLORATORY", "PLANNED"
NOT_CONFIRMATORY = "p_not_confirmatory"
OF_P = (
    "P-values are not confirmatory: this was looked at after the fact, and they are not corrected "
    "for the looks."
)
SELECTED = "The scans left out lie between the clusters: that alone can make differences grow."
WAITING = "clam-waiting"  # what stands there is not what the controls say


def marked(kind: str, words: str) -> str:
    """Write a sentence over what it is about.

    Examples
    --------
    >>> marked(EXPLORATORY, "p < .05")
    '<div class="clam-mark" role="status"><b>EXPLORATORY</b> p &lt; .05</div>'
    """
    name = "clam-mark clam-planned" if kind == PLANNED else "clam-mark"
    return f'<div class="{name}" role="status"><b>{kind}</b> {html.escape(words)}</div>'


def without_roles(contract: dict, names: list[str]) -> dict:
    """Return a contract in which some columns have no role; their titles stay what they were.

    Examples
    --------
    >>> contract = {"properties": {"age": {"title": "Age", "x-role": "demographic"}}}
    >>> without_roles(contract, ["age"])
    {'properties': {'age': {'title': 'Age'}}}
    """
    rules = {
        name: {key: v for key, v in rule.items() if name not in names or key != "x-role"}
        for name, rule in contract["properties"].items()
    }
    return {**contract, "properties": rules}


def as_exploratory(tidy: pd.DataFrame, words: str) -> pd.DataFrame:
    """Return a tidy table that says in every row what it is, and has no p that seems planned.

    Examples
    --------
    >>> tidy = pd.DataFrame({"variable": ["age"], "p": [0.03], "p_holm": [0.06]})
    >>> as_exploratory(tidy, "3 scans left out").to_dict("records")
    [{'variable': 'age', 'p_not_confirmatory': 0.03, 'exploratory': '3 scans left out'}]
    """
    adjusted = [name for name in ("p_holm", "p_bh", "p_tukey") if name in tidy]
    plain = tidy.drop(columns=adjusted).rename(columns={"p": NOT_CONFIRMATORY})
    return plain.assign(exploratory=words)
