"""What holds a value against a rule: nothing is fetched, and nothing takes for ever."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

from clamlab.schema.patterns import matches
from clamlab.schema.soundness import is_finite

# They would make jsonschema choose another validator than ours, or another place to start from.
_ELSEWHERE = ("$schema", "$id")


def validator_of(contract: dict) -> Draft202012Validator:
    """Return what holds a row against a contract; ``evolve(schema=rule)`` takes one rule of it."""
    own = {keyword: rule for keyword, rule in contract.items() if keyword not in _ELSEWHERE}
    # Without a registry of its own jsonschema fetches what a reference names, from any address.
    return _Validator(own, registry=Registry())


def _pattern(validator, pattern: str, value: Any, rule: dict) -> Iterator[ValidationError]:
    if validator.is_type(value, "string") and not matches(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(validator, rules: dict, row: Any, rule: dict) -> Iterator[ValidationError]:
    for name, value in row.items() if validator.is_type(row, "object") else ():
        for pattern in rules:
            if matches(pattern, str(name)):
                yield from validator.descend(value, rules[pattern], path=name, schema_path=pattern)


def _additional_properties(
    validator, other: Any, row: Any, rule: dict
) -> Iterator[ValidationError]:
    for name, value in row.items() if validator.is_type(row, "object") else ():
        if is_named(name, rule):
            continue
        if other is False:
            yield ValidationError(f"there must be no {name!r}")
        else:
            yield from validator.descend(value, other, path=name)


def is_named(name: str, rule: dict) -> bool:
    """Tell whether a contract says anything about a column, by its name or by a pattern."""
    patterns = rule.get("patternProperties", {})
    return name in rule.get("properties", {}) or any(matches(p, str(name)) for p in patterns)


def _multiple_of(validator, step: Any, value: Any, rule: dict) -> Iterator[ValidationError]:
    # As written in decimals: 4.35 is a multiple of 0.01, which binary fractions deny.
    if not validator.is_type(value, "number"):
        return
    if not is_finite(value) or Fraction(str(value)) % Fraction(str(step)):
        yield ValidationError(f"{value!r} is not a multiple of {step}")


def _is_integer(checker: Any, value: Any) -> bool:
    # What no column of whole numbers holds would be told by a traceback, if it were one.
    known = Draft202012Validator.TYPE_CHECKER
    return known.is_type(value, "integer") and abs(value) < 2**63


_Validator = extend(
    Draft202012Validator,
    {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "multipleOf": _multiple_of,
    },
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)
