"""Writes machine-independent code of vectors: the few words of LLVM's language that the compiled kernels are made of.

A vector has 16 numbers of 32 bits: one register with AVX-512, two with AVX2, four with NEON; LLVM sees to that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir

from chargru.engine.fused.sequence import LANES

NUMBER = ir.FloatType()
COUNT = ir.IntType(64)
VECTOR = ir.VectorType(NUMBER, LANES)
ARRAY = NUMBER.as_pointer()
IDS = COUNT.as_pointer()

# tanh as an odd polynomial over an even one, within a few units in the last place of float32; beyond ±`_SATURATED` it
# is ±1 to that precision. The coefficients are those in wide use for it (Eigen and XLA have the same).
_SATURATED = 7.90531110763549805
_NUMERATOR = (
    4.89352455891786e-03,
    6.37261928875436e-04,
    1.48572235717979e-05,
    5.12229709037114e-08,
    -8.60467152213735e-11,
    2.00018790482477e-13,
    -2.76076847742355e-16,
)
_DENOMINATOR = (4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04, 1.19825839466702e-06)

# eˣ = 2ⁿ eʳ with |r| ≤ ½ ln 2, and eʳ = 1 + r + r² · this, within a unit in the last place (coefficients of Cephes);
# below `_VANISHED` it is 0, where it would be no normal number
_VANISHED = -87.0
_EXPONENTIAL = (
    5.0000001201e-1,
    1.6666665459e-1,
    4.1665795894e-2,
    8.3334519073e-3,
    1.3981999507e-3,
    1.9875691500e-4,
)
_LN2 = (0.693359375, -2.12194440e-4)  # in two parts, the first exact
_BIAS, _FRACTION = 127, 23  # of a float32: its exponent, and the bits below it

Value = Any  # of llvmlite, which has no types
Offset = Any  # a Value or a number


class Writer:
    """Writes one function without a result.

    `arguments` are its parameters; arrays are known not to overlap, and but for `shared` ones nobody else writes them
    meanwhile. Offsets count numbers, not bytes.
    """

    def __init__(
        self, module: Any, name: str, parameters: Sequence[Any], *, internal: bool = False, shared: bool = False
    ) -> None:
        self.module = module
        self.function = ir.Function(module, ir.FunctionType(ir.VoidType(), parameters), name)
        if internal:
            self.function.linkage = "internal"
            self.function.attributes.add("noinline")
        for each in self.function.args:
            if isinstance(each.type, ir.PointerType) and not shared:
                each.add_attribute("noalias")
        self.arguments = self.function.args
        self.code = ir.IRBuilder(self.function.append_basic_block())

    def add(self, a: Offset, b: Offset) -> Offset:
        """a + b, at once where both are known."""
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        return b if a == 0 else a if b == 0 else self.code.add(whole(a), whole(b))

    def times(self, a: Offset, b: Offset) -> Offset:
        """a · b, at once where both are known."""
        if isinstance(a, int) and isinstance(b, int):
            return a * b
        return self.code.mul(whole(a), whole(b))

    def at(self, array: Value, offset: Offset) -> Value:
        """The array that begins so much further on."""
        return self.code.gep(array, [whole(offset)])

    def load(self, array: Value, offset: Offset) -> Value:
        """A vector from an array."""
        found = self.code.load(self.code.bitcast(self.at(array, offset), VECTOR.as_pointer()))
        found.align = 4
        return found

    def store(self, vector: Value, array: Value, offset: Offset) -> None:
        """A vector into an array."""
        self.code.store(vector, self.code.bitcast(self.at(array, offset), VECTOR.as_pointer())).align = 4

    def count(self, ids: Value, offset: Offset) -> Value:
        """A whole number from an array of them."""
        return self.code.load(self.at(ids, offset))

    def read_shared(self, ids: Value, offset: Offset) -> Value:
        """A whole number that another thread may have written; what that wrote before it can be read after this."""
        return self.code.load_atomic(self.at(ids, offset), "acquire", 8)

    def write_shared(self, value: Offset, ids: Value, offset: Offset) -> None:
        """A whole number for another thread, which then finds all that was written before it."""
        self.code.store_atomic(whole(value), self.at(ids, offset), "release", 8)

    def swap(self, ids: Value, offset: Offset, before: int, after: int) -> Value:
        """Whether a whole number was `before`; it then becomes `after`, whoever else looks at it."""
        found = self.code.cmpxchg(self.at(ids, offset), whole(before), whole(after), "acq_rel", "acquire")
        return self.code.extract_value(found, 1)

    def wait(self, done: Callable[[], Value], most: Offset | None = None) -> None:
        """Ask again and again until it is `done`, or `most` times."""
        code, before = self.code, self.code.block
        turn, after = self.function.append_basic_block(), self.function.append_basic_block()
        code.branch(turn)
        code.position_at_end(turn)
        count = code.phi(COUNT)
        count.add_incoming(whole(0), before)
        if "x86" in self.module.triple:
            self.code.call(self._function("llvm.x86.sse2.pause", ir.VoidType()), [])
        further, end = code.add(count, whole(1)), done()
        if most is not None:
            end = code.or_(end, code.icmp_signed(">=", further, whole(most)))
        count.add_incoming(further, code.block)
        code.cbranch(end, after, turn)
        code.position_at_end(after)

    def spread(self, array: Value, offset: Offset) -> Value:
        """One number of an array in every place of a vector."""
        number, nothing = self.code.load(self.at(array, offset)), ir.Constant(VECTOR, ir.Undefined)
        first = ir.Constant(ir.IntType(32), 0)
        places = ir.Constant(ir.VectorType(ir.IntType(32), LANES), None)
        return self.code.shuffle_vector(self.code.insert_element(nothing, number, first), nothing, places)

    def index(self, place: int) -> Value:
        """A place in a vector."""
        return ir.Constant(ir.IntType(32), place)

    def number(self, value: float) -> Value:
        """A known number in every place of a vector."""
        return ir.Constant(VECTOR, [float(np.float32(value))] * LANES)

    def multiply_add(self, a: Value, b: Value, c: Value) -> Value:
        """a ⊙ b + c in one step, rounded once."""
        return self._of_vectors("fma", a, b, c)

    def square_root(self, x: Value) -> Value:
        """√ of each number."""
        return self._of_vectors("sqrt", x)

    def tanh(self, x: Value) -> Value:
        """tanh of each number; what is not a number stays so."""
        code, limit = self.code, self.number(_SATURATED)
        x = code.select(code.fcmp_unordered("<", x, limit), x, limit)
        x = code.select(code.fcmp_unordered(">", x, self.number(-_SATURATED)), x, self.number(-_SATURATED))
        squared = code.fmul(x, x)
        return code.fdiv(code.fmul(x, self._polynomial(_NUMERATOR, squared)), self._polynomial(_DENOMINATOR, squared))

    def sigmoid_of_twice(self, x: Value) -> Value:
        """σ(2x) = ½ + ½ tanh x."""
        half = self.number(0.5)
        return self.multiply_add(self.tanh(x), half, half)

    def exponential(self, x: Value) -> Value:
        """eˣ of numbers that are not positive; what is not a number stays so."""
        code, whole_numbers = self.code, ir.VectorType(ir.IntType(32), LANES)
        vanished = code.fcmp_ordered("<", x, self.number(_VANISHED))
        near = code.select(code.fcmp_ordered(">", x, self.number(_VANISHED)), x, self.number(_VANISHED))
        scaled = code.fsub(code.fmul(near, self.number(1 / np.log(2))), self.number(0.5))
        n = code.fptosi(scaled, whole_numbers)  # towards 0: the nearest, since x is not positive
        power, r = code.sitofp(n, VECTOR), x
        for part in _LN2:
            r = self.multiply_add(power, self.number(-part), r)
        of_r = self.multiply_add(self._polynomial(_EXPONENTIAL, r), code.fmul(r, r), code.fadd(r, self.number(1)))
        bits = [ir.Constant(whole_numbers, [each] * LANES) for each in (_BIAS, _FRACTION)]
        power = code.bitcast(code.shl(code.add(n, bits[0]), bits[1]), VECTOR)
        return code.select(vanished, self.number(0), code.fmul(of_r, power))

    def across(self, vector: Value, combine: Callable[[Value, Value], Value]) -> Value:
        """What `combine` makes of all 16 numbers, in every place."""
        step = LANES // 2
        while step:
            places = [(place + step) % LANES for place in range(LANES)]
            turned = self.code.shuffle_vector(vector, vector, ir.Constant(ir.VectorType(ir.IntType(32), LANES), places))
            vector, step = combine(vector, turned), step // 2
        return vector

    def larger(self, a: Value, b: Value) -> Value:
        """The larger of each two numbers."""
        return self.code.select(self.code.fcmp_ordered(">", a, b), a, b)

    def loop(
        self, count: Offset, step: int, body: Callable[[Value, list[Value]], Sequence[Value]], carried: Sequence[Value]
    ) -> list[Value]:
        """`body(i, values)` for i = 0, step, .. below `count`, at least once; it gives the values of the next turn.

        The result is what the last turn gave.
        """
        code, before = self.code, self.code.block
        turn, after = self.function.append_basic_block(), self.function.append_basic_block()
        code.branch(turn)
        code.position_at_end(turn)
        i = code.phi(COUNT)
        i.add_incoming(whole(0), before)
        values = [code.phi(each.type) for each in carried]
        for value, first in zip(values, carried, strict=True):
            value.add_incoming(first, before)
        following = list(body(i, values))
        further = code.add(i, whole(step))
        for value, after_turn in zip([i, *values], [further, *following], strict=True):
            value.add_incoming(after_turn, code.block)
        code.cbranch(code.icmp_signed("<", further, whole(count)), turn, after)
        code.position_at_end(after)
        return following

    def accumulate(
        self,
        left: Value,
        strides: tuple[int, int],
        right: Value,
        count: Offset,
        out: Value,
        shape: tuple[int, Offset],
        unrolled: int,
    ) -> None:
        """A few rows of 16 numbers in `out` grow by as many rows of `left` (rows, count) times `right` (count, 16).

        The numbers of `left` lie `strides` apart, from row to row and along; `right` lies in one piece; `shape` is how
        many rows there are and how far apart they lie in `out`. The sums stay in registers. `unrolled` steps are made
        at a time: where `count` is no multiple of that, some beyond it are read too and have to be zero.
        """
        across, along = strides
        places = [self.times(row, shape[1]) for row in range(shape[0])]

        def turn(k: Value, sums: list[Value]) -> Sequence[Value]:
            for place in (self.add(k, further) for further in range(unrolled)):
                start, vector = self.at(left, self.times(place, along)), self.load(right, self.times(place, LANES))
                sums = [
                    self.multiply_add(self.spread(start, row * across), vector, each) for row, each in enumerate(sums)
                ]
            return sums

        found = self.loop(count, unrolled, turn, [self.load(out, place) for place in places])
        for value, place in zip(found, places, strict=True):
            self.store(value, out, place)

    def least(self, a: Offset, b: Offset) -> Value:
        """The smaller of two numbers."""
        return self.code.select(self.code.icmp_signed("<", whole(a), whole(b)), whole(a), whole(b))

    def each(self, count: Offset, step: int, body: Callable[[Value], None]) -> None:
        """`body(i)` for i = 0, step, .. below `count`, at least once."""

        def turn(i: Value, _: list[Value]) -> Sequence[Value]:
            body(i)
            return ()

        self.loop(count, step, turn, ())

    def end(self) -> None:
        """The function returns."""
        self.code.ret_void()

    def _of_vectors(self, name: str, *vectors: Value) -> Value:
        return self.code.call(self._function(f"llvm.{name}.v{LANES}f32", VECTOR, *vectors), vectors)

    def _function(self, name: str, result: Any, *arguments: Value) -> Any:
        """LLVM's own function of that name."""
        kind = ir.FunctionType(result, [each.type for each in arguments])
        return self.module.globals.get(name) or ir.Function(self.module, kind, name)

    def _polynomial(self, coefficients: Sequence[float], x: Value) -> Value:
        *others, last = map(self.number, coefficients)
        for each in reversed(others):
            last = self.multiply_add(last, x, each)
        return last


def whole(x: Offset) -> Value:
    """A count that is known, as LLVM has it; one that is not as it is."""
    return ir.Constant(COUNT, x) if isinstance(x, int) else x
