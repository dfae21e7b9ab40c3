"""`benchmarks/gpu_check.py` without a GPU, and what it makes of parts that fail, hang or write half their figures."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chargru.config import PRECISIONS
from chargru.engine.fused.cell_launches import ROWS, fused_source
from chargru.engine.fused.kernels import GRU
from chargru.engine.fused.tensor_launches import TILES, lower_source, tensor_source
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler
from tests.engine.cuda_on_cpu.emulator import kernel_names

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def modules():
    """gpu_check and gpu_report, which are programs and no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield importlib.import_module("gpu_check"), importlib.import_module("gpu_report")


@pytest.fixture
def check(modules):
    return modules[0]


@pytest.fixture
def report(modules):
    return modules[1]


def options(check, **changes):
    return check.argparse.Namespace(**({"text": "tales", "learn": 180.0, "only": ""} | changes))


def test_without_a_gpu_it_says_so_in_one_line_and_changes_nothing(tmp_path):
    results = tmp_path / "results.md"
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "gpu_check.py"), "--results", str(results)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "no GPU to measure on: " in done.stderr
    assert not results.exists()


@pytest.mark.long
@pytest.mark.parametrize("name", ["speed", "sample", "memory", "learning"])
def test_each_benchmark_does_so_too(name, tmp_path):
    out = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / f"gpu_{name}.py"), "--json", str(out)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.startswith("no GPU to measure on: ")
    assert len(done.stderr.splitlines()) == 1
    assert not out.exists()


def test_a_report_of_nothing_says_not_run_everywhere(check, report):
    text = report.render(check.parts(options(check)), {})
    assert "Never run" in text
    rows = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    filled = [line for line in rows if "not run" not in line]
    headers = {each.blank[0] for each in check.parts(options(check))}
    assert len(filled) == len(check.parts(options(check)))  # the headers
    assert {tuple(line.strip("| ").split(" | ")) for line in filled} == headers


def test_the_limits_together_are_under_nine_minutes(check):
    assert check.TOTAL < 9 * 60
    usual = [part for part in check.parts(options(check)) if part.name not in ("memcheck", "racecheck")]
    assert sum(part.seconds for part in usual) < check.TOTAL  # the sanitizers have what is left


@needs_compiler
@pytest.mark.long
def test_the_sanitizer_sees_every_kernel_at_each_of_two_shapes(modules):
    sanitize = importlib.import_module("gpu_sanitize")
    assert len(sanitize.SHAPES) == 2
    for precision in PRECISIONS:
        device = emulated_device(precision)
        launched = set()
        launch = device.launcher.launch

        def noting(name, grid, block, arguments, source=GRU, launch=launch, launched=launched):
            launched.add((source, name))
            launch(name, grid, block, arguments, source)

        device.launcher.launch = noting
        sanitize.exercise(device, 11, 18, 2, 3, 5)
        sanitize.every_tile(device, 18, 3, 5)
        sources = {
            "float32": [GRU, *map(fused_source, ROWS)],
            "tf32": [GRU, *(tensor_source("tf32", tile, 1) for tile in TILES), lower_source("tf32")],
            "bf16": [*(tensor_source("bf16", tile, 1) for tile in TILES), lower_source("bf16")],
        }
        every_kernel = {(source, name) for source in sources[precision] for name in kernel_names(source.text())}
        assert every_kernel <= launched


@needs_compiler
def test_steps_are_timed_forward_and_back(modules):
    speed = importlib.import_module("gpu_speed")
    for precision, variant in speed.OURS:
        assert all(seconds > 0 for seconds in speed.steps(emulated_device(precision), (18, 5, 3, 1), variant, 0.0))


@needs_compiler
@pytest.mark.long
def test_every_tile_is_timed_and_those_that_are_taken_are_marked(modules):
    found = importlib.import_module("gpu_speed").by_tile(emulated_device("bf16"), (18, 5, 2, 1), 0.0)
    assert list(found) == ["16x16*", "16x32", "32x32", "32x64", "64x64"]
    assert all(seconds > 0 for seconds in found.values())


