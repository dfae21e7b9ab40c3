"""Whatever a run is called, its directory has a safe name."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargru.storage.names import safe_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Alice in Wonderland", "alice-in-wonderland"),
        ("tales_v1.2-b", "tales_v1.2-b"),
        ("한국어 이야기", "한국어-이야기"),
        ("\u1112\u1161\u11ab", "한"),
        ("Ünï", "ünï"),
        ("../../etc/passwd", "etc-passwd"),
        ("a/b\\c:d*e?f", "a-b-c-d-e-f"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("..", "run"),
        ("", "run"),
        ("\x1b[31m\n\x00", "31m"),
        ("\u202egnp", "gnp"),
        ("CON", "run-con"),
        ("nul.txt", "run-nul.txt"),
        ("console", "console"),
        ("model.safetensors", "model"),
        ("a.safetensors.safetensors", "a"),
        ("a b.safetensors!", "a-b"),
        ("😀", "run"),
    ],
)
def test_names_are_made_safe(text: str, name: str) -> None:
    assert safe_name(text) == name


@settings(max_examples=50)
@given(st.text(max_size=300))
def test_every_text_gives_a_safe_name(text: str) -> None:
    name = safe_name(text)
    assert safe_name(name) == name
    assert name.lower() == name
    assert 0 < len(name.encode()) <= 190
    assert name.isprintable()
    assert not set(name) & set('/\\:*?"<>| \0')
    assert name[0] not in "-_."
    assert name[-1] not in "-_."
    assert ".." not in name
    assert not name.endswith(".safetensors")
