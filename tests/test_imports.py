"""What an import brings with it, in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def loaded_by(statement):
    """Top-level names of the modules that `statement` loads."""
    code = f"{statement}\nimport sys, json\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def third_party(names):
    return names - set(sys.stdlib_module_names) - loaded_by("pass")


def test_engine_needs_numpy_only():
    """threadpoolctl is used where it is installed; tests/test_alone.py trains without it."""
    assert third_party(loaded_by("import chargru.engine")) <= {"chargru", "numpy", "threadpoolctl"}


@pytest.mark.parametrize("room", ["text.reader", "storage.runs", "training.session", "completion.completer"])
def test_path_from_text_to_training_needs_little(room):
    allowed = {"chargru", "numpy", "threadpoolctl", "safetensors"}
    assert third_party(loaded_by(f"import chargru.{room}")) <= allowed
