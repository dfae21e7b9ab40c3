"""Many prompts, many completions each, drawn on the device one character at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from chargru.config import SamplingConfig
from chargru.engine.device import Device
from chargru.engine.parameters import Array, Parameters


class Chunk(NamedTuple):
    """The next n characters of every completion, on the host: `ids` (N, n) int32, `nats` (N, n) float32.

    `nats` is each character's surprisal under the model at temperature 1.
    """

    ids: Array
    nats: Array


def sample_many(
    device: Device,
    parameters: Parameters,
    prompts: Sequence[Array],
    config: SamplingConfig,
    *,
    chunk: int = 32,
) -> Iterator[Chunk]:
    """`config.count` completions of each prompt, `config.length` characters each.

    `parameters` is over a host or a device buffer; a prompt is a row of at least one id. Row
    p·count + c of a chunk is completion c of prompt p. `config.stop` is the caller's to look for: it may stop iterating at any time.
    """
    raise NotImplementedError
