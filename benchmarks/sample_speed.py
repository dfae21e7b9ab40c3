"""Microseconds a character when sampling, against onnxruntime's GRU graph and a torch loop that step as we do.

    python benchmarks/sample_speed.py [--rounds 9] [--steps 1500]

All contenders have the same weights and read one character at a time; what they give for the next one is compared
before anything is timed. Theirs is the same cell where they have it (onnxruntime: `linear_before_reset=0`, z
mirrored); torch's nn.GRU applies the reset after the product, so it is only timed. Every step feeds the likeliest
character back, the same cheap choice for all; the last column is ours with a real draw (temperature 0.8), as in
`chargru sample`. Each has the number of threads, 1 or all, that is quicker for it. Contenders take turns; figures are
medians.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from common import machine, medians, print_table
from threadpoolctl import threadpool_limits

from chargru.config import ModelConfig, SamplingConfig
from chargru.engine import Parameters, Stepper, allow_companion, available_cores, draw

try:
    import torch
except ImportError:
    torch = None
try:
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except ImportError:
    onnx = None

V = 65
SHAPES = [(256, 1), (256, 2), (512, 1), (512, 2)]
Step = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float32]]


def ours(parameters: Parameters, rows: int) -> Step:
    return Stepper(parameters, rows).step


def graph(parameters: Parameters, rows: int) -> bytes:
    """ids (1, rows) and states → logits (rows, V) and states: a row gather, GRUs, a product."""
    H, L = parameters.config.hidden_size, parameters.config.num_layers
    nodes, constants = [], {"one_hot": np.eye(V, dtype=np.float32)}
    nodes.append(helper.make_node("Gather", ["one_hot", "ids"], ["x0"]))
    for i in range(L):
        W, U_zr, U_h, b = (parameters[f"layers.{i}.{name}"].copy() for name in ("W", "U_zr", "U_h", "b"))
        W[:, :H] *= -1  # ONNX keeps with z where Cho's equations update with it
        U_zr[:, :H] *= -1
        b[:H] *= -1
        constants[f"W{i}"] = W.T[None]
        constants[f"R{i}"] = np.concatenate([U_zr, U_h], axis=1).T[None]
        constants[f"B{i}"] = np.concatenate([b, np.zeros_like(b)])[None]
        inputs = [f"x{i}", f"W{i}", f"R{i}", f"B{i}", "", f"h{i}"]
        nodes.append(helper.make_node("GRU", inputs, [f"y{i}", f"n{i}"], hidden_size=H, linear_before_reset=0))
        nodes.append(helper.make_node("Squeeze", [f"y{i}", "one"], [f"x{i + 1}"]))
    constants |= {"one": np.array([1]), "zero": np.array([0])}
    constants |= {"W_y": parameters["output.W_y"], "b_y": parameters["output.b_y"]}
    nodes.append(helper.make_node("Squeeze", [f"x{L}", "zero"], ["top"]))
    nodes.append(helper.make_node("Gemm", ["top", "W_y", "b_y"], ["logits"]))
    state = [1, rows, H]
    onnx_graph = helper.make_graph(
        nodes,
        "chargru",
        [
            helper.make_tensor_value_info("ids", TensorProto.INT64, [1, rows]),
            *(helper.make_tensor_value_info(f"h{i}", TensorProto.FLOAT, state) for i in range(L)),
        ],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, [rows, V]),
            *(helper.make_tensor_value_info(f"n{i}", TensorProto.FLOAT, state) for i in range(L)),
        ],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in constants.items()],
    )
    model = helper.make_model(onnx_graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def by_onnxruntime(parameters: Parameters, rows: int, threads: int) -> Step:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(graph(parameters, rows), options, providers=["CPUExecutionProvider"])
    H, L = parameters.config.hidden_size, parameters.config.num_layers
    state = {f"h{i}": np.zeros((1, rows, H), np.float32) for i in range(L)}

    def step(ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        logits, *states = session.run(None, {"ids": ids[None], **state})
        state.update({f"h{i}": each for i, each in enumerate(states)})
        return logits

    return step


def by_torch(parameters: Parameters, rows: int, threads: int) -> Step:
    H, L = parameters.config.hidden_size, parameters.config.num_layers
    embedding, gru, linear = torch.nn.Embedding(V, H), torch.nn.GRU(H, H, L), torch.nn.Linear(H, V)
    state = torch.zeros(L, rows, H)

    @torch.inference_mode()
    def step(ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        nonlocal state
        torch.set_num_threads(threads)
        hidden, state = gru(embedding(torch.from_numpy(ids)[None]), state)
        return linear(hidden[0]).numpy()

    return step


def timed(step: Step, rows: int, steps: int, choose: Callable[..., npt.NDArray[np.int64]]) -> Callable[[], float]:
    """Microseconds a step: the median of `steps`, one after the other, each fed with what `choose` takes."""
    ids = np.zeros(rows, np.int64)
    for _ in range(20):
        ids = choose(step(ids))

    def measure() -> float:
        nonlocal ids
        times = np.empty(steps)
        with threadpool_limits(1, user_api="blas"):
            for i in range(steps):
                start = time.perf_counter()
                ids = choose(step(ids))
                times[i] = time.perf_counter() - start
        return float(np.median(times)) * 1e6

    return measure


def agree(one: Step, other: Step, rows: int) -> None:
    """Both give the same logits for the same characters."""
    for ids in np.random.default_rng(0).integers(0, V, (50, rows)):
        np.testing.assert_allclose(one(ids), other(ids), rtol=0, atol=1e-4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    allow_companion()  # as `chargru sample` does
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=1500, help="of one round of one contender")
    options = parser.parse_args()
    print(f"{machine()}\nmicroseconds a step; medians of {options.rounds} rounds of {options.steps} steps\n")
    sampling, rng = SamplingConfig(temperature=0.8), np.random.default_rng(1)
    rows_of_table = []
    for rows in (1, 8):
        for H, L in SHAPES:
            parameters = Parameters.initial(ModelConfig(vocab_size=V, hidden_size=H, num_layers=L), 1)
            contenders = {"chargru": timed(ours(parameters, rows), rows, options.steps, likeliest)}
            for threads in (1, available_cores()):
                if onnx is not None:
                    agree(ours(parameters, rows), by_onnxruntime(parameters, rows, threads), rows)
                    step = by_onnxruntime(parameters, rows, threads)
                    contenders[f"onnxruntime {threads}"] = timed(step, rows, options.steps, likeliest)
                if torch is not None:
                    step = by_torch(parameters, rows, threads)
                    contenders[f"torch {threads}"] = timed(step, rows, options.steps, likeliest)
            drawn = timed(ours(parameters, rows), rows, options.steps, lambda logits: draw(logits, sampling, rng))
            found = medians(contenders | {"drawn": drawn}, options.rounds)
            line = [f"H{H} L{L}", str(rows), f"{found['chargru']:.1f}"]
            for peer in ("onnxruntime", "torch"):
                best = min((value for name, value in found.items() if name.startswith(peer)), default=None)
                line += [f"{best:.1f}", f"**{best / found['chargru']:.2f}×**"] if best else ["not installed", ""]
            rows_of_table.append((*line, f"{found['drawn']:.1f}"))
    print_table(("units", "rows", "chargru", "onnxruntime", "ratio", "torch", "ratio", "chargru, drawn"), rows_of_table)


def likeliest(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    return logits.argmax(axis=1)


if __name__ == "__main__":
    main()
