"""Logits → the next character, for a batch of states at once."""

from __future__ import annotations

import numpy as np

from chargru.config import SamplingConfig
from chargru.engine.parameters import Array


def surprisal(logits: Array, ids: Array) -> Array:
    """−ln p of the characters `ids` (N,) under `logits` (N, V) at temperature 1, in nats: (N,) float64."""
    peak = logits.max(axis=1)
    total = np.exp(logits - peak[:, None]).sum(axis=1, dtype=np.float64)
    found: Array = np.log(total) - (logits[np.arange(len(ids)), ids] - peak)
    return np.maximum(found, 0.0)  # rounding may leave a certain character a hair above 1


def probabilities(logits: Array, config: SamplingConfig) -> Array:
    """The distribution (N, V) that characters are drawn from, in float64; temperature must be above 0.

    In this order, as elsewhere in the field: temperature, then the `top_k` likeliest (the lower id wins a tie), then
    the fewest likeliest that hold `top_p` of what is left, then those above `min_p` of the likeliest. The likeliest
    character always stays. Rows sum to 1.
    """
    p = _unnormalized(logits, config.temperature)
    V = p.shape[1]
    if 0 < config.top_k < V or config.top_p < 1:
        order = np.argsort(-p, axis=1, kind="stable")
        ranked = np.take_along_axis(p, order, axis=1)
        if 0 < config.top_k < V:
            ranked[:, config.top_k :] = 0
        if config.top_p < 1:
            before = np.cumsum(ranked, axis=1) - ranked  # what the likelier ones already hold
            drop = before >= config.top_p * ranked.sum(axis=1, keepdims=True)
            drop[:, 0] = False
            ranked[drop] = 0
        np.put_along_axis(p, order, ranked, axis=1)
    if config.min_p > 0:
        p[p < config.min_p * p.max(axis=1, keepdims=True)] = 0
    p /= p.sum(axis=1, keepdims=True)
    return p


def draw(logits: Array, config: SamplingConfig, rng: np.random.Generator) -> Array:
    """The next characters (N,) for `logits` (N, V): the likeliest at temperature 0, else drawn by inverse CDF."""
    if config.temperature == 0:
        likeliest: Array = np.argmax(logits, axis=1)
        return likeliest
    filtered = config.top_k > 0 or config.top_p < 1 or config.min_p > 0
    weights = probabilities(logits, config) if filtered else _unnormalized(logits, config.temperature)
    cumulative = np.cumsum(weights, axis=1)
    u = rng.random((len(logits), 1)) * cumulative[:, -1:]
    drawn: Array = np.argmax(cumulative > u, axis=1)
    return drawn


def _unnormalized(logits: Array, temperature: float) -> Array:
    """exp((logits − max) / temperature) in float64, (N, V): probabilities but for a factor."""
    p = np.subtract(logits, logits.max(axis=1, keepdims=True), dtype=np.float64)
    p /= max(temperature, 1e-300)  # after subtracting: a temperature near 0 must not overflow
    np.maximum(p, -745.0, out=p)
    weights: Array = np.exp(p, out=p)
    return weights
