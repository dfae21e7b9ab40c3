"""The GPU as the app knows it: that of another process, which is started when something is first wanted of it.

Everything here may wait and is called from threads, but for `let_go`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from chargru.config import SamplingConfig

if TYPE_CHECKING:
    from chargru.completion.completer import Completer, Stream
    from chargru.training.machines import Gpu
    from chargru.worker.gpu_client import GpuClient


class Graphics:
    """What a GPU would make of a training, and completions drawn on it; nothing where there is none."""

    def __init__(self, busy: Callable[[], bool] = lambda: False, client: GpuClient | None = None) -> None:
        """`busy` says whether the GPU is wanted for a training now; tests bring a client of their own."""
        self._busy = busy
        self._client = client
        self._opening = threading.Lock()
        self._looking = False

    def look(self, precision: str = "float32") -> Gpu | None:
        """The GPU a training would have; the first time of all it is checked, which may take a minute."""
        client = self._at_hand()
        return None if client is None else client.look(precision)

    def known(self, precision: str = "float32") -> Gpu | None:
        """The same, as far as somebody has looked; comes back at once."""
        client = self._at_hand()
        return None if client is None else client.known(precision)

    def settled(self, precision: str = "float32") -> bool:
        """Whether `look` would find out nothing new."""
        client = self._at_hand()
        return client is None or client.looked(precision)

    def drawn(self, completer: Completer, prompt: str, sampling: SamplingConfig) -> Stream | None:
        """Completions by the GPU; None where the processor is the better one, or as long as nobody has looked."""
        from chargru.completion.on_device import WORTH_READY, operations

        if operations(completer.parameters.config, sampling) < WORTH_READY:
            return None
        if completer.path is None or completer.parameters.flat.dtype != "float32":
            return None
        gpu, client = self.known(), self._at_hand()
        if gpu is None or client is None:
            self._look_soon()
            return None
        from chargru.worker.gpu_client import drawn_apart

        return drawn_apart(client, gpu.name, completer, prompt, sampling)

    def let_go(self) -> None:
        """The GPU's memory is wanted for something else."""
        if self._client is not None:
            self._client.close()

    def _look_soon(self) -> None:
        """Look, but keep nobody waiting: for the next time."""
        if not self._looking and not self.settled():
            self._looking = True
            threading.Thread(target=self.look, name="gpu", daemon=True).start()

    def _at_hand(self) -> GpuClient | None:
        from chargru.worker.gpu_client import GpuClient, gpu_at_hand

        if self._busy():
            return None
        with self._opening:
            if self._client is None and gpu_at_hand():
                self._client = GpuClient()
            return self._client
