"""Training characters a second on a GPU, against torch's Embedding + GRU (cuDNN) + Linear + fused Adam there.

    python benchmarks/gpu_speed.py [--rounds 3] [--seconds 0.3] [--compile] [--json FILE]

Both sides do whole updates on the same ids, all on the device: forward, backward, clipping at norm 1, Adam; dropout is
off on both. Ours are, in float32, two variants of the kernels (products by cuBLAS with a kernel for each gate, and
products and gates fused, a window replayed as a graph), and in TF32 and bf16 the fused kernels with their products on
tensor cores. Torch's are float32, TF32 and autocast (whose GRU cuDNN computes in float16), the last two twice: with an
embedding as wide as the layer, as people write it, and with characters one-hot, which has as many weights as ours. With
--compile there is also torch.compile around the quickest, which leaves cuDNN's GRU as it is. The best is compared.
Contenders take turns; the figures are medians. Torch's cell applies the reset gate after the product: another function,
of as many products.

A step of one layer forward and a step back are timed on their own, beside a floor: both together take at least 3 us,
where the recurrent weights stay on the chip (an estimate), or their 12 B H^2 operations at the rate of large products
here, in float32 or TF32 as ours are (for bf16 too).
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import gpu_shapes
import numpy as np
from gpu_common import arguments, device, machine, peer, print_table, timed, write

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
THEIRS = ("float32", "tf32", "tf32 one-hot", "autocast", "autocast one-hot")


def ours(gpu: Device, shape: tuple[int, int, int, int], variant: str, seconds: float) -> Callable[[], float]:
    H, B, T, L = shape
    ids = np.random.default_rng(0).integers(0, V, 200_000).astype(np.uint8)
    training = TrainingConfig(steps=1, batch_size=B, seq_len=T, averaging=0.0)
    lesson = DeviceLesson(gpu, ids, ModelConfig(V, H, L), training, variant=variant)
    return timed(lambda: lesson.update(1e-4), lesson.collect, seconds)


def theirs(
    torch: Any, shape: tuple[int, int, int, int], how: str, compiled: bool, seconds: float
) -> Callable[[], float]:
    """One of torch's; `how` is one of THEIRS."""
    H, B, T, L = shape
    place, one_hot = torch.device("cuda"), "one-hot" in how
    embedding, linear = torch.nn.Embedding(V, H), torch.nn.Linear(H, V)
    gru = torch.nn.GRU(V if one_hot else H, H, L)
    modules = torch.nn.ModuleList([gru, linear, *([] if one_hot else [embedding])]).to(place)
    weights = list(modules.parameters())
    adam = torch.optim.Adam(weights, 1e-4, fused=True)
    rng = np.random.default_rng(0)
    inputs, targets = (torch.from_numpy(rng.integers(0, V, (T, B))).to(place) for _ in range(2))
    state = torch.zeros(L, B, H, device=place)

    def layers(x, state):  # type: ignore[no-untyped-def]
        return gru(x, state)

    if compiled:  # the compiler cannot read a GRU, and would leave out the whole function where it meets one
        layers = torch.compiler.disable(layers)

    def loss_of(inputs, targets, state):  # type: ignore[no-untyped-def]
        x = torch.nn.functional.one_hot(inputs, V).float() if one_hot else embedding(inputs)
        hidden, last = layers(x, state)
        return torch.nn.functional.cross_entropy(linear(hidden).view(-1, V), targets.view(-1)), last

    call = torch.compile(loss_of) if compiled else loss_of

    def update() -> None:
        nonlocal state
        allowed = how != "float32"
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed
        adam.zero_grad(set_to_none=True)
        casting = torch.autocast("cuda", torch.bfloat16) if "autocast" in how else contextlib.nullcontext()
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
    gpus: dict[str, Device], torch: Any, shape: tuple[int, int, int, int], seconds: float
) -> tuple[dict[str, Callable[[], float]], dict[str, str]]:
    """What takes part, and why something does not."""
    made: dict[str, Callable[[], float]] = {}
    failed: dict[str, str] = {}
    for precision, variant in OURS:
        if precision in gpus:
            with told(f"chargru {variant} {precision}", failed) as name:
                made[name] = ours(gpus[precision], shape, variant, seconds)
    for how in THEIRS if torch is not None else ():
        with told(f"torch {how}", failed) as name:
            made[name] = theirs(torch, shape, how, False, seconds)
    return made, failed


