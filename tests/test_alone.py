"""From text to training, saving and going on with NumPy and safetensors alone: every other package is blocked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

ALONE = """
import json, sys

ALLOWED = set(sys.stdlib_module_names) | {"chargru", "numpy", "safetensors"}

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in ALLOWED:
            raise ModuleNotFoundError(f"No module named {name!r} (blocked)", name=name)

sys.meta_path.insert(0, Blocked())
from chargru.config import TrainRequest
from chargru.events import Finished, Notice
from chargru.training.session import open_session

sizes = {"hidden_size": 8, "num_layers": 2, "batch_size": 2, "seq_len": 8, "threads": 1}
first = list(open_session(TrainRequest(corpus=sys.argv[1], steps=6, name="first", **sizes)).run())
again = list(open_session(TrainRequest(resume="first", steps=9)).run())
chosen = list(open_session(TrainRequest(corpus=sys.argv[1], time=1, name="chosen")).run())  # the probe, the rules
for package in ("click", "llvmlite", "threadpoolctl", "platformdirs", "charset_normalizer", "tqdm", "rich", "textual"):
    try:
        __import__(package)
        raise SystemExit(f"{package} was not blocked")
    except ModuleNotFoundError:
        pass
loaded = {name.partition(".")[0] for name in sys.modules} - {"__main__"}
finished = [events[-1] for events in (first, again, chosen)]
print(json.dumps({
    "steps": [each.steps for each in finished if isinstance(each, Finished)],
    "losses": [each.val_loss for each in finished],
    "notes": [each.message for each in first if isinstance(each, Notice)],
    "loaded": sorted(loaded - set(sys.stdlib_module_names)),
}))
"""


@pytest.mark.long
def test_training_needs_nothing_but_numpy_and_safetensors(tmp_path: Path) -> None:
    text = tmp_path / "rain.txt"
    text.write_text("the rain fell on the walls of the old harbour, and nobody came. " * 30)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CHARGRU_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(text)], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["steps"][:2] == [6, 9]
    assert told["steps"][2] > 1
    assert all(0 < loss < 4 for loss in told["losses"])
    assert {"chargru", "numpy", "safetensors"} <= set(told["loaded"])
    assert any("threadpoolctl is not installed" in note for note in told["notes"])
