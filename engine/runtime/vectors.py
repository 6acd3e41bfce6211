"""Words for compiled loops: sixteen float32 at a time, at addresses. Knows numba; no arrays and no models.

LLVM makes of them what the processor has. Addresses are int64, and nobody checks them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model

LANES = 16

_BYTE, _SHORT, _INT, _FLOAT = ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.FloatType()
_FLOATS, _INTS = ir.VectorType(_FLOAT, LANES), ir.VectorType(_INT, LANES)
_LOG2_E = 1.44269504
_LN2_PARTS = 0.693359375, -2.12194440e-4
"""ln 2 as two numbers: products of the first with small integers are exact."""
_EXP_TERMS = 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5
"""e^r = 1 + r + r^2 (0.5 + ...) for |r| <= ln 2 / 2, within one unit of the last place."""
_LARGEST_POWER = 87.0
"""e to more is no float32; e to less than its negative counts as nothing anyway."""
_EXPONENT_BIAS = 127


class Vector(types.Type):
    """Sixteen float32, as a value of compiled code."""

    def __init__(self) -> None:
        super().__init__(name="Vector")


VECTOR = Vector()


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, of: Any) -> None:
        super().__init__(manager, of, _FLOATS)  # type: ignore[no-untyped-call]


def _word(define: Callable[..., Any]) -> Any:
    return intrinsic(define)


@_word
def splat(_: Any, value: Any) -> Any:
    """The number, sixteen times."""
    return VECTOR(types.float32), lambda _c, b, _s, args: _splatted(b, args[0])


@_word
def load(_: Any, address: Any) -> Any:
    """Sixteen float32."""
    return VECTOR(types.int64), lambda _c, b, _s, args: _load(b, args[0], _FLOATS, 4)


@_word
def load_number(_: Any, address: Any) -> Any:
    """One float32."""
    return types.float32(types.int64), lambda _c, b, _s, args: _load(b, args[0], _FLOAT, 4)


@_word
def load_int8(_: Any, address: Any) -> Any:
    """Sixteen int8, as floats."""

    def emit(_c: Any, builder: Any, _s: Any, args: Any) -> Any:
        found = _load(builder, args[0], ir.VectorType(_BYTE, LANES), 1)
        return builder.sitofp(builder.sext(found, _INTS), _FLOATS)

    return VECTOR(types.int64), emit


@_word
def load_kept(_: Any, address: Any, like: Any) -> Any:
    """Sixteen numbers of a slot: float32, or bfloat16 if `like` is an array of uint16."""

    def emit(_c: Any, builder: Any, signature: Any, args: Any) -> Any:
        if signature.args[1].dtype == types.float32:
            return _load(builder, args[0], _FLOATS, 4)
        bits = builder.zext(_load(builder, args[0], ir.VectorType(_SHORT, LANES), 2), _INTS)
        return builder.bitcast(builder.shl(bits, _ints(16)), _FLOATS)

    return VECTOR(types.int64, like), emit


@_word
def store_kept(_: Any, address: Any, vector: Any, like: Any) -> Any:
    """The opposite of `load_kept`; rounds to the nearest bfloat16, of two equally near to the even one."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kept = args[1]
        if signature.args[2].dtype != types.float32:
            bits = builder.bitcast(kept, _INTS)
            odd = builder.and_(builder.lshr(bits, _ints(16)), _ints(1))
            rounded = builder.add(bits, builder.add(odd, _ints(0x7FFF)))
            kept = builder.trunc(builder.lshr(rounded, _ints(16)), ir.VectorType(_SHORT, LANES))
        _store(builder, args[0], kept, 2)
        return context.get_dummy_value()

    return types.void(types.int64, VECTOR, like), emit


@_word
def store(_: Any, address: Any, vector: Any) -> Any:
    """Sixteen float32."""

    def emit(context: Any, builder: Any, _s: Any, args: Any) -> Any:
        _store(builder, args[0], args[1], 4)
        return context.get_dummy_value()

    return types.void(types.int64, VECTOR), emit


