"""Machine words out of bytes, and the few machine instructions that numba has no word for.

No bounds are checked: the caller knows that the bytes are there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir

from engine.kernels._jit import instruction, jit, types

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _load(bits: int, result: Any) -> Any:
    """An instruction that reads `bits` bits from any place, aligned or not."""

    def typer(_context: Any, array: Any, position: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            place = builder.gep(data, [arguments[1]])
            return builder.load(builder.bitcast(place, ir.IntType(bits).as_pointer()), align=1)

        return result(array, types.intp), generate

    return typer


@instruction
def load64(context: Any, array: Any, position: Any) -> Any:
    """The eight bytes of `array` from `position` on, little endian, as uint64."""
    return _load(64, types.uint64)(context, array, position)


@instruction
def load32(context: Any, array: Any, position: Any) -> Any:
    """The four bytes of `array` from `position` on, little endian, as uint32."""
    return _load(32, types.uint32)(context, array, position)


@instruction
def store64(_context: Any, array: Any, position: Any, word: Any) -> Any:
    """Write a uint64 into the eight bytes of `array` from `position` on, little endian."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(64).as_pointer())
        builder.store(arguments[2], place, align=1)
        return context.get_dummy_value()

    return types.none(array, types.intp, types.uint64), generate


@instruction
def high_product(_context: Any, one: Any, other: Any) -> Any:
    """The upper 64 of the 128 bits of a product of two uint64."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(*(builder.zext(argument, wide) for argument in arguments))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


@instruction
def trailing_zeros(_context: Any, word: Any) -> Any:
    """How many of the lowest bits of a uint64 are zero; 64 for zero."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


@instruction
def leading_zeros(_context: Any, word: Any) -> Any:
    """How many of the highest bits of a uint64 are zero; 64 for zero."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


@instruction
def prefetch(_context: Any, array: Any, index: Any, at: Any) -> Any:
    """Begin to bring the cache line `at` bytes into row `index` of an array; the row need not be there."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        row = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(8).as_pointer())
        line = builder.gep(row, [arguments[2]])
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [line.type, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [line.type], kind)
        # To be written, to stay in every cache, data.
        builder.call(function, [line, *(ir.Constant(number, value) for value in (1, 3, 1))])
        return context.get_dummy_value()

    return types.none(array, types.intp, types.intp), generate


@instruction
def as_float(_context: Any, word: Any) -> Any:
    """The double whose bits are those of a uint64."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.uint64), generate


@instruction
def as_word(_context: Any, number: Any) -> Any:
    """The bits of a double, as a uint64."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.uint64(types.float64), generate


@jit
def first_bytes(word: int, count: int) -> int:
    """The first `count` (1 or more) of the eight bytes of a uint64 that was read from memory, zeros behind them."""
    others = np.uint64(64 - 8 * min(count, 8))
    return (word << others) >> others


@jit
def same_bytes(one: NDArray[np.uint8], start: int, other: NDArray[np.uint8], place: int, length: int) -> bool:
    """Whether `length` bytes of `one` from `start` on are those of `other` from `place` on."""
    done = 0
    while done + 8 <= length:
        if load64(one, start + done) != load64(other, place + done):
            return False
        done += 8
    while done < length:
        if one[start + done] != other[place + done]:
            return False
        done += 1
    return True


@jit
def copy_bytes(target: NDArray[np.uint8], place: int, source: NDArray[np.uint8], start: int, length: int) -> None:
    """Copy `length` bytes of `source` from `start` on to `target` from `place` on; the two do not overlap."""
    done = 0
    while done + 8 <= length:
        store64(target, place + done, load64(source, start + done))
        done += 8
    while done < length:
        target[place + done] = source[start + done]
        done += 1
