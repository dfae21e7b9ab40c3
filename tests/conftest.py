"""What all tests share: a GPU, where there is one, is hidden from those that are not about it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

VISIBLE = os.environ.get("CUDA_VISIBLE_DEVICES")
"""What it was before: tests/gpu puts it back."""


@pytest.fixture(scope="session", autouse=True)
def _hidden_gpu() -> Iterator[None]:
    """Everything here is to hold on NumPy; `auto` would take the GPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        yield
