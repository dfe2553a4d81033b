"""A contract is a file from outside: what it may not ask for, whoever wrote it."""

import math
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from clamlab.schema.patterns import check_pattern

DRAFT = "https://json-schema.org/draft/2020-12/schema"
DEEPEST = 40  # braces within braces; the packaged contracts have five
MOST_RULES = 100_000  # with every reference written out

# Where rules stand within a rule.
_ONE = ("additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
        "propertyNames", "then")  # fmt: skip
_LISTED = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")
_REFERENCES = ("$ref", "$dynamicRef")
_REFUSED = {
    "$id": "it would make references start from another file; leave it out",
    "$schema": "it may stand at the top only",
    "$recursiveRef": f"it belongs to an older draft than {DRAFT}; write $ref",
    "$recursiveAnchor": f"it belongs to an older draft than {DRAFT}; leave it out",
    "unevaluatedProperties": "it is not for tables; write additionalProperties: false at the top",
    "unevaluatedItems": "it is not for tables; leave it out",
}
Rules = list[tuple[str, dict]]


def check_form(contract: Any) -> None:
    """Refuse what is no set of rules for columns, before anything walks through it.

    Raises
    ------
    ValueError
        If it is no object of objects, nested too deeply, or holds a number beyond all bounds.
    """
    if not isinstance(contract, dict):
        raise ValueError(f"expected a contract in braces {{}}, found {_shown(contract)}")
    _check_values(contract)
    columns = contract.get("properties", {})
    if not isinstance(columns, dict):
        raise ValueError(
            f"properties: expected the columns by name in braces {{}}, found {_shown(columns)}"
        )
    for name, rule in columns.items():
        if not isinstance(rule, dict):
            raise ValueError(
                f"column {name!r}: expected its rules in braces {{}}, found {_shown(rule)}; write "
                "{} where any value will do"
            )
    if not isinstance(contract.get("additionalProperties", True), bool):
        raise ValueError("additionalProperties: expected true or false at the top of a contract")
    if contract.get("$schema", DRAFT) not in (DRAFT, f"{DRAFT}#"):
        raise ValueError(f"$schema: expected {DRAFT}, found {contract['$schema']!r}")
    if contract.get("type", "object") != "object":
        raise ValueError(f"type: a row is an object, found {contract['type']!r} at the top")


def _shown(value: Any) -> str:
    """Name what was found, as JSON calls it."""
    names = {list: "a list", str: "a text", bool: str(value).lower(), type(None): "null"}
    return names.get(type(value), f"the number {value!r}")


def _check_values(value: Any, place: str = "", depth: int = 1) -> None:
    if depth > DEEPEST:
        raise ValueError(f"nested more than {DEEPEST} deep: expected plain rules for columns")
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_values(inner, f"{place}/{key}", depth + 1)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            _check_values(inner, f"{place}/{i}", depth + 1)
    elif isinstance(value, float | int) and not is_finite(value):
        raise ValueError(
            f"{place.strip('/')}: expected a number of at most {sys.float_info.max:.2g}, found "
            f"{'none' if value != value else 'a greater one'}"
        )


def is_finite(value: float) -> bool:
    """Tell whether a number can be compared and counted with."""
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no measurement is as great as
        return False


def check_rules(contract: dict) -> None:
    """Refuse rules that lead outside of the contract, in a circle, or take for ever.

    Parameters
    ----------
    contract : dict
        A JSON Schema in form (see :func:`check_form`).

    Raises
    ------
    ValueError
        With the place of the rule, what is wrong, and what to write instead.
    """
    top = {
        keyword: value for keyword, value in contract.items() if keyword not in ("$id", "$schema")
    }
    rules = list(_all_rules(top))
    for place, rule in rules:
        _check_keywords(place, rule)
    graph = {id(rule): [id(inner) for _, inner in _within("", rule)] for _, rule in rules}
    for place, rule in rules:
        for keyword in _REFERENCES:
            if keyword in rule:
                meant = target(top, rule[keyword], f"{place}/{keyword}")
                if id(meant) not in graph:
                    raise ValueError(f"{place}/{keyword}: no rule stands at {rule[keyword]!r}")
                graph[id(rule)].append(id(meant))
    _check_size(graph, id(top))


def _all_rules(top: dict) -> Iterator[tuple[str, dict]]:
    todo: Rules = [("", top)]
    while todo:
        place, rule = todo.pop()
        yield place.strip("/") or "the top level", rule
        todo += _within(place, rule)


def _within(place: str, rule: dict) -> Rules:
    """List the rules that stand directly in a rule, true and false aside."""
    found = [(f"{place}/{key}", rule[key]) for key in _ONE if key in rule]
    for key in _LISTED:
        found += [(f"{place}/{key}/{i}", inner) for i, inner in enumerate(rule.get(key, []))]
    for key in _NAMED:
        found += [(f"{place}/{key}/{name}", inner) for name, inner in rule.get(key, {}).items()]
    return [(where, inner) for where, inner in found if isinstance(inner, dict)]


def _check_keywords(place: str, rule: dict) -> None:
    for keyword, why in _REFUSED.items():
        if keyword in rule:
            raise ValueError(f"{place}: {keyword} cannot be used: {why}")
    for pattern in [*filter(None, [rule.get("pattern")]), *rule.get("patternProperties", {})]:
        try:
            check_pattern(pattern)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None


def target(top: dict, reference: str, place: str) -> Any:
    """Return the rule that a reference within a contract means.

    Raises
    ------
    ValueError
        If it leads outside of the contract, or to nothing in it.
    """
    if not reference.startswith("#"):
        raise ValueError(
            f"{place} leads outside of the contract, to {reference!r}: nothing is fetched; write "
            "the rule into $defs and refer to '#/$defs/NAME'"
        )
    resolver = Registry().resolver_with_root(DRAFT202012.create_resource(top))
    try:
        return resolver.lookup(reference).contents
    except (Unresolvable, ValueError, TypeError):
        raise ValueError(f"{place}: there is nothing at {reference!r} in the contract") from None


def _check_size(graph: dict[int, list[int]], top: int) -> None:
    """Follow every reference, innermost rules first: no circle, and not too much in all."""
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError:
        raise ValueError(
            "its references lead in a circle: a rule may not refer to itself"
        ) from None
    size: dict[int, int] = {}
    depth: dict[int, int] = {}
    for rule in order:
        size[rule] = 1 + sum(size[inner] for inner in graph[rule])
        depth[rule] = 1 + max((depth[inner] for inner in graph[rule]), default=0)
    if size[top] > MOST_RULES or depth[top] > DEEPEST:
        raise ValueError(
            f"its references, written out, make more than {MOST_RULES} rules, or more than "
            f"{DEEPEST} within each other: expected plain rules for columns"
        )