def test_figures_of_every_part_are_shown(report):
    shown = report.show_speed(
        [{"shape": [512, 64, 128, 2], "rates": {"chargru fused tf32": 4e6, "torch bf16 compiled": 1e6}, "failed": {},
          "ours": "chargru fused tf32", "theirs": "torch bf16 compiled", "forward": 3.1e-6, "back": 5.2e-6,
          "floor": 4e-6, "tiles": {"16x16": 9e-6, "16x32*": 8e-6}}]
    )  # fmt: skip
    assert any("16x16 9.0, 16x32* 8.0" in line for line in shown)
    assert "| 4,000 | fused tf32 | 1,000 | bf16 compiled | **4.00×** | 3.1 | 5.2 | 4.0 |" in shown[2]
    learned = {
        "text": "t", "characters": 9, "seconds": 180.0, "opening": 1.0, "updates": 5, "recoveries": 0, "rate": 1e6,
        "sizes": "2 × 512", "regularised": "", "stream": 1.39, "window": None, "host": 0.123,
        "memory": (1 << 30, 1 << 30), "precision": "bf16",
    }  # fmt: skip
    lines = "\n".join(report.show_learning(learned))
    assert "| host's CPU, of one core | 12 % |" in lines
    assert "| 1,024, 1,024 |" in lines
    assert "| stream | 1.3900 |" in lines


def part(report, *command, seconds=20.0):
    return report.Part("odd", seconds, lambda out: [each.replace("OUT", str(out)) for each in command],
                       report.show_sampling, report.SAMPLING_ROWS)  # fmt: skip


FIGURES = [{"shape": [512, 2, 256], "rates": {"chargru": 5e6, "torch": 2e6}, "step": 5e-5, "long": 0.4}]


def code(text):
    return (sys.executable, "-c", text)


def test_a_part_that_fails_keeps_what_it_has_and_what_it_said(check, report, tmp_path):
    program = f"open('OUT', 'w').write({json.dumps(json.dumps(FIGURES))}); print('about to fail'); raise SystemExit(5)"
    odd = part(report, *code(program))
    result = check.run(odd, tmp_path / "out", 20)
    assert result["ended"] == "failed with code 5"
    text = report.render([odd], {"odd": result})
    assert "| 2 × 512 units, 256 at once | 5,000 | 50 | 2,000 | **2.50×** |  | 0.40 |" in text
    assert "about to fail" in text


@pytest.mark.long
def test_a_part_that_hangs_is_ended_with_its_children(check, report, tmp_path):
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    odd = part(report, *code(child))
    result = check.run(odd, tmp_path / "out", 1.0)
    assert result["ended"] == "ended after 1 s"
    assert result["seconds"] < 30
    assert "not run" in report.render([odd], {"odd": result})


@pytest.mark.long
def test_a_child_that_left_its_group_is_not_waited_for(check, report, tmp_path):
    child = (
        "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(20)'], "
        "start_new_session=True); print('begun', flush=True); time.sleep(60)"
    )
    odd = part(report, *code(child))
    result = check.run(odd, tmp_path / "out", 2.0)
    assert result["seconds"] < 15
    assert result["said"][0] == "begun"


@pytest.mark.long
def test_when_it_is_ended_from_outside_what_is_known_is_written(tmp_path):
    results = tmp_path / "results.md"
    program = f"""
import gpu_check
from gpu_report import Part
import gpu_report as report
figures = {json.dumps(json.dumps(FIGURES))}
def made(out, then):
    return gpu_check.python("-c", f"import time; open({{str(out)!r}}, 'w').write({{figures!r}}); print('on'); {{then}}")
gpu_check.parts = lambda options: [
    Part(name, 30, lambda out, then=then: made(out, then), report.show_sampling, report.SAMPLING_ROWS)
    for name, then in (("one", ""), ("two", "time.sleep(60)"), ("three", ""))
]
gpu_check.no_gpu = lambda: None
raise SystemExit(gpu_check.main(["--results", {str(results)!r}]))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=BENCHMARKS, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    log = results.with_suffix(".parts") / "two.log"
    deadline = time.monotonic() + 60
    while not (log.exists() and log.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.terminate()
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    text = results.read_text(encoding="utf-8")
    assert text in said
    one, two, three = text.split("\n## ")[1:]
    assert "done" in one
    assert "ended from outside" in two
    assert "**2.50×**" in one
    assert "**2.50×**" in two
    assert "not run" in three


def test_sections_of_other_parts_stay(check, report, tmp_path):
    path = tmp_path / "results.md"
    two = [report.Part(name, 1, list, report.show_sampling, report.SAMPLING_ROWS) for name in ("one", "two")]
    done = {"ended": "done", "code": 0, "seconds": 1.0, "figures": FIGURES}
    path.write_text(report.render(two, {"one": done}))
    text = report.render(two, {"two": done | {"seconds": 7.0}}, report.sections(path))
    assert [part.split("\n")[2] for part in text.split("\n## ")[1:]] == ["done in 1 s", "done in 7 s"]
    assert text.count("**2.50×**") == 2
    path.write_text(report.render(two, {}))
    assert report.sections(path) == {}


def test_tests_that_were_ended_are_counted_from_what_they_said(report):
    log = """collecting ... collected 4 items