@contextlib.contextmanager
def told(name: str, failed: dict[str, str]) -> Iterator[str]:
    """Whatever goes wrong with one contender or one measurement is told, and costs no other one its figures."""
    try:
        yield name
    except Exception as error:
        failed[name] = f"{type(error).__name__}: {error}".splitlines()[0][:200]


def best(found: dict[str, float], side: str) -> str | None:
    """The quickest contender of one side."""
    return min((name for name in found if name.startswith(side)), key=lambda name: found[name], default=None)


def in_turns(made: dict[str, Callable[[], float]], rounds: int, failed: dict[str, str]) -> dict[str, float]:
    """Medians of what takes part, measured in turns; what fails on the way is left out."""
    times: dict[str, list[float]] = {name: [] for name in made}
    for _ in range(rounds):
        for name, measured in made.items():
            with told(name, failed):
                times[name].append(measured())
    return {name: statistics.median(values) for name, values in times.items() if len(values) == rounds}


def compared(
    gpus: dict[str, Device], torch: Any, shape: tuple[int, int, int, int], options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """The figures of one shape, every time that there are more of them: what follows may fail, or take too long."""
    H, B, T, _ = shape
    made, failed = contenders(gpus, torch, shape, options.seconds)
    found = in_turns(made, options.rounds, failed)

    def figures() -> dict[str, Any]:
        rates = {name: B * T / seconds for name, seconds in found.items()}
        names = {"ours": best(found, "chargru"), "theirs": best(found, "torch")}
        return {"shape": shape, "rates": rates, "failed": failed, **names, **steps_of}

    steps_of: dict[str, Any] = {}
    yield figures()
    quickest = best(found, "torch")
    if options.compile and quickest:
        with told(f"{quickest} compiled", failed) as name:
            made = {name: theirs(torch, shape, quickest.removeprefix("torch "), True, options.seconds)}
            found |= in_turns(made, options.rounds, failed)
        yield figures()
    made.clear()
    for gpu in gpus.values():
        with told("the memory", failed):
            gpu.free_pool()
    if torch is not None:
        torch.cuda.empty_cache()
    if our := best(found, "chargru"):
        _, variant, precision = our.split()
        with told("a step", failed):
            forward, back = steps(gpus[precision], shape, variant, options.seconds / 4)
            floor = max(LEAST, 12.0 * B * H * H / measure(gpus[precision]).products)
            steps_of |= {"forward": forward, "back": back, "floor": floor}
    if "bf16" in gpus:
        with told("a step by tile", failed):
            steps_of["tiles"] = by_tile(gpus["bf16"], shape, options.seconds / 20)
    yield figures()


def row(each: dict[str, Any]) -> tuple[str, ...]:
    """A shape's figures for people."""
    (H, _, _, L), rates, our, their = each["shape"], each["rates"], each["ours"], each["theirs"]
    step = [f"{1e6 * each[name]:.1f}" for name in ("forward", "back", "floor") if name in each]
    return (
        gpu_shapes.shape(*each["shape"]),
        f"{rates[our] / 1e3:,.0f} ({our.removeprefix('chargru ')})" if our else "failed",
        f"{rates[their] / 1e3:,.0f} ({their.removeprefix('torch ')})" if their else "not run",
        f"**{rates[our] / rates[their]:.2f}×**" if our and their else "",
        "{} + {}, floor {}".format(*step) if step else "",
        f"{rates[our] * flops_per_character(H, L, V) / 1e12:.1f}" if our else "",
    )


def main() -> None:
    parser = arguments(__doc__, 0.12)
    parser.add_argument("--compile", action="store_true", help="torch.compile too; takes half a minute a shape")
    parser.add_argument("--shapes", type=int, default=len(SHAPES), help="so many of the shapes")
    options = parser.parse_args()
    gpus, torch = {"float32": device()}, peer()
    with contextlib.suppress(BackendError):  # an older GPU has no tensor cores that we know
        gpus |= {precision: Device.cupy(precision) for precision in ("tf32", "bf16")}
    print(f"{machine(gpus['float32'])}; medians of {options.rounds} rounds\n")
    begin, known = time.monotonic(), []
    for shape in SHAPES[: options.shapes]:
        if time.monotonic() - begin > options.limit:
            break
        known.append({})
        for figures in compared(gpus, torch, shape, options):
            known[-1] = figures
            write(options.json, known)
        print(f"{row(known[-1])} {known[-1]['failed'] or ''}", flush=True)
    print()
    header = ("shape", "chargru, k ch/s", "torch, k ch/s", "ratio", "µs a step of a layer", "TF/s")
    print_table(header, [row(each) for each in known])


if __name__ == "__main__":
    main()
