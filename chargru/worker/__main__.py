"""`python -m chargru.worker`: a request on standard input, events on standard output, until either side leaves."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from chargru.config import TrainRequest
from chargru.worker.serve import INTERRUPTED, Service

if TYPE_CHECKING:
    from chargru.training.control import Control
    from chargru.worker.serve import Reading, Trains


# Training takes every core there is; who types into the same machine must not wait for it. Alone it is as fast as ever.
NICENESS = 5


def open_trainer(request: TrainRequest, reading: Reading) -> Trains:
    """The real trainer; imported late, for NumPy takes a while and words are listened to meanwhile."""
    from chargru.training.session import open_session

    return open_session(request, reading)


def await_termination(service: Service) -> None:
    """The first SIGTERM: save and leave. The second: leave.

    The signal is waited for in a thread of its own, so that no lock of the trainer can be held by whom it interrupts.
    """
    signal.sigwait({signal.SIGTERM})
    service.depart()
    signal.sigwait({signal.SIGTERM})
    os._exit(INTERRUPTED)


def main(open_trainer: Callable[[TrainRequest, Reading], Trains] = open_trainer, control: Control | None = None) -> int:
    """Serve one training and give the exit code; tests bring a trainer and a control of their own."""
    faulthandler.enable()  # a crash in native code leaves its stack on standard error
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    # Events have a descriptor of their own: whatever else prints goes to standard error and cannot garble them.
    outgoing = os.dup(1)
    os.dup2(2, 1)
    if control is None:
        from chargru.training.control import Control

        control = Control()
    service = Service(0, outgoing, control=control, open_trainer=open_trainer)
    threading.Thread(target=await_termination, args=(service,), name="termination", daemon=True).start()
    return service.run()


if __name__ == "__main__":
    sys.exit(main())
