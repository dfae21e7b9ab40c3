"""The program's source, read for what must not be in it: data handed to a widget as markup, and certain imports.

Running the screens shows what happens to the texts that a test thought of; this reads every call, whoever wrote it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

# Widgets whose first argument is read as markup, unless they are told not to.
MARKUP_WIDGETS = {"Static", "Label", "Button", "RadioButton", "Checkbox", "Option", "Toast", "Collapsible", "TabPane"}
# Arguments and attributes that are read as markup where they are a str.
MARKUP_NAMES = {"tooltip", "placeholder", "border_title", "border_subtitle", "prompt"}
# What a table's cells are made of goes through markup too.
MARKUP_CALLS = {"add_column", "add_columns", "add_row", "update_cell", "add_option", "add_options"}
# Functions that give a str, most of them made of data.
STR_MAKERS = {"shown", "one_line", "str", "safe_display", "join", "format", "tail", "pad", "ljust", "rjust", "replace"}


def python_files(root: Path) -> list[Path]:
    """Every source file below a directory."""
    return sorted(root.rglob("*.py"))


def made_of_data(node: ast.expr | None) -> bool:
    """Whether the expression is a str that is put together at run time: what `Content(…)` has to be around.

    A plain name says nothing about its type; those are for the type checker and for the tests that run the screens.
    """
    match node:
        case ast.JoinedStr(values=parts):
            return any(isinstance(part, ast.FormattedValue) and not _number(part) for part in parts)
        case ast.Constant(value=str(text)):
            return "[" in text
        case ast.BinOp(left=left, op=ast.Add() | ast.Mod(), right=right):
            return made_of_data(left) or made_of_data(right) or isinstance(left, ast.Constant)
        case ast.IfExp(body=body, orelse=orelse):
            return made_of_data(body) or made_of_data(orelse)
        case ast.BoolOp(values=values):
            return any(made_of_data(value) for value in values)
        case ast.Call(func=function):
            return _name(function) in STR_MAKERS
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return any(made_of_data(part) for part in parts)
        case _:
            return False


def markup_sinks(source: str) -> list[str]:
    """The places, as "line N: what", at which data would be read as markup."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = _name(node.func)
            plain = any(word.arg == "markup" and _is(word.value, False) for word in node.keywords)
            first = node.args[0] if node.args else None
            if name == "notify" and not plain:
                found.append((node.lineno, "notify without markup=False"))
            elif name in MARKUP_WIDGETS and not plain and made_of_data(first):
                found.append((node.lineno, f"{name} of data without markup=False"))
            elif name in MARKUP_CALLS and any(made_of_data(each) for each in node.args):
                found.append((node.lineno, f"{name} of a str"))
            named = [word for word in node.keywords if word.arg in MARKUP_NAMES]
            found += [(node.lineno, f"{word.arg} of a str") for word in named if made_of_data(word.value)]
        elif isinstance(node, ast.Assign) and made_of_data(node.value):
            targets = [target.attr for target in node.targets if isinstance(target, ast.Attribute)]
            found += [(node.lineno, f"{name} of a str") for name in targets if name in MARKUP_NAMES]
    return [f"line {line}: {what}" for line, what in sorted(found)]


def bare_statics(source: str) -> list[str]:
    """Static and Label without markup=False and with neither a constant nor a Content: an update would be read."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _name(node.func) in ("Static", "Label"):
            plain = any(word.arg == "markup" and _is(word.value, False) for word in node.keywords)
            constant = bool(node.args) and isinstance(node.args[0], ast.Constant) and bool(node.args[0].value)
            content = bool(node.args) and isinstance(node.args[0], ast.Call) and "Content" in ast.dump(node.args[0])
            if not (plain or constant or content):
                found.append(f"line {node.lineno}: {_name(node.func)} without markup=False")
    return found


def imports(source: str) -> Iterator[tuple[str, bool]]:
    """(module, whether it is imported with the file and not only when a function runs) of every import."""
    yield from _imports(ast.parse(source), True)


def attributes(source: str) -> set[str]:
    """Every name that is taken from something with a dot."""
    return {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}


def _imports(node: ast.AST, at_once: bool) -> Iterator[tuple[str, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for name in child.names:
                yield name.name, at_once
        elif isinstance(child, ast.ImportFrom):
            for name in child.names:
                yield f"{child.module}.{name.name}", at_once
        else:
            later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
            yield from _imports(child, at_once and not later and not typing_only)


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Subscript):
        return _name(function.value)
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def _number(part: ast.FormattedValue) -> bool:
    """Whether it is formatted as nothing but a number can be: {n:d}, {n:,}, {x:.2f}, {x:.0%}."""
    form = part.format_spec
    spec = str(getattr(form.values[0], "value", "")) if isinstance(form, ast.JoinedStr) and form.values else ""
    return spec.endswith(("d", ",", "%", "g")) or (spec[:1] == "." and spec.endswith("f"))


def _is(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value
