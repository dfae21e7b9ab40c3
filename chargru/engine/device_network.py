"""`chargru.engine.network.Network` once more, on a device."""

from __future__ import annotations

from chargru.config import ModelConfig
from chargru.engine.device import Device
from chargru.engine.fused.kernels import DeviceArray
from chargru.engine.parameters import Array, Parameters
from chargru.engine.shard import Regularization


def network_bytes(config: ModelConfig, batch_size: int, seq_len: int, *, train: bool = True) -> int:
    """What a `DeviceNetwork` of this size takes of the device's memory, weights not counted."""
    raise NotImplementedError


class DeviceNetwork:
    """As `engine.network.Network`, arrays on the device.

    `state` (L, B, H) is the hidden state before the next window; `gradients` (a flat device buffer with named views)
    the last window's, None without `train`. `variant` is "gemm", "fused" or None, for the one that is likely quicker.

    Raises:
        BackendError: the device's memory is too small; the message tells sizes that would fit.
    """

    state: DeviceArray
    gradients: Parameters | None

    def __init__(
        self,
        device: Device,
        config: ModelConfig,
        batch_size: int,
        seq_len: int,
        *,
        train: bool = True,
        variant: str | None = None,
    ) -> None:
        raise NotImplementedError

    def loss_and_gradients(
        self, parameters: Parameters, inputs: DeviceArray, targets: DeviceArray, drop: Regularization | None = None
    ) -> DeviceArray:
        """Mean loss (nats per character) of a window: a device array () of float32, never waited for.

        `inputs` and `targets` are device int32 (T, B), `parameters` over a device buffer. Fills `gradients` and moves
        `state` on.
        """
        raise NotImplementedError

    def losses(self, parameters: Parameters, inputs: DeviceArray, targets: DeviceArray, *, pack: bool = True) -> Array:
        """Losses (T, B) in nats on the host, nothing dropped; moves `state` on.

        `pack=False` when `parameters` have not changed since the last call.
        """
        raise NotImplementedError
