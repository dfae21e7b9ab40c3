"""Where the file of choices is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from chargru.storage.places import cache_path, config_path, data_path


def test_chargru_home_holds_the_choices_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARGRU_HOME", str(tmp_path))
    assert config_path() == tmp_path / "config.toml"
    assert cache_path() == tmp_path / "cache"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CHARGRU_HOME", "~/models")
    assert config_path() == tmp_path / "models" / "config.toml"


def test_else_they_are_where_the_user_keeps_such_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHARGRU_HOME", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    path = config_path()
    assert path.name == "config.toml"
    assert "chargru" in path.parts
    assert path.is_relative_to(tmp_path)
    assert not path.parent.exists()


def test_what_is_kept_to_be_quicker_lies_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHARGRU_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    path = cache_path()
    assert "chargru" in path.parts
    assert path.is_relative_to(tmp_path)
    assert not path.exists()


def test_on_linux_they_are_the_same_without_platformdirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHARGRU_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    with_it = (config_path(), cache_path(), data_path())
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    without = (config_path(), cache_path(), data_path())
    assert without[1] == tmp_path / "elsewhere" / "chargru"
    assert all(path.is_relative_to(tmp_path) for path in without)
    if sys.platform == "linux":
        assert without == with_it
