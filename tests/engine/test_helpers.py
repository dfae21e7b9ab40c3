"""Helper processes: the same bits as threads, no orphans, and one clear line when one of them ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from chargru.config import ModelConfig
from chargru.engine import Crew, Network, Parameters, Regularization, helper
from chargru.engine.arena import can_share
from chargru.engine.helpers import Helpers
from chargru.errors import BackendError

pytestmark = pytest.mark.skipif(not can_share(), reason="helpers need memory that can be shared")

CONFIG = ModelConfig(vocab_size=7, hidden_size=6, num_layers=2)
T, B = 5, 9


def windows(network, parameters, count, first=0):
    """Losses, gradients and states of so many windows."""
    rng = np.random.default_rng(first)
    for step in range(first, first + count):
        inputs, targets = rng.integers(0, 7, (2, T, B))
        loss = network.loss_and_gradients(parameters, inputs, targets, Regularization(0.3, 0.2, 5, step))
        yield loss, network.gradients.flat.tobytes(), network.state.tobytes()


def gone(pid):
    """Whether a process has ended (a zombie has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until_gone(pid):
    end = time.monotonic() + 20
    while not gone(pid):
        assert time.monotonic() < end, "it is still there"
        time.sleep(0.02)


@pytest.mark.parametrize("workers", [2, pytest.param(3, marks=pytest.mark.long)])
def test_processes_compute_what_threads_do_to_the_bit(workers):
    parameters = Parameters.initial(CONFIG, 1)
    with Crew(workers) as crew:
        network = Network(CONFIG, B, T, crew=crew)
        expected = [*windows(network, parameters, 2), *windows(network, parameters, 2, first=2)]
    crew = Crew(workers, processes=True)
    network = Network(CONFIG, B, T, crew=crew)
    with crew:
        assert len(crew.helpers.pids) == workers - 1
        found = list(windows(network, parameters, 2))
    with crew:  # again, with other processes
        found += list(windows(network, parameters, 2, first=2))
    assert found == expected


def test_without_being_at_work_a_crew_with_processes_needs_none():
    parameters = Parameters.initial(CONFIG, 1)
    network = Network(CONFIG, B, T, crew=Crew(2, processes=True))
    with Crew(2) as crew:
        assert list(windows(network, parameters, 2)) == list(windows(Network(CONFIG, B, T, crew=crew), parameters, 2))


def test_a_batch_smaller_than_the_crew_leaves_helpers_idle():
    parameters = Parameters.initial(CONFIG, 1)
    with Crew(3, processes=True) as crew:
        network = Network(CONFIG, 2, T, crew=crew)
        loss = network.loss_and_gradients(parameters, *np.zeros((2, T, 2), int))
    assert loss == Network(CONFIG, 2, T, crew=Crew(2)).loss_and_gradients(parameters, *np.zeros((2, T, 2), int))


def test_a_loss_that_is_not_finite_is_told():
    parameters = Parameters.initial(CONFIG, 1)
    with Crew(2, processes=True) as crew:
        network = Network(CONFIG, B, T, crew=crew)
        network.state[:, B - 1] = np.nan  # a row of the helper's
        loss = network.loss_and_gradients(parameters, *np.zeros((2, T, B), int))
    assert np.isnan(loss)


def test_a_helper_that_is_killed_is_told_in_one_line():
    parameters = Parameters.initial(CONFIG, 1)
    with Crew(2, processes=True) as crew:
        network = Network(CONFIG, B, T, crew=crew)
        list(windows(network, parameters, 1))
        os.kill(crew.helpers.pids[0], signal.SIGKILL)
        with pytest.raises(BackendError, match="was ended by SIGKILL") as caught:
            list(windows(network, parameters, 1))
    assert "resume" in caught.value.hint


def test_a_helper_that_exits_is_told_with_its_code(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    helpers = Helpers(1)
    helpers.tell([{"op": "build", "network": 0}])
    with pytest.raises(BackendError, match="ended with code 1"):
        helpers.hear()
    helpers.close()


def test_a_process_that_cannot_be_started_is_told(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(BackendError, match="No such file") as caught, Crew(3, processes=True):
        pass
    assert "--threads 1" in caught.value.hint


def test_a_mistake_in_a_helper_shows_its_traceback():
    helpers = Helpers(1)
    helpers.tell([{"op": "window", "network": 12345}])
    with pytest.raises(RuntimeError, match="KeyError: 12345"):
        helpers.hear()
    helpers.close()


def test_a_helper_without_memory_is_told_in_one_line(monkeypatch):
    class Shard:
        def window(self):
            raise MemoryError

    assert helper._answer({1: Shard()}, {"op": "window", "network": 1}, []) == {"error": "memory"}
    helpers = Helpers(0)
    helpers._told = 1
    monkeypatch.setattr(helpers, "_answer", lambda i: {"error": "memory"})
    with pytest.raises(BackendError, match="out of memory"):
        helpers.hear()


def test_helpers_end_with_the_crew():
    with Crew(3, processes=True) as crew:
        pids = crew.helpers.pids
        assert not any(map(gone, pids))
    assert all(map(gone, pids))
    assert crew.helpers is None


def test_a_helper_that_is_busy_is_not_waited_for_long(monkeypatch):
    monkeypatch.setattr("chargru.engine.helpers._GRACE", 0.2)
    helpers = Helpers(1)
    pids = helpers.pids
    os.kill(pids[0], signal.SIGSTOP)
    helpers.close()
    assert all(map(gone, pids))


def test_ctrl_c_is_this_process_s_business():
    with Crew(2, processes=True) as crew:
        network = Network(CONFIG, B, T, crew=crew)
        parameters = Parameters.initial(CONFIG, 1)
        list(windows(network, parameters, 1))
        pid = crew.helpers.pids[0]
        assert os.getpgid(pid) != os.getpgid(0)  # the terminal's signals go to our group
        os.kill(pid, signal.SIGINT)
        list(windows(network, parameters, 1))


@pytest.mark.long
def test_no_orphans_when_this_process_is_killed():
    code = "from chargru.engine.helpers import Helpers; h = Helpers(2); print(*h.pids, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.kill()
    for pid in pids:
        wait_until_gone(pid)
