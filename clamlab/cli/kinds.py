"""The kind of value that a notebook's parameter takes, so that a wrong one is told at once."""

import ast
from types import GenericAlias, UnionType
from typing import Any, get_args, get_origin

Kind = type | GenericAlias | UnionType
NAMED = {kind.__name__: kind for kind in (bool, int, float, str, tuple)}


def kind_of(default: Any, written: ast.expr | None = None) -> Kind:
    """Tell a parameter's kind: what is written beside it, or else that of its default.

    None alone tells nothing, and neither does a kind that is not Python's own: any value is taken.

    Examples
    --------
    >>> kind_of(200), kind_of((8, 16)), kind_of(None)
    (<class 'int'>, tuple[int, ...], <class 'object'>)
    >>> kind_of(None, ast.parse("int | None", mode="eval").body)
    int | None
    """
    if written is not None:
        return _as_written(written)
    if isinstance(default, tuple) and default:
        return tuple[type(default[0]), ...]  # type: ignore[misc]
    return object if default is None else type(default)


def _as_written(node: ast.expr) -> Kind:
    match node:
        case ast.Name(name) if name in NAMED:
            return NAMED[name]
        case ast.Constant(None):
            return type(None)
        case ast.BinOp(left, ast.BitOr(), right):
            return _as_written(left) | _as_written(right)
        case ast.Subscript(ast.Name("tuple"), ast.Tuple([of, ast.Constant(rest)])) if rest is ...:
            return tuple[_as_written(of), ...]  # type: ignore[misc]
    return object


def is_of_kind(value: Any, kind: Kind) -> bool:
    """Tell whether a value is of a kind: a whole number is a float too, True is no number.

    Examples
    --------
    >>> is_of_kind(6, float), is_of_kind(2.5, int), is_of_kind(True, int)
    (True, False, False)
    >>> is_of_kind([8, 16], tuple[int, ...]), is_of_kind((8, "a"), tuple[int, ...])
    (True, False)
    """
    if isinstance(kind, UnionType):
        return any(is_of_kind(value, one) for one in get_args(kind))
    if kind is tuple or get_origin(kind) is tuple:
        of = get_args(kind)[:1] or (object,)
        return isinstance(value, tuple | list) and all(is_of_kind(v, of[0]) for v in value)
    if kind is float:
        return type(value) in (int, float)
    return kind is object or type(value) is kind


def name_of(kind: Kind) -> str:
    """Write a kind as in the notebook.

    Examples
    --------
    >>> name_of(int), name_of(int | None), name_of(tuple[str, ...])
    ('int', 'int | None', 'tuple[str, ...]')
    """
    return kind.__name__ if type(kind) is type else str(kind)
