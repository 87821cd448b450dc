"""A pickle read without running it: plain values stay, what it would import or call is noted as an `UnresolvedGlobal`.

The unpickler below knows the instructions of pickle protocols 0 to 5, and does nothing else: it imports nothing, hashes
only plain keys, follows no reference twice and never recurses, so its time and memory are in line with the file's size.
"""

import io
import pickletools
from dataclasses import dataclass, field
from typing import IO, Any

BYTES = 64 * 1024**2
INSTRUCTIONS = 2_000_000
NAME_LENGTH = 200
KEY_BELOW = 2**64
DAMAGES = (ValueError, IndexError, EOFError, OverflowError, TypeError, KeyError, AttributeError)

CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": list, "EMPTY_TUPLE": tuple}
SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
LITERALS = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
PUTS, GETS = {"PUT", "BINPUT", "LONG_BINPUT"}, {"GET", "BINGET", "LONG_BINGET"}


class Damaged(Exception):
    """The bytes are no pickle."""


class TooLarge(Exception):
    """The pickle is above a limit, which the message names."""


@dataclass(eq=False)
class UnresolvedGlobal:
    """What a pickle would import (`module.name`) or make by calling it: never more than this note of it."""

    name: str
    arguments: tuple[Any, ...] | None = None
    items: dict[Any, Any] = field(default_factory=dict)
    appended: list[Any] = field(default_factory=list)
    state: Any = None


@dataclass(frozen=True, eq=False)
class Persistent:
    """A reference to something beside the pickle: PyTorch's storages."""

    key: Any


@dataclass(frozen=True)
class Pickled:
    """The value, the names of all that the pickle would import, and its references to things beside it, in order."""

    value: Any
    names: tuple[str, ...]
    references: tuple[Persistent, ...]


def read(file: IO[bytes]) -> Pickled:
    """Read the pickle at the file's position; the file stands behind it then. Raises Damaged or TooLarge."""
    start = file.tell()
    content = io.BytesIO(file.read(BYTES))
    unpickler = InertUnpickler()
    try:
        for number, (operation, argument, _place) in enumerate(pickletools.genops(content)):
            if number >= INSTRUCTIONS:
                raise TooLarge(f"the pickle has more than {INSTRUCTIONS:,} instructions")
            unpickler.step(operation.name, argument)
        value = unpickler.stack.pop()
    except DAMAGES as error:
        if content.tell() >= BYTES:
            raise TooLarge(f"the pickle is above the limit of {BYTES:,} bytes") from error
        raise Damaged(str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    file.seek(start + content.tell())
    return Pickled(value, tuple(unpickler.names), tuple(unpickler.references))


class _Mark:
    pass


_MARK = _Mark()


class InertUnpickler:
    """The stack and the memo of one pickle."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.names: list[str] = []
        self.references: list[Persistent] = []

    def step(self, name: str, argument: Any) -> None:
        if name in LITERALS:
            self.stack.append(argument)
        elif name in PUTS:
            self.memo[argument] = self.stack[-1]
        elif name in GETS:
            self.stack.append(self.memo[argument])
        elif name in CONSTANTS:
            self.stack.append(CONSTANTS[name])
        elif name in EMPTY:
            self.stack.append(EMPTY[name]())
        elif name in SHORT_TUPLES:
            self.stack.append(tuple(self.take(SHORT_TUPLES[name])))
        else:
            handler = getattr(self, f"on_{name.lower()}", None)
            if handler is None:
                raise ValueError(f"its instruction {name} is none that a model's file needs")
            handler(argument)

    def take(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise ValueError("its stack is empty")
        values = self.stack[-count:]
        del self.stack[-count:]
        return values

    def take_to_mark(self) -> list[Any]:
        values = []
        while (value := self.stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    def on_proto(self, _argument: Any) -> None:
        pass

    on_frame = on_stop = on_proto

    def on_mark(self, _argument: Any) -> None:
        self.stack.append(_MARK)

    def on_pop(self, _argument: Any) -> None:
        self.stack.pop()

    def on_pop_mark(self, _argument: Any) -> None:
        self.take_to_mark()

    def on_dup(self, _argument: Any) -> None:
        self.stack.append(self.stack[-1])

    def on_memoize(self, _argument: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def on_tuple(self, _argument: Any) -> None:
        self.stack.append(tuple(self.take_to_mark()))

    def on_list(self, _argument: Any) -> None:
        self.stack.append(self.take_to_mark())

    on_frozenset = on_list

    def on_dict(self, _argument: Any) -> None:
        values = self.take_to_mark()
        self.stack.append({})
        self.set(values)

    def on_append(self, _argument: Any) -> None:
        self.extend(self.take(1))

    def on_appends(self, _argument: Any) -> None:
        self.extend(self.take_to_mark())

    on_additems = on_appends

    def extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        (target.appended if isinstance(target, UnresolvedGlobal) else target).extend(values)

    def on_setitem(self, _argument: Any) -> None:
        self.set(self.take(2))

    def on_setitems(self, _argument: Any) -> None:
        self.set(self.take_to_mark())

    def set(self, values: list[Any]) -> None:
        """Only plain keys are kept: hashing a nested one, or a number of megabytes, may take for ever."""
        target = self.stack[-1].items if isinstance(self.stack[-1], UnresolvedGlobal) else self.stack[-1]
        for key, value in zip(values[::2], values[1::2], strict=True):
            if isinstance(key, int) and not -KEY_BELOW < key < KEY_BELOW:
                continue
            if key is None or isinstance(key, str | int | float | bytes):
                target[key] = value

    def on_global(self, argument: str) -> None:
        self.note(argument.replace(" ", ".", 1))

    def on_stack_global(self, _argument: Any) -> None:
        module, name = self.take(2)
        self.note(f"{module}.{name}" if isinstance(module, str) and isinstance(name, str) else "?")

    def note(self, name: str) -> None:
        shown = "".join(letter if letter.isprintable() else "?" for letter in name[:NAME_LENGTH])
        self.names.append(shown)
        self.stack.append(UnresolvedGlobal(shown))

    def on_reduce(self, _argument: Any) -> None:
        made, arguments = self.take(2)
        self.call(made, arguments)

    on_newobj = on_reduce

    def on_newobj_ex(self, _argument: Any) -> None:
        made, arguments, _named = self.take(3)
        self.call(made, arguments)

    def on_inst(self, argument: str) -> None:
        arguments = self.take_to_mark()
        self.on_global(argument)
        self.call(self.stack.pop(), tuple(arguments))

    def on_obj(self, _argument: Any) -> None:
        made, *arguments = self.take_to_mark()
        self.call(made, tuple(arguments))

    def call(self, made: Any, arguments: Any) -> None:
        if not isinstance(made, UnresolvedGlobal) or not isinstance(arguments, tuple):
            raise ValueError("it calls what cannot be called")
        self.stack.append(UnresolvedGlobal(made.name, arguments))

    def on_build(self, _argument: Any) -> None:
        made, state = self.take(2)
        if not isinstance(made, UnresolvedGlobal):
            raise ValueError("it gives a state to what has none")
        made.state = state
        self.stack.append(made)

    def on_persid(self, argument: str) -> None:
        self.references.append(Persistent(argument))
        self.stack.append(self.references[-1])

    def on_binpersid(self, _argument: Any) -> None:
        self.on_persid(self.stack.pop())
