"""Nobody let in: hand-made malformed files are refused in one clear line, within bounds of memory."""

from __future__ import annotations

import io
import json
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chargru.config import ModelConfig
from chargru.engine.parameters import parameter_shapes
from chargru.errors import CheckpointError
from chargru.storage.checkpoint import load, peek
from chargru.storage.safetensors_guard import HEADER_LIMIT

from .samples import Parts, altered, frame, make_checkpoint, rearranged, same, saved_bytes

Build = Callable[[bytes], bytes]
MEMORY = 64 << 20  # bytes; a megabyte of nested JSON takes most of it, the claims below would take gigabytes


def set_meta(*path: Any, value: Any) -> Build:
    """The metadata with one value replaced (or put in), and a right hash."""

    def change(parts: Parts) -> None:
        table = parts.meta
        for name in path[:-1]:
            table = table[name]
        table[path[-1]] = value

    return altered(change)


def set_entry(value: Any, *path: Any, name: str = "adam_m") -> Build:
    """A tensor's entry in the header with one value replaced; the hash stays, for the header is no part of it."""

    def build(data: bytes) -> bytes:
        parts = Parts(data)
        table = parts.header[name]
        for each in path[:-1]:
            table = table[each]
        table[path[-1]] = value
        return parts.join()

    return build


def parts_to(build: Callable[[Parts], bytes]) -> Build:
    return lambda data: build(Parts(data))


def raw_meta(change: Callable[[str], str]) -> Build:
    """The metadata's text changed as text."""
    return parts_to(lambda parts: parts.join(meta_text=change(json.dumps(parts.meta))))


def raw_header(change: Callable[[str], str]) -> Build:
    """The header's text changed as text."""
    return parts_to(lambda parts: parts.join(header_text=change(json.dumps(parts.header))))


def put(name: str, bad: float) -> Build:
    def change(parts: Parts) -> None:
        array = parts.tensor(name)
        array.reshape(-1)[-1] = bad
        parts.put(name, array)

    return altered(change)


def swap_moments(data: bytes) -> bytes:
    parts = Parts(data)
    first, second = parts.tensor("adam_m"), parts.tensor("adam_v")
    parts.put("adam_m", second)
    parts.put("adam_v", first)
    return parts.join()


def rename(old: str, new: str) -> Build:
    return altered(lambda parts: parts.header.update({new: parts.header.pop(old)}))


def without(name: str) -> Build:
    """A tensor left out, with its bytes, all else moved together."""

    def change(parts: Parts) -> None:
        start, stop = parts.header.pop(name)["data_offsets"]
        parts.body = parts.body[:start] + parts.body[stop:]
        for entry in parts.header.values():
            if "data_offsets" in entry and entry["data_offsets"][0] >= stop:
                entry["data_offsets"] = [each - (stop - start) for each in entry["data_offsets"]]

    return altered(change)


def one_more(parts: Parts) -> None:
    end = len(parts.body)
    parts.header["extra"] = {"dtype": "F32", "shape": [1], "data_offsets": [end, end + 4]}
    parts.body += bytes(4)


def many_empty(count: int) -> Build:
    def change(parts: Parts) -> None:
        end = len(parts.body)
        parts.header |= {
            f"e{number}": {"dtype": "F32", "shape": [0], "data_offsets": [end, end]} for number in range(count)
        }

    return altered(change)


def overlapping(data: bytes) -> bytes:
    parts = Parts(data)
    parts.header["adam_v"]["data_offsets"] = parts.header["adam_m"]["data_offsets"]
    return parts.join()


def gap(parts: Parts) -> None:
    for entry in parts.header.values():
        if "data_offsets" in entry:
            entry["data_offsets"] = [each + 4 for each in entry["data_offsets"]]
    parts.body = bytes(4) + parts.body


def giant(parts: Parts) -> None:
    """A model of gigabytes, described consistently, in a file of kilobytes."""
    model = ModelConfig(vocab_size=len(parts.meta["code_point_gaps"]), hidden_size=8192, num_layers=6)
    shapes = parameter_shapes(model)
    count = sum(int(np.prod(shape)) for shape in shapes.values())
    parts.meta["model"] = model.to_dict()
    named = {f"{group}.{name}": list(shape) for group in ("weights", "averaged") for name, shape in shapes.items()}
    rearranged(parts, {**named, "adam_m": [count], "adam_v": [count], "state": [6, 2, 8192]})


def doubled(parts: Parts) -> None:
    """float64 tensors where the settings say float32."""
    tensors = {name: parts.tensor(name).astype("<f8") for name in sorted(set(parts.header) - {"__metadata__"})}
    rearranged(parts, {name: list(array.shape) for name, array in tensors.items()}, "F64")
    parts.body = b"".join(array.tobytes() for array in tensors.values())


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("weights.npy", bytes(1000))
    return buffer.getvalue()


