"""Adam with decoupled weight decay, one norm for the whole gradient, the rate's schedule, and averaged weights.

Everything is one pass over flat buffers, compiled where that is possible, else in chunks that stay in cache. The crew's
threads have a share each; in chunks only of large networks, since with small ones a thread alone is quicker than two
that hand the interpreter lock to each other.
"""

from __future__ import annotations

import math

import numpy as np

from chargru.config import TrainingConfig
from chargru.engine.fused.compiled_adam import compiled_adam
from chargru.engine.fused.sequence import LANES
from chargru.engine.parameters import Array, Parameters
from chargru.engine.threads import Crew

LARGE = 4_000_000  # numbers, from which on threads are worth it (benchmarks/LOG.md)
_CHUNK = 1 << 15  # numbers: seven arrays of 128 KiB stay in a core's second-level cache


def learning_rate_at(fraction: float, config: TrainingConfig) -> float:
    """The rate at this fraction (0..1) of the budget: a linear rise, then half a cosine down to `final_rate`."""
    if fraction < config.warmup:
        # never zero, so that the first update of a run already learns
        return config.learning_rate * max(fraction / config.warmup, 0.01)
    through = min(1.0, (fraction - config.warmup) / max(1e-9, 1.0 - config.warmup))
    low = config.final_rate
    return config.learning_rate * (low + (1 - low) * 0.5 * (1 + math.cos(math.pi * through)))


def global_norm(gradients: Parameters) -> float:
    """Euclidean norm of all gradients together; not finite when any of them is not."""
    chunks = (gradients.flat[stretch] for stretch in _stretches(len(gradients.flat), _CHUNK))
    return math.sqrt(math.fsum(float(np.dot(chunk, chunk)) for chunk in chunks))


class Adam:
    """Adam (Kingma and Ba 2015) with decoupled decay (Loshchilov and Hutter 2019) and averaged weights.

    `m`, `v` (P,) are the moments and `averaged` the exponential average of the weights, which is what evaluation and
    sampling use; its decay grows from 0 to `config.averaging`, so that the first random weights are soon forgotten.
    `step` counts the updates made.
    """

    def __init__(self, parameters: Parameters, config: TrainingConfig, crew: Crew | None = None) -> None:
        self.config = config
        self.crew = crew or Crew(1)
        self.parameters = parameters
        self.step = 0
        self.m = np.zeros_like(parameters.flat)
        self.v = np.zeros_like(parameters.flat)
        self.averaged = Parameters(parameters.config, parameters.flat.dtype, parameters.flat.copy())
        self._decayed = parameters.decayed() if config.weight_decay else None
        count = len(parameters.flat)
        self._compiled = compiled_adam(count, parameters.flat.dtype)
        workers = self.crew.workers if count >= LARGE or self._compiled else 1
        self._shares = _stretches(count, LANES * math.ceil(count / workers / LANES))
        self._scratch = [np.empty((2, min(_CHUNK, count)), parameters.flat.dtype) for _ in self._shares]

    def update(self, gradients: Parameters, norm: float, learning_rate: float) -> None:
        """One update from `gradients`, whose global norm is `norm`; larger ones than `clip_norm` are scaled down."""
        self.step += 1
        t, config = self.step, self.config
        scale = min(1.0, config.clip_norm / norm) if norm > 0 else 1.0
        correction = math.sqrt(1 - config.beta2**t)
        rate = learning_rate * correction / (1 - config.beta1**t)
        epsilon = config.epsilon * correction
        shrink = learning_rate * config.weight_decay
        average = 1 - min(config.averaging, t / (10 + t)) if config.averaging else 1.0

        b1, b2 = config.beta1, config.beta2
        numbers = np.array([scale, b1, 1 - b1, b2, 1 - b2, rate, epsilon, average, shrink], np.float32)

        def work(part: int) -> None:
            share = self._shares[part]
            start = share.start
            if self._compiled is not None and share.stop - start >= LANES:
                start = share.stop - (share.stop - start) % LANES
                flats = (self.parameters.flat, gradients.flat, self.m, self.v, self.averaged.flat)
                self._compiled(slice(share.start, start), numbers, flats, self._decayed)
            for begin in range(start, share.stop, _CHUNK):
                stretch = slice(begin, min(begin + _CHUNK, share.stop))
                self._update_chunk(stretch, gradients.flat, scale, rate, epsilon, shrink, average, part)

        self.crew.map(work, range(len(self._shares)))

    def _update_chunk(
        self,
        stretch: slice,
        gradients: Array,
        scale: float,
        rate: float,
        epsilon: float,
        shrink: float,
        average: float,
        part: int,
    ) -> None:
        w, m, v = self.parameters.flat[stretch], self.m[stretch], self.v[stretch]
        g, x = self._scratch[part][:, : len(w)]
        np.multiply(gradients[stretch], scale, out=g)
        m *= self.config.beta1
        np.multiply(g, 1 - self.config.beta1, out=x)
        m += x
        np.multiply(g, g, out=g)
        g *= 1 - self.config.beta2
        v *= self.config.beta2
        v += g
        if self._decayed is not None:
            np.multiply(self._decayed[stretch], 1 - shrink, out=x)
            x += 1 - self._decayed[stretch]
            w *= x
        np.sqrt(v, out=g)
        g += epsilon
        np.divide(m, g, out=x)
        x *= rate
        w -= x
        averaged = self.averaged.flat[stretch]
        np.subtract(w, averaged, out=x)
        x *= average
        averaged += x


def _stretches(count: int, size: int) -> list[slice]:
    """[0, count) in slices of at most `size`."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
