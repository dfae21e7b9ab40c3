"""Where the user's own files are: the choices that the app remembers, and what is kept to be quicker the next time."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def config_path() -> Path:
    """config.toml in the directory that CHARGRU_HOME names, else in the user's configuration directory of this system.

    Neither the file nor its directory need exist. `chargru doctor` names it.
    """
    if (home := _home()) is not None:
        return home / "config.toml"
    import platformdirs  # only where it is needed: training must run with NumPy and safetensors alone

    return platformdirs.user_config_path("chargru", appauthor=False) / "config.toml"


def cache_path() -> Path:
    """The directory "cache" in the directory that CHARGRU_HOME names, else the user's cache directory of this system.

    It need not exist, and all of it may be deleted at any time.
    """
    if (home := _home()) is not None:
        return home / "cache"
    import platformdirs  # as above

    return platformdirs.user_cache_path("chargru", appauthor=False)


def _home() -> Path | None:
    if not (home := os.environ.get("CHARGRU_HOME")):
        return None
    with contextlib.suppress(RuntimeError):  # no home directory to put in for the ~
        return Path(home).expanduser()
    return Path(home)