MALFORMED: dict[str, Build] = {
    # not such a file at all
    "empty": lambda _: b"",
    "seven bytes": lambda _: bytes(7),
    "eight bytes": lambda _: bytes(8),
    "header of no bytes": lambda _: bytes(100),
    "pickle": lambda _: pickle.dumps({"weights": [0.5] * 100}),
    "zip, as npz and torch write": lambda _: zipped(),
    "text": lambda _: b"Alice was beginning to get very tired of sitting by her sister on the bank. " * 10,
    "json": lambda _: json.dumps({"weights": [0.5] * 100}).encode(),
    # cut off, or with something more
    "last byte missing": lambda data: data[:-1],
    "one byte more": lambda data: data + b"\0",
    "half": lambda data: data[: len(data) // 2],
    "header only": lambda data: data[: 8 + int.from_bytes(data[:8], "little")],
    "cut in the header": lambda data: data[:100],
    "twice": lambda data: data * 2,
    "zeros after a power cut": lambda data: data[: len(data) // 4] + bytes(len(data) - len(data) // 4),
    "zero numbers after a power cut": lambda data: data[:-500] + bytes(500),
    "all zeros": lambda data: bytes(len(data)),
    # the header's length
    "length of the whole address space": lambda data: b"\xff" * 8 + data[8:],
    "length one over the limit": lambda _: frame(b"{}".ljust(HEADER_LIMIT + 1)),
    "length over the file": lambda data: (len(data) - 7).to_bytes(8, "little") + data[8:],
    "length one too small": lambda data: (int.from_bytes(data[:8], "little") - 1).to_bytes(8, "little") + data[8:],
    "length big-endian": lambda data: data[:8][::-1] + data[8:],
    # the header as JSON
    "not UTF-8": lambda _: frame(b'{"\xff\xfe":1}'),
    "UTF-16": lambda data: frame(Parts(data).join()[8:].decode("latin-1").encode("utf-16")),
    "a list": lambda _: frame(b"[1, 2, 3]"),
    "a number": lambda _: frame(b"1234567890"),
    "white space first": raw_header(lambda text: " " + text),
    "nothing but an object": lambda _: frame(b"{}"),
    "a name twice": raw_header(lambda text: text[:-1] + ', "adam_m": 1}'),
    "a key twice in an entry": raw_header(
        lambda text: text.replace('"dtype": "F32"', '"dtype": "F32", "dtype": "F32"', 1)
    ),
    "nested lists": lambda _: frame(b'{"a":' + b"[" * 500_000),
    "nested objects": lambda _: frame(b'{"a":' * 150_000),
    "many small objects": lambda _: frame(b'{"a":[' + b"{}," * 50_000 + b"{}]}"),
    "NaN": raw_header(lambda text: text.replace("[0,", "[NaN,", 1)),
    "Infinity": raw_header(lambda text: text.replace("[0,", "[Infinity,", 1)),
    "a number of 5,000 digits": raw_header(lambda text: text.replace("[0,", f"[{'9' * 5000},", 1)),
    "a number too large for a float": raw_header(lambda text: text.replace("[0,", "[1e999,", 1)),
    # the tensors in the header
    "65 tensors": many_empty(65),
    "2,000 tensors": many_empty(2_000),
    "one tensor more": altered(one_more),
    "an empty tensor more": many_empty(1),
    "a tensor missing": without("adam_v"),
    "a weight missing": without("weights.output.b_y"),
    "a tensor renamed": rename("weights.layers.0.b", "weights.layers.0.bias"),
    "a layer more than the model has": rename("weights.layers.0.b", "weights.layers.1.b"),
    "an entry that is a list": parts_to(lambda parts: (parts.header.update(adam_m=[1]), parts.join())[1]),
    "an entry that is null": parts_to(lambda parts: (parts.header.update(adam_m=None), parts.join())[1]),
    "an entry without dtype": parts_to(lambda parts: (parts.header["adam_m"].pop("dtype"), parts.join())[1]),
    "an entry with a comment": set_entry("hello", "comment"),
    "dtype I64": set_entry("I64", "dtype"),
    "dtype BF16": set_entry("BF16", "dtype"),
    "dtype a list": set_entry(["F32"], "dtype"),
    "dtype F64 with the same bytes": set_entry("F64", "dtype"),
    "a negative size": set_entry([-1], "shape"),
    "a size that is true": set_entry(True, "shape", 0, name="state"),
    "a size that is a float": set_entry(1.0, "shape", 0, name="state"),
    "a size that is a text": set_entry(["3"], "shape"),
    "a shape that is a number": set_entry(3, "shape"),
    "a shape of a thousand ones": set_entry([1] * 1000, "shape"),
    "sizes whose product overflows 64 bits": set_entry([2**32, 2**32, 2**32, 2**32], "shape"),
    "a shape turned": set_entry([7, 3], "shape", name="weights.output.W_y"),
    "a dimension more": set_entry([1, 3, 7], "shape", name="weights.output.W_y"),
    "a range backwards": parts_to(lambda parts: (parts.header["adam_m"]["data_offsets"].reverse(), parts.join())[1]),
    "a range of three": set_entry([0, 4, 8], "data_offsets"),
    "a range of texts": set_entry(["0", "4"], "data_offsets"),
    "a range below zero": set_entry([-4, 0], "data_offsets"),
    "a range beyond the file": set_entry([1 << 31, (1 << 31) + 4], "data_offsets"),
    "two tensors in one place": overlapping,
    "a gap before the first tensor": altered(gap),
    "a model of gigabytes": altered(giant),
    # the metadata
    "no metadata": parts_to(lambda parts: frame(json.dumps({**parts.header, "__metadata__": {}}).encode(), parts.body)),
    "metadata of another program": parts_to(
        lambda parts: frame(json.dumps({**parts.header, "__metadata__": {"format": "pt"}}).encode(), parts.body)
    ),
    "metadata that are a list": parts_to(
        lambda parts: frame(json.dumps({**parts.header, "__metadata__": ["chargru"]}).encode(), parts.body)
    ),
    "metadata that are an object": parts_to(
        lambda parts: frame(json.dumps({**parts.header, "__metadata__": {"chargru": {}}}).encode(), parts.body)
    ),
    "metadata of two programs": parts_to(
        lambda parts: frame(
            json.dumps({**parts.header, "__metadata__": {"chargru": json.dumps(parts.meta), "format": "pt"}}).encode(),
            parts.body,
        )
    ),
    "our text is empty": raw_meta(lambda _: ""),
    "our text is no JSON": raw_meta(lambda text: text[:-1]),
    "our text is a list": raw_meta(lambda _: "[]"),
    "our text is null": raw_meta(lambda _: "null"),
    "our text is nested": raw_meta(lambda _: "[" * 200_000),
    "a field twice": raw_meta(lambda text: text[:-1] + ', "step": 3}'),
    "a setting twice": raw_meta(lambda text: text.replace('"hidden_size"', '"hidden_size": 3, "hidden_size"', 1)),
    "NaN in our text": raw_meta(lambda text: text.replace('"seconds": 0', '"seconds": NaN, "x": 0', 1)),
    "another format": set_meta("format", value="tales"),
    "a later version": set_meta("version", value=2),
    "a field more": set_meta("comment", value="hello"),
    "a field missing": altered(lambda parts: parts.meta.pop("position")),
    # the settings
    "model is a list": set_meta("model", value=[]),
    "an unknown setting": set_meta("model", "kernel_size", value=3),
    "no units": set_meta("model", "hidden_size", value=0),
    "a billion units": set_meta("model", "hidden_size", value=10**9),
    "a number of units of 400 digits": set_meta("model", "hidden_size", value=10**400),
    "units as text": set_meta("model", "hidden_size", value="3"),
    "units as a float": set_meta("model", "hidden_size", value=3.0),
    "units as a list": set_meta("model", "hidden_size", value=[3]),
    "another number of units": set_meta("model", "hidden_size", value=4),
    "layers as true": set_meta("model", "num_layers", value=True),
    "seven layers": set_meta("model", "num_layers", value=7),
    "two budgets": set_meta("training", "time", value=60.0),
    "no budget": set_meta("training", "steps", value=None),
    "a learning rate of nothing": set_meta("training", "learning_rate", value=None),
    "another batch size": set_meta("training", "batch_size", value=3),
    "float16": set_meta("training", "dtype", value="float16"),
    "float64 with float32 tensors": set_meta("training", "dtype", value="float64"),
    "float32 with float64 tensors": altered(doubled),
    # the vocabulary
    "a vocabulary of another size": altered(lambda parts: parts.meta["code_point_gaps"].append(1)),
    "an empty vocabulary": set_meta("code_point_gaps", value=[]),
    "a character twice": set_meta("code_point_gaps", 2, value=0),
    "characters out of order": set_meta("code_point_gaps", 2, value=-1),
    "a code point below zero": set_meta("code_point_gaps", 0, value=-1),
    "a code point beyond Unicode": set_meta("code_point_gaps", -1, value=0x110000),
    "a code point of 60 digits": set_meta("code_point_gaps", -1, value=10**60),
    "a surrogate": altered(lambda parts: parts.meta.update(code_point_gaps=[0xD800, 1, 1, 1, 1, 1, 1])),
    "a code point that is true": set_meta("code_point_gaps", 1, value=True),
    "a code point that is a float": set_meta("code_point_gaps", 1, value=5.0),
    "a code point that is a letter": set_meta("code_point_gaps", 1, value="a"),
    "a vocabulary that is a text": set_meta("code_point_gaps", value="\n abzxy"),
    # the other fields
    "a step below zero": set_meta("step", value=-1),
    "a step that is a float": set_meta("step", value=3.5),
    "a step that is true": set_meta("step", value=True),
    "a step beyond all bounds": set_meta("step", value=10**30),
    "a position that is a text": set_meta("position", value="24"),
    "seconds below zero": set_meta("seconds", value=-0.5),
    "seconds without end": raw_meta(lambda text: text.replace('"seconds": 0', '"seconds": 1e999, "x": 0', 1)),
    "a loss that is a text": set_meta("val_loss", value="low"),
    "a loss that is a list": set_meta("best_loss", value=[1.5]),
    "a scale that is null": set_meta("lr_scale", value=None),
    "a time that is a number": set_meta("created", value=0),
    "a time of a million characters": set_meta("created", value="1" * 9000),
    "corpus is a text": set_meta("corpus", value="tales"),
    "corpus without a name": altered(lambda parts: parts.meta["corpus"].pop("name")),
    "corpus with a field more": set_meta("corpus", "licence", value="none"),
    "corpus with a negative size": set_meta("corpus", "characters", value=-5),
    "corpus whose name is a list": set_meta("corpus", "name", value=["a"]),
    "a history that is an object": set_meta("history", value={}),
    "a history too long": set_meta("history", value=[{}] * 257),
    "a history of numbers": set_meta("history", value=[1, 2, 3]),
    "a history of nested records": set_meta("history", value=[{"loss": {"a": 1}}]),
    "a history with a huge record": set_meta("history", value=[{str(number): 1 for number in range(65)}]),
    # the numbers
    "NaN in the weights": put("weights.layers.0.U_h", np.nan),
    "infinity in the average": put("averaged.output.b_y", np.inf),
    "minus infinity in a moment": put("adam_v", -np.inf),
    "NaN in the state": put("state", np.nan),
    "one bit of the last number": lambda data: data[:-4] + bytes([data[-4] ^ 1]) + data[-3:],
    "the two moments exchanged": swap_moments,
    # the hash
    "no hash": parts_to(lambda parts: (parts.meta.pop("sha256"), parts.join())[1]),
    "a hash that is a number": parts_to(lambda parts: (parts.meta.update(sha256=5), parts.join())[1]),
    "an empty hash": parts_to(lambda parts: (parts.meta.update(sha256=""), parts.join())[1]),
    "a hash in Korean": parts_to(lambda parts: (parts.meta.update(sha256="한" * 64), parts.join())[1]),
    "a hash with a surrogate": parts_to(lambda parts: (parts.meta.update(sha256="\ud800" * 64), parts.join())[1]),
    "a hash of something else": parts_to(lambda parts: (parts.meta.update(sha256="0" * 64), parts.join())[1]),
    "another step under the old hash": parts_to(lambda parts: (parts.meta.update(step=4), parts.join())[1]),
    "another corpus under the old hash": parts_to(
        lambda parts: (parts.meta["corpus"].update(name="other"), parts.join())[1]
    ),
}
# what only the hash or the numbers themselves show; a look at the header cannot
BEYOND_THE_HEADER = {
    "zero numbers after a power cut", "NaN in the weights", "infinity in the average", "minus infinity in a moment",
    "NaN in the state", "one bit of the last number", "the two moments exchanged", "an empty hash", "a hash in Korean",
    "a hash with a surrogate", "a hash of something else", "another step under the old hash",
    "another corpus under the old hash",
}  # fmt: skip


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return saved_bytes(tmp_path_factory.mktemp("original"))


def test_there_are_enough_of_them_and_they_differ(original: bytes) -> None:
    built = {build(original) for build in MALFORMED.values()}
    assert len(built) == len(MALFORMED) >= 40
    assert original not in built


def test_taking_a_file_apart_and_together_again_changes_nothing(original: bytes, tmp_path: Path) -> None:
    """Else the malformed files would be refused for a reason of their own."""
    (tmp_path / "file").write_bytes(altered(lambda _: None)(original))
    assert same(load(tmp_path / "file"), make_checkpoint())


@pytest.mark.usefixtures("no_hanging")
@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_one_clear_line(name: str, original: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.safetensors"
    path.write_bytes(MALFORMED[name](original))
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError) as raised:
            load(path)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
        if name in BEYOND_THE_HEADER:
            peek(path)
        else:
            with pytest.raises(CheckpointError):
                peek(path)
    finally:
        tracemalloc.stop()
    error = raised.value
    assert str(path) in error.message
    assert error.message.isprintable()
    assert len(error.message) < len(str(path)) + 300
    assert error.hint
