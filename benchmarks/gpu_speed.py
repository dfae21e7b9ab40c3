"""Training characters a second on a GPU, against torch's Embedding + GRU (cuDNN) + Linear + fused Adam there.

    python benchmarks/gpu_speed.py [--rounds 3] [--seconds 0.3] [--compile] [--json FILE]

Both sides do whole updates on the same ids, all on the device: forward, backward, clipping at norm 1, Adam; dropout is
off on both. Ours are, in float32, two variants of the kernels (products by cuBLAS with a kernel for each gate, and
products and gates fused, a window replayed as a graph), and in TF32 and bf16 the fused kernels with their products on
tensor cores. Torch's are float32, TF32 and bfloat16 (autocast), and with --compile torch.compile around the quickest of
them; the best is compared. Contenders take turns; the figures are medians. Torch's cell applies the reset gate after
the product: another function, of as many products.

A step of one layer forward and a step back are timed on their own, beside a floor: both together take at least 3 us,
where the recurrent weights stay on the chip (an estimate), or their 12 B H^2 operations at the rate of large products
here, in float32 or TF32 as ours are (for bf16 too).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import gpu_shapes
import numpy as np
from gpu_common import arguments, device, machine, medians, print_table, timed, torch, write

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine import flops_per_character
from chargru.engine.device import Device
from chargru.engine.device_lesson import DeviceLesson
from chargru.engine.device_rates import measure
from chargru.engine.fused.cupy_gru import DeviceSequence, in_graphs, run
from chargru.engine.fused.tensor_gru import TensorLayer, TensorSequence
from chargru.engine.fused.tensor_launches import TILES, Tile, fitting_tile
from chargru.engine.fused.variants import make_layer, make_sequence
from chargru.errors import BackendError

V = 65
SHAPES = gpu_shapes.SPEED
LEAST = 3e-6  # seconds of a step both ways with the weights on the chip
OURS = (("float32", "gemm"), ("float32", "fused"), ("tf32", "tensor"), ("bf16", "tensor"))


def ours(gpu: Device, shape: tuple[int, int, int, int], variant: str, seconds: float) -> Callable[[], float]:
    H, B, T, L = shape
    ids = np.random.default_rng(0).integers(0, V, 200_000).astype(np.uint8)
    training = TrainingConfig(steps=1, batch_size=B, seq_len=T, averaging=0.0)
    lesson = DeviceLesson(gpu, ids, ModelConfig(V, H, L), training, variant=variant)
    return timed(lambda: lesson.update(1e-4), lesson.collect, seconds)


def theirs(shape: tuple[int, int, int, int], precision: str, compiled: bool, seconds: float) -> Callable[[], float]:
    H, B, T, L = shape
    place = torch.device("cuda")
    embedding, gru, linear = torch.nn.Embedding(V, H), torch.nn.GRU(H, H, L), torch.nn.Linear(H, V)
    modules = torch.nn.ModuleList([embedding, gru, linear]).to(place)
    weights = list(modules.parameters())
    adam = torch.optim.Adam(weights, 1e-4, fused=True)
    rng = np.random.default_rng(0)
    inputs, targets = (torch.from_numpy(rng.integers(0, V, (T, B))).to(place) for _ in range(2))
    state = torch.zeros(L, B, H, device=place)

    def loss_of(inputs, targets, state):  # type: ignore[no-untyped-def]
        hidden, last = gru(embedding(inputs), state)
        return torch.nn.functional.cross_entropy(linear(hidden).view(-1, V), targets.view(-1)), last

    call = torch.compile(loss_of) if compiled else loss_of

    def update() -> None:
        nonlocal state
        allowed = precision != "float32"
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed
        adam.zero_grad(set_to_none=True)
        casting = torch.autocast("cuda", torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()
        with casting:
            loss, last = call(inputs, targets, state)
        state = last.detach().float()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        adam.step()

    return timed(update, torch.cuda.synchronize, seconds)


def steps(
    gpu: Device, shape: tuple[int, int, int, int], variant: str, seconds: float, tile: Tile | None = None
) -> tuple[float, float]:
    """Seconds of a step of one layer, forward and back, of whole windows; on tensor cores by this tile."""
    H, B, T, _ = shape
    with gpu.active():
        h = gpu.xp.zeros((T + 1, B, H), "float32")
        layer = make_layer(gpu, variant, H, train=True)
        if isinstance(layer, TensorLayer):
            sequence: DeviceSequence = TensorSequence(gpu, layer, h, train=True, tile=tile)
        else:
            sequence = make_sequence(gpu, variant, layer, h, train=True)
        rng = np.random.default_rng(0)
        for array in (layer.U_zr, layer.U_h, layer.b, sequence.a, sequence.dh):
            gpu.copy(rng.normal(0, 0.05, array.shape).astype(np.float32), array)
        run(layer.copies())
        found = []
        for work in (sequence.forward, sequence.backward):
            together = in_graphs(gpu, work)
            found.append(timed(lambda work=together: run(work), gpu.synchronize, seconds)() / T)
    return found[0], found[1]


def by_tile(gpu: Device, shape: tuple[int, int, int, int], seconds: float) -> dict[str, float]:
    """Seconds of a step both ways on tensor cores by every tile, the one that would be taken marked with a star."""
    H, B, _, _ = shape
    taken = {fitting_tile(gpu.facts.multiprocessors, B, H, halves) for halves in (2, 1)}
    return {
        f"{tile.rows}x{tile.columns}{'*' if tile in taken else ''}": sum(steps(gpu, shape, "tensor", seconds, tile))
        for tile in TILES
    }


def contenders(
    gpus: dict[str, Device], shape: tuple[int, int, int, int], seconds: float
) -> tuple[dict[str, Callable[[], float]], dict[str, str]]:
    """What takes part, and why something does not."""
    made: dict[str, Callable[[], float]] = {}
    failed: dict[str, str] = {}
    for precision, variant in OURS:
        if precision not in gpus:
            continue
        try:
            made[f"chargru {variant} {precision}"] = ours(gpus[precision], shape, variant, seconds)
        except BackendError as error:
            failed[f"chargru {variant} {precision}"] = error.message
    if torch is None or not torch.cuda.is_available():
        return made, failed
    for precision in ("float32", "tf32", "bf16"):
        peer(f"torch {precision}", shape, False, seconds, made, failed)
    return made, failed


def peer(
    name: str,
    shape: tuple[int, int, int, int],
    compiled: bool,
    seconds: float,
    made: dict[str, Callable[[], float]],
    failed: dict[str, str],
) -> None:
    """One of torch's; whatever it cannot do is told and does not end the comparison."""
    try:
        made[name] = theirs(shape, name.split()[1], compiled, seconds)
    except Exception as error:
        failed[name] = f"{type(error).__name__}: {error}".splitlines()[0][:200]


