"""What all tests share.

A GPU, where there is one, is hidden from those that are not about it. What tests want to be read even when they pass
they say with `record_property("summary", text)`.
"""

from __future__ import annotations

import os

import pytest

VISIBLE = os.environ.get("CUDA_VISIBLE_DEVICES")
"""What it was before: tests/gpu puts it back."""


@pytest.fixture(scope="session", autouse=True)
def _hidden_gpu():
    """Everything here is to hold on NumPy; `auto` would take the GPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        yield


def pytest_terminal_summary(terminalreporter):
    reports = [report for report in terminalreporter.stats.get("passed", []) if report.when == "call"]
    lines = sorted(str(text) for report in reports for name, text in report.user_properties if name == "summary")
    if lines:
        terminalreporter.section("told by tests that passed")
        for line in lines:
            terminalreporter.write_line(line)
