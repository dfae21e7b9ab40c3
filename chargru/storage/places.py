"""Where the user's own files are: the choices that the app remembers, and what is kept to be quicker the next time."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

# where they are on Linux, for want of platformdirs
_XDG = {
    "config": ("XDG_CONFIG_HOME", ".config"),
    "cache": ("XDG_CACHE_HOME", ".cache"),
    "data": ("XDG_DATA_HOME", ".local/share"),
}


def config_path() -> Path:
    """config.toml in the directory that CHARGRU_HOME names, else in the user's configuration directory of this system.

    Neither the file nor its directory need exist. `chargru doctor` names it.
    """
    if (home := _home()) is not None:
        return home / "config.toml"
    return _of_system("config") / "config.toml"


def cache_path() -> Path:
    """The directory "cache" in the directory that CHARGRU_HOME names, else the user's cache directory of this system.

    It need not exist, and all of it may be deleted at any time.
    """
    if (home := _home()) is not None:
        return home / "cache"
    return _of_system("cache")


def data_path() -> Path:
    """The user's data directory of this system; it need not exist."""
    return _of_system("data")


def _of_system(kind: str) -> Path:
    """The directory of the user's "config", "cache" or "data" that belongs to chargru."""
    try:
        import platformdirs  # only where it is needed: training must run with NumPy and safetensors alone
    except ImportError:
        variable, usual = _XDG[kind]
        return Path(os.environ.get(variable) or Path.home() / usual) / "chargru"
    found: Path = getattr(platformdirs, f"user_{kind}_path")("chargru", appauthor=False)
    return found


def _home() -> Path | None:
    if not (home := os.environ.get("CHARGRU_HOME")):
        return None
    with contextlib.suppress(RuntimeError):  # no home directory to put in for the ~
        return Path(home).expanduser()
    return Path(home)
