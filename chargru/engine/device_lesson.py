"""Everything that an update changes, on the device: the host queues updates and reads losses now and then."""

from __future__ import annotations

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine.device import Device
from chargru.engine.parameters import Array, Parameters


class DeviceLesson:
    """Weights, averages, both moments, hidden state, place in the text and dropout counters, all on the device.

    `step` and `position` are the host's counters: updates queued, characters that each reader has consumed. An update
    whose loss or gradient is not finite changes nothing on the device (but both counters move on), and `collect`
    tells of it.

    Raises:
        BackendError: the device's memory is too small; the message tells sizes that would fit.
    """

    step: int
    position: int

    def __init__(
        self,
        device: Device,
        ids: Array,
        model: ModelConfig,
        training: TrainingConfig,
        *,
        arrays: tuple[Array, ...] | None = None,
        step: int = 0,
        position: int = 0,
        variant: str | None = None,
    ) -> None:
        """`ids` (n,) are the training text's; `arrays` those of a checkpoint, as `arrays()` returns them."""
        raise NotImplementedError

    @property
    def parameters(self) -> Parameters:
        """The weights being trained, over a device buffer."""
        raise NotImplementedError

    @property
    def averaged(self) -> Parameters:
        """The averaged weights, over a device buffer: what is evaluated and sampled."""
        raise NotImplementedError

    @property
    def epoch(self) -> float:
        """How often the text has been read so far, all readers together."""
        raise NotImplementedError

    def update(self, rate: float) -> None:
        """Queue one update at this learning rate; never waits."""
        raise NotImplementedError

    def collect(self) -> list[tuple[float, float]]:
        """Wait; (loss in nats per character, gradient norm) of each update since the last call, nan if not finite."""
        raise NotImplementedError

    def arrays(self) -> tuple[Array, ...]:
        """Host copies: weights, averaged, m, v (P,) each, and state (L, B, H)."""
        raise NotImplementedError

    def load(self, arrays: tuple[Array, ...], step: int, position: int) -> None:
        """Take all of that over from host arrays."""
        raise NotImplementedError

    def remember(self) -> None:
        """This state is a good one to fall back to: kept on the device."""
        raise NotImplementedError

    def fall_back(self) -> None:
        """Return to the last state that was remembered, the counters too."""
        raise NotImplementedError
