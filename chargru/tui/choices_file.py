"""The file of remembered choices: TOML that its owner may edit, comment and extend, and that this program never spoils.

Reading checks every field by itself, so one wrong value costs that value alone. Writing reads the file again and sets
only what was changed here, so neither an editor's work nor another app's is lost.
"""

from __future__ import annotations

import contextlib
import difflib
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from chargru.config import Settings
from chargru.errors import ConfigError
from chargru.storage.atomic import write_atomic

SIZE_LIMIT = 1 << 20  # bytes; a file of choices has about a thousand
HEADER = """\
# What chargru remembers from one time to the next. Edit as you like: comments and other keys are kept.
"""
S = TypeVar("S", bound=Settings)
# how people say what the checks call by the names of Python's types
_KINDS = (
    ("must be float", "must be a number"),
    ("must be int", "must be a whole number"),
    ("must be bool", "must be true or false"),
    ("must be str", "must be a text in quotes"),
)


class UnusableFileError(Exception):
    """The file is there but cannot be read as TOML; the message says why, on one line."""


def read(path: Path) -> dict[str, Any]:
    """The file's tables; none where there is no file.

    Raises:
        UnusableFileError: it cannot be read, or is not TOML.
    """
    return _parse(_text(path))


def _text(path: Path) -> str:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise UnusableFileError("it is not a plain file")
        if about.st_size > SIZE_LIMIT:
            raise UnusableFileError("it is larger than a megabyte")
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise UnusableFileError(error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise UnusableFileError(f"it is not UTF-8 at byte {error.start}") from None


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UnusableFileError(str(error) or "it is nested too deeply") from None


def checked(kind: type[S], section: str, table: object, name: str) -> tuple[S, list[str]]:
    """The section's choices out of its table, and a line for each value that cannot be one (`name` is the file's)."""
    choices, problems = kind(), []
    if not isinstance(table, Mapping):
        return choices, [f"{name}: [{section}] must be a table, not {table!r}; using the defaults"]
    known = [each.name for each in fields(kind)]  # type: ignore[arg-type]
    for key, value in table.items():
        if key not in known:
            # Other keys are the user's, or a newer version's; only what looks like a slip of the pen is told.
            if near := difflib.get_close_matches(key, known, n=1, cutoff=0.8):
                problems.append(f"{name}: {section}.{key} is not a setting; is {section}.{near[0]} meant?")
            continue
        default = getattr(kind(), key)
        try:
            choices = choices.with_(**{key: _from_toml(key, value, default)})
        except ConfigError as error:
            message = error.message
            for pythons, peoples in _KINDS:
                message = message.replace(pythons, peoples)
            problems.append(f"{name}: {section}.{message}; using {_written(default)}")
    return choices, problems


def _from_toml(key: str, value: Any, default: Any) -> Any:
    """A list as the tuple that the choices hold; the check of the rest is theirs."""
    if isinstance(default, tuple):
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ConfigError(f"{key} must be a list of texts, not {value!r}")
        return tuple(value)
    return value


def _written(value: Any) -> str:
    return "none" if value == () else f'"{value}"' if isinstance(value, str) else str(value).lower()


def write(path: Path, changes: Mapping[tuple[str, str], Any]) -> list[str]:
    """Set these (section, field) values in the file and leave everything else in it as it is.

    Gives a line for each value that could not be put there.

    Raises:
        UnusableFileError: the file is there but cannot be read as TOML; it is left alone.
        OSError: it could not be written.
    """
    import tomlkit  # not before there is something to write: the first screen is not to wait for it
    from tomlkit.exceptions import TOMLKitError

    path = path.resolve()  # a link to a file kept elsewhere stays a link
    text = _text(path)
    before = _parse(text)
    problems: list[str] = []
    try:
        document = tomlkit.parse(text or HEADER)
        for (section, key), value in changes.items():
            if not isinstance(before.get(section, {}), dict):
                problems.append(f"{path.name}: [{section}] must be a table; {section}.{key} is not remembered")
                continue
            if not _has_utf8(value):
                problems.append(f"{path.name}: {section}.{key} is not remembered: its name is not UTF-8")
                continue
            if section not in document:
                document[section] = tomlkit.table()
            table: Any = document[section]
            table[key] = list(value) if isinstance(value, tuple) else value
            before.setdefault(section, {})[key] = list(value) if isinstance(value, tuple) else value
        new = tomlkit.dumps(document)
    except TOMLKitError as error:
        raise UnusableFileError(str(error)) from None
    if _canonical(_parse(new)) != _canonical(
        before
    ):  # what was there must still be there; better nothing remembered than anything lost
        raise UnusableFileError("it cannot be changed without losing something in it")
    if new != text:
        _replace(path, new.encode("utf-8"))
    return problems


def _canonical(value: Any) -> Any:
    """Tables and lists as what can be compared, in which even nan equals itself."""
    if isinstance(value, dict):
        return {key: _canonical(each) for key, each in value.items()}
    return [_canonical(each) for each in value] if isinstance(value, list) else repr(value)


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = None
    with contextlib.suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
    write_atomic(path, data)
    if mode is not None:  # the new file is as private as the old one was
        with contextlib.suppress(OSError):
            path.chmod(mode)


def _has_utf8(value: Any) -> bool:
    try:
        for each in value if isinstance(value, tuple) else (value,):
            str(each).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