tests/gpu/test_a.py::one PASSED                                        [ 25%]
tests/gpu/test_a.py::two[a b] FAILED                                   [ 50%]
tests/gpu/test_b.py::three SKIPPED (no g++)                            [ 75%]
tests/gpu/test_b.py::four Timeout (0:00:40)!
Thread 0x00007f412fc44b80 (most recent call first):
"""
    found = report.tests_said(log)
    assert (found["passed"], found["skips"]) == (1, 1)
    assert found["failed"] == {"test_a.py::two[a b]": "", "test_b.py::four": "it ran when the time was over"}
    assert report.tests_said("no tests") is None
    assert "test_b.py::four: it ran" in "\n".join(report.show_tests(found))


def test_a_text_that_is_not_there_is_told_before_anything_is_run(check, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(check, "no_gpu", lambda: None)
    with pytest.raises(SystemExit) as ended:
        check.main(["--text", "not/there.txt", "--results", str(tmp_path / "results.md")])
    assert ended.value.code == 2
    assert "there.txt: no such file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@needs_compiler
@pytest.mark.long
def test_a_contender_that_fails_costs_the_others_nothing(modules, monkeypatch):
    speed = importlib.import_module("gpu_speed")
    right = speed.ours

    def ours(gpu, shape, variant, seconds):
        if variant == "gemm":
            raise RuntimeError("an illegal memory access\nand more")
        return right(gpu, shape, variant, seconds)

    monkeypatch.setattr(speed, "ours", ours)
    monkeypatch.setattr(speed, "by_tile", lambda *_: 1 / 0)
    gpus = {precision: emulated_device(precision) for precision in ("float32", "bf16")}
    options = argparse.Namespace(rounds=1, seconds=0.0, compile=False)
    first, last = speed.compared(gpus, None, (18, 5, 3, 1), options)
    assert set(first["rates"]) == {"chargru fused float32", "chargru tensor bf16"}
    assert first["failed"]["chargru gemm float32"] == "RuntimeError: an illegal memory access"
    assert "ZeroDivisionError" in last["failed"]["a step by tile"]
    assert last["forward"] > 0
    assert speed.row(last)[0] == "H18 B5 T3 L1"


@pytest.mark.parametrize("written", ["", "{", "[1]", "null", '[{"shape": [1]}]', "<?xml version='1.0'?><testsuite>"])
def test_half_written_figures_are_no_figures(check, report, tmp_path, written):
    (tmp_path / "out").write_text(written)
    odd = part(report)
    result = {"ended": "done", "code": 0, "seconds": 1.0, "figures": check.figures(odd, tmp_path / "out")}
    assert "| 2 × 512 units, 256 at once | not run |" in report.render([odd], {"odd": result})


def test_a_program_that_is_not_there_is_not_run(check, report, tmp_path):
    result = check.run(part(report, "no-such-program-here"), tmp_path / "out", 5)
    assert result["ended"] == "not run: no-such-program-here is not installed"


def test_tests_are_counted_from_their_own_report(report):
    xml = """<?xml version="1.0"?><testsuites><testsuite>
    <testcase classname="tests.gpu.test_a" name="one"><properties><property name="summary" value="off by 1e-6"/>
    </properties></testcase>
    <testcase classname="tests.gpu.test_a" name="two"><failure message="assert 1 == 2">long</failure></testcase>
    <testcase classname="tests.gpu.test_a" name="three"><skipped message="no g++"/></testcase>
    </testsuite></testsuites>"""
    found = report.tests_in(xml)
    assert (found["passed"], found["skips"], found["failed"]) == (1, 1, {"test_a::two": "assert 1 == 2"})
    shown = "\n".join(report.show_tests(found))
    assert "FAILED test_a::two: assert 1 == 2" in shown
    assert "off by 1e-6" in shown
    assert "skipped: no g++" in shown


def test_the_report_in_the_repository_is_one_of_this_program(check, report):
    text = (BENCHMARKS / "gpu_results.md").read_text(encoding="utf-8")
    for each in check.parts(options(check)):
        assert f"## {each.name}\n" in text
    if "Never run" in text:
        assert text == report.render(check.parts(options(check)), {})