def best(found: dict[str, float], side: str) -> str | None:
    """The quickest contender of one side."""
    return min((name for name in found if name.startswith(side)), key=lambda name: found[name], default=None)


def main() -> None:
    parser = arguments(__doc__, 0.3)
    parser.add_argument("--compile", action="store_true", help="torch.compile too; takes half a minute a shape")
    parser.add_argument("--shapes", type=int, default=len(SHAPES), help="so many of the shapes")
    options = parser.parse_args()
    gpus = {"float32": device()}
    with contextlib.suppress(BackendError):  # an older GPU has no tensor cores that we know
        gpus |= {precision: Device.cupy(precision) for precision in ("tf32", "bf16")}
    print(f"{machine(gpus['float32'])}; medians of {options.rounds} rounds\n")
    begin, figures, rows = time.monotonic(), [], []
    peaks = {precision: measure(gpu).products for precision, gpu in gpus.items()}
    for shape in SHAPES[: options.shapes]:
        if time.monotonic() - begin > options.limit:
            break
        H, B, T, L = shape
        made, failed = contenders(gpus, shape, options.seconds)
        found = medians(made, options.rounds)
        if options.compile and (quickest := best(found, "torch")):
            added: dict[str, Callable[[], float]] = {}
            peer(f"{quickest} compiled", shape, True, options.seconds, added, failed)
            found |= medians(added, options.rounds)
        made.clear()
        for gpu in gpus.values():
            gpu.free_pool()
        if torch is not None:
            torch.cuda.empty_cache()
        our, their = best(found, "chargru"), best(found, "torch")
        rate = {name: B * T / seconds for name, seconds in found.items()}
        operations = flops_per_character(H, L, V)
        _, variant, precision = our.split() if our else ("", "", "float32")
        forward, back = steps(gpus[precision], shape, variant, options.seconds / 4) if our else (0.0, 0.0)
        floor = max(LEAST, 12.0 * B * H * H / peaks[precision])
        figures.append(
            {"shape": shape, "rates": rate, "failed": failed, "ours": our, "theirs": their,
             "forward": forward, "back": back, "floor": floor,
             "tiles": by_tile(gpus["bf16"], shape, options.seconds / 20) if "bf16" in gpus else {}}
        )  # fmt: skip
        write(options.json, figures)
        rows.append(
            (
                gpu_shapes.shape(*shape),
                f"{rate[our] / 1e3:,.0f} ({our.removeprefix('chargru ')})" if our else "failed",
                f"{rate[their] / 1e3:,.0f} ({their.removeprefix('torch ')})" if their else "not run",
                f"**{rate[our] / rate[their]:.2f}×**" if our and their else "",
                f"{1e6 * forward:.1f} + {1e6 * back:.1f}, floor {1e6 * floor:.1f}" if our else "",
                f"{rate[our] * operations / 1e12:.1f}" if our else "",
            )
        )
        print(f"{rows[-1]} {failed or ''}", flush=True)
    print()
    print_table(("shape", "chargru, k ch/s", "torch, k ch/s", "ratio", "µs a step of a layer", "TF/s"), rows)


if __name__ == "__main__":
    main()
