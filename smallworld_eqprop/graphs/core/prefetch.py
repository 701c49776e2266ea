"""The compiler's prefetch instruction, for compiled loops that know what they will read soon."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["prefetch"]


@intrinsic
def _prefetch(_context: Any, array: Any, index: Any) -> Any:
    """Give the types of a call, and what writes its instruction."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind, index_kind = signature.args
        start = context.make_array(kind)(context, builder, values[0]).data
        place = context.cast(builder, values[1], index_kind, types.intp)
        line = builder.bitcast(builder.gep(start, [place]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        kinds = ir.FunctionType(ir.VoidType(), [line.type, number, number, number])
        hint = builder.module.declare_intrinsic("llvm.prefetch", [line.type], kinds)
        # To read (0), into all levels of the cache (3), data and not instructions (1).
        builder.call(hint, [line, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, index), generate


#: Of an array and an index, in loops that numba compiles: fetch ``array[index]`` into the cache. It
#: is a hint that changes no result, so the index may lie outside the array.
prefetch: Any = _prefetch
