"""Named tuples of arrays by their address.

A tuple is handed on as all that its arrays are made of: some hundred words for `Tables`, in each call that is not
inlined. What is held stands in memory, and a call takes one word; fields are read from there when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from llvmlite import ir
from numba.core import cgutils as _cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, models, register_model
from numba.extending import lower_getattr_generic as _lower_getattr_generic

from engine.kernels._jit import instruction, types

if TYPE_CHECKING:
    from collections.abc import Callable

    Tuple = TypeVar("Tuple", bound=tuple[Any, ...])


_code: Any = _cgutils
_lower: Any = _lower_getattr_generic


class _Held(types.Type):
    """A named tuple of type `kept`, by its address."""

    def __init__(self, kept: Any) -> None:
        self.kept = kept
        super().__init__(name=f"Held({kept})")


@register_model(_Held)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, held: Any) -> None:
        address = manager.lookup(held.kept).get_value_type().as_pointer()
        super().__init__(manager, held, address)  # type: ignore[no-untyped-call]


@infer_getattr
class _Fields(AttributeTemplate):
    key = _Held

    def generic_resolve(self, held: Any, field: str) -> Any:  # type: ignore[override]
        """The type of a field."""
        return held.kept.types[held.kept.fields.index(field)]


@_lower(_Held)  # type: ignore[untyped-decorator]
def _field(_context: Any, builder: Any, held: Any, address: Any, field: str) -> Any:
    """Read a field."""
    return _read(builder, _code.gep_inbounds(builder, address, 0, held.kept.fields.index(field)))


def _read(builder: Any, address: Any) -> Any:
    """What stands there, part by part: the compiler leaves out those that are not used."""
    kind = address.type.pointee
    if not isinstance(kind, ir.Aggregate):
        word = builder.load(address)
        word.set_metadata("invariant.load", builder.module.add_metadata([]))
        return word
    whole = ir.Constant(kind, ir.Undefined)
    for place in range(len(kind)):
        part = _read(builder, _code.gep_inbounds(builder, address, 0, place))
        whole = builder.insert_value(whole, part, place)
    return whole


def _typed(_context: Any, kept: Any) -> Any:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return _code.alloca_once_value(builder, arguments[0])

    return _Held(kept)(kept), generate


held: Callable[[Tuple], Tuple] = instruction(_typed)
"""A named tuple by its address, for as long as its caller runs. Only for functions that stay apart: they take it that
nothing has ever stood there but this tuple.
"""
