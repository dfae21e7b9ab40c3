"""Where the user's own file of choices is: read and written by the app, named by `chargru doctor`."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def config_path() -> Path:
    """config.toml in the directory that CHARGRU_HOME names, else in the user's configuration directory of this system.

    Neither the file nor its directory need exist.
    """
    if home := os.environ.get("CHARGRU_HOME"):
        with contextlib.suppress(RuntimeError):  # no home directory to put in for the ~
            return Path(home).expanduser() / "config.toml"
        return Path(home) / "config.toml"
    import platformdirs  # only where it is needed: training must run with NumPy and safetensors alone

    return platformdirs.user_config_path("chargru", appauthor=False) / "config.toml"
