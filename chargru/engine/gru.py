"""The GRU of Cho et al. 2014 (arXiv:1406.1078), written to be read: the reference for every fast version.

Row vectors, time-major, reset before the recurrent product. For t = 1..T:

    z_t = σ(x_t W_z + h_{t−1} U_z + b_z)                  update gate
    r_t = σ(x_t W_r + h_{t−1} U_r + b_r)                  reset gate
    h̃_t = tanh(x_t W_h + (r_t ⊙ h_{t−1}) U_h + b_h)       candidate
    h_t = (1 − z_t) ⊙ h_{t−1} + z_t ⊙ h̃_t

The functions take `a` (T, B, 3H) = x W + b for all steps and gates [z | r | h] at once, since the input products do not
wait for each other: the caller gathers rows of W for a one-hot input or makes one large product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chargru.engine.parameters import Array


@dataclass(frozen=True)
class Trace:
    """What the backward pass needs of a forward pass. `h` has one row more: h[0] is the state before the window."""

    h: Array  # (T + 1, B, H)
    z: Array  # (T, B, H)
    r: Array  # (T, B, H)
    h_tilde: Array  # (T, B, H)


@dataclass(frozen=True)
class SequenceGradients:
    """Gradients of the loss with respect to everything a sequence was computed from."""

    a: Array  # (T, B, 3H)
    U_zr: Array  # (H, 2H)
    U_h: Array  # (H, H)
    h0: Array  # (B, H)


def sigmoid(x: Array) -> Array:
    """σ(x) = ½ + ½ tanh(x/2): never overflows."""
    result: Array = 0.5 + 0.5 * np.tanh(0.5 * x)
    return result


def step(a: Array, h: Array, U_zr: Array, U_h: Array) -> tuple[Array, Array, Array, Array]:
    """One step from state `h` (B, H) with `a` (B, 3H) = x W + b. Returns the new h, z, r, h̃, each (B, H)."""
    H = h.shape[-1]
    zr = sigmoid(a[:, : 2 * H] + h @ U_zr)
    z, r = zr[:, :H], zr[:, H:]
    h_tilde = np.tanh(a[:, 2 * H :] + (r * h) @ U_h)
    return (1 - z) * h + z * h_tilde, z, r, h_tilde


def sequence_forward(a: Array, h0: Array, U_zr: Array, U_h: Array) -> Trace:
    """All T steps of `a` (T, B, 3H) from the state `h0` (B, H)."""
    T, B, _ = a.shape
    H = h0.shape[-1]
    h = np.empty((T + 1, B, H), a.dtype)
    z, r, h_tilde = (np.empty((T, B, H), a.dtype) for _ in range(3))
    h[0] = h0
    for t in range(T):
        h[t + 1], z[t], r[t], h_tilde[t] = step(a[t], h[t], U_zr, U_h)
    return Trace(h, z, r, h_tilde)


def sequence_backward(trace: Trace, dh: Array, U_zr: Array, U_h: Array) -> SequenceGradients:
    """Back-propagation through all T steps.

    `dh` (T, B, H) is the gradient that reaches h_1..h_T from above (output or next layer). With g = ∂L/∂h_t, what
    flows back from t + 1 included, and s = r ⊙ h_{t−1}:

        da_h = g ⊙ z ⊙ (1 − h̃²)
        da_z = g ⊙ (h̃ − h_{t−1}) ⊙ z ⊙ (1 − z)
        ds   = da_h U_hᵀ
        da_r = ds ⊙ h_{t−1} ⊙ r ⊙ (1 − r)
        g_{t−1} += g ⊙ (1 − z) + ds ⊙ r + [da_z da_r] [U_z U_r]ᵀ
        dU_h = Σ sᵀ da_h        [dU_z dU_r] = Σ h_{t−1}ᵀ [da_z da_r]
    """
    T, B, H = dh.shape
    da = np.empty((T, B, 3 * H), dh.dtype)
    dU_zr = np.zeros_like(U_zr)
    dU_h = np.zeros_like(U_h)
    carried = np.zeros((B, H), dh.dtype)
    for t in reversed(range(T)):
        h, z, r, h_tilde = trace.h[t], trace.z[t], trace.r[t], trace.h_tilde[t]
        g = dh[t] + carried
        da_h = g * z * (1 - h_tilde**2)
        da_z = g * (h_tilde - h) * z * (1 - z)
        ds = da_h @ U_h.T
        da_r = ds * h * r * (1 - r)
        da_zr = np.concatenate([da_z, da_r], axis=1)
        carried = g * (1 - z) + ds * r + da_zr @ U_zr.T
        dU_h += (r * h).T @ da_h
        dU_zr += h.T @ da_zr
        da[t] = np.concatenate([da_zr, da_h], axis=1)
    return SequenceGradients(da, dU_zr, dU_h, carried)