@_word
def store_sums(_: Any, address: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Four float32: the sum of each vector's numbers."""

    def emit(context: Any, builder: Any, _s: Any, args: Any) -> Any:
        _store(builder, args[0], _sums(builder, args[1:]), 4)
        return context.get_dummy_value()

    return types.void(types.int64, VECTOR, VECTOR, VECTOR, VECTOR), emit


@_word
def store_eight_sums(
    _: Any, address: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any
) -> Any:
    """Eight float32: the sum of each vector's numbers."""

    def emit(context: Any, builder: Any, _s: Any, args: Any) -> Any:
        _store(builder, args[0], _sums(builder, args[1:]), 4)
        return context.get_dummy_value()

    return types.void(types.int64, *[VECTOR] * 8), emit


@_word
def add(_: Any, a: Any, b: Any) -> Any:
    """a + b."""
    return VECTOR(VECTOR, VECTOR), lambda _c, builder, _s, args: builder.fadd(*args)


@_word
def sub(_: Any, a: Any, b: Any) -> Any:
    """a - b."""
    return VECTOR(VECTOR, VECTOR), lambda _c, builder, _s, args: builder.fsub(*args)


@_word
def mul(_: Any, a: Any, b: Any) -> Any:
    """a * b."""
    return VECTOR(VECTOR, VECTOR), lambda _c, builder, _s, args: builder.fmul(*args)


@_word
def div(_: Any, a: Any, b: Any) -> Any:
    """a / b."""
    return VECTOR(VECTOR, VECTOR), lambda _c, builder, _s, args: builder.fdiv(*args)


@_word
def fma(_: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c."""
    return VECTOR(VECTOR, VECTOR, VECTOR), lambda _c, builder, _s, args: _fma(builder, *args)


@_word
def larger(_: Any, a: Any, b: Any) -> Any:
    """The larger of each two."""
    return VECTOR(VECTOR, VECTOR), lambda _c, builder, _s, args: _larger(builder, *args)


@_word
def most_of_four(_: Any, vector: Any) -> Any:
    """Of four rows of four: each column's largest number, in all rows."""
    return VECTOR(VECTOR), lambda _c, builder, _s, args: _turned(builder, _larger, args[0])


@_word
def sum_of_four(_: Any, vector: Any) -> Any:
    """Of four rows of four: each column's sum, in all rows."""
    return VECTOR(VECTOR), lambda _c, builder, _s, args: _turned(builder, _sum, args[0])


@_word
def exp(_: Any, powers: Any) -> Any:
    """e to each, between the least and the largest that float32 can hold."""
    return VECTOR(VECTOR), lambda _c, builder, _s, args: _exp(builder, args[0])


@_word
def prefetch(_: Any, address: Any) -> Any:
    """Have the memory there on its way. Any address may be asked for."""

    def emit(context: Any, builder: Any, _s: Any, args: Any) -> Any:
        pointer = _BYTE.as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer, _INT, _INT, _INT])
        function = builder.module.declare_intrinsic("llvm.prefetch.p0", (), kind)
        to_read, most_local, data = ir.Constant(_INT, 0), ir.Constant(_INT, 3), ir.Constant(_INT, 1)
        builder.call(function, [builder.inttoptr(args[0], pointer), to_read, most_local, data])
        return context.get_dummy_value()

    return types.void(types.int64), emit


def _load(builder: Any, address: Any, kind: Any, align: int) -> Any:
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=align)


def _store(builder: Any, address: Any, value: Any, align: int) -> None:
    builder.store(value, builder.inttoptr(address, value.type.as_pointer()), align=align)


def _floats(value: float) -> Any:
    return ir.Constant(_FLOATS, [ir.Constant(_FLOAT, value)] * LANES)


def _ints(value: int) -> Any:
    return ir.Constant(_INTS, [ir.Constant(_INT, value)] * LANES)


def _splatted(builder: Any, value: Any) -> Any:
    first = builder.insert_element(ir.Constant(_FLOATS, ir.Undefined), value, ir.Constant(_INT, 0))
    return builder.shuffle_vector(first, first, _indices([0] * LANES))


def _indices(values: list[int]) -> Any:
    return ir.Constant(ir.VectorType(_INT, len(values)), [ir.Constant(_INT, value) for value in values])


def _sums(builder: Any, vectors: Sequence[Any]) -> Any:
    """The sum of each vector, as one vector: two are folded into one until one is left."""
    num, parts = len(vectors), 1
    while len(vectors) > 1:
        parts *= 2
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        vectors = [_folded(builder, a, b, parts) for a, b in pairs]
    sums = vectors[0]
    while parts < LANES:
        parts *= 2
        sums = _folded(builder, sums, sums, parts)
    return builder.shuffle_vector(sums, sums, _indices(list(range(num))))


def _folded(builder: Any, a: Any, b: Any, parts: int) -> Any:
    """Each part of a, then of b, with its halves added: half as long as the parts were, twice as many."""
    size = LANES * 2 // parts
    lows = [start + lane for start in range(0, 2 * LANES, size) for lane in range(size // 2)]
    low = builder.shuffle_vector(a, b, _indices(lows))
    high = builder.shuffle_vector(a, b, _indices([lane + size // 2 for lane in lows]))
    return builder.fadd(low, high)


def _turned(builder: Any, combine: Any, vector: Any) -> Any:
    """The vector combined with itself, turned by two rows and then by one."""
    for shift in (8, 4):
        indices = _indices([(lane + shift) % LANES for lane in range(LANES)])
        vector = combine(builder, vector, builder.shuffle_vector(vector, vector, indices))
    return vector


def _sum(builder: Any, a: Any, b: Any) -> Any:
    return builder.fadd(a, b)


def _fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    # Contracted to one instruction where there is one; without, a library would be called for each number.
    return builder.fadd(builder.fmul(a, b, flags=("contract",)), c, flags=("contract",))


def _larger(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


def _smaller(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", a, b), a, b)


def _exp(builder: Any, powers: Any) -> Any:
    powers = _smaller(builder, _larger(builder, powers, _floats(-_LARGEST_POWER)), _floats(_LARGEST_POWER))
    # e^p = 2^n e^rest. The bias of the exponent makes n positive, so that cutting off rounds it down.
    nearest = _fma(builder, powers, _floats(_LOG2_E), _floats(_EXPONENT_BIAS + 0.5))
    biased = builder.fptosi(nearest, _INTS)
    whole = builder.sitofp(builder.sub(biased, _ints(_EXPONENT_BIAS)), _FLOATS)
    rest = powers
    for part in _LN2_PARTS:
        rest = builder.fsub(rest, builder.fmul(whole, _floats(part)))
    terms = _floats(_EXP_TERMS[0])
    for term in _EXP_TERMS[1:]:
        terms = _fma(builder, terms, rest, _floats(term))
    power = builder.fadd(_fma(builder, terms, builder.fmul(rest, rest), rest), _floats(1.0))
    return builder.fmul(power, builder.bitcast(builder.shl(biased, _ints(23)), _FLOATS))
