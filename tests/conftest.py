"""What tests want to be read even when they pass: `record_property("summary", text)`."""

from __future__ import annotations


def pytest_terminal_summary(terminalreporter):
    reports = [report for report in terminalreporter.stats.get("passed", []) if report.when == "call"]
    lines = sorted(str(text) for report in reports for name, text in report.user_properties if name == "summary")
    if lines:
        terminalreporter.section("told by tests that passed")
        for line in lines:
            terminalreporter.write_line(line)
