"""Which names in a pickle say that somebody meant to run code. None of them ever runs: this only chooses the answer.

A name of Python's own library has no business in a checkpoint but for a few plain types; of other packages those that
load or run things are known by name. All else (a trainer's settings, a metric) is noted and left aside.
"""

import sys
from collections.abc import Iterable

PLAIN_MODULES = {
    *("collections", "argparse", "datetime", "decimal", "fractions", "pathlib", "uuid", "enum", "random", "copyreg"),
    *("_codecs", "copy_reg", "abc", "dataclasses", "numbers", "time", "zoneinfo", "logging", "re", "string"),
}
PLAIN_BUILTINS = {
    *("set", "frozenset", "list", "dict", "tuple", "int", "float", "str", "bool", "bytes", "bytearray", "complex"),
    *("slice", "range", "object", "type", "NoneType", "Ellipsis", "long", "unicode"),
}
PLAIN_NAMES = {"functools.partial", "types.SimpleNamespace", "types.MappingProxyType", "_io.BytesIO", "io.BytesIO"}
BORROWED = sys.stdlib_module_names - PLAIN_MODULES
OLD_LIBRARY = {"__builtin__", "commands", "nt", "posix", "os2", "ce", "imp", "distutils", "pip", "setuptools"}
RUNS = (
    *("torch.hub", "torch.jit", "torch.package", "torch.load", "torch.utils.cpp_extension", "torch.serialization.load"),
    *("torch._inductor", "torch._dynamo", "torch.distributed", "torch.utils.collect_env", "torch.fx"),
    *("numpy.f2py", "numpy.testing", "numpy.distutils", "numpy.load", "numpy.fromfile", "numpy.memmap", "numpy.save"),
    *("joblib", "dill", "cloudpickle", "keras", "tensorflow", "IPython", "pandas.io", "pandas.eval", "sympy", "yaml"),
)
TENSOR_PARTS = ("torch.", "collections.OrderedDict", "collections.defaultdict")


def unsafe(names: Iterable[str]) -> str | None:
    """Return the first name that an honest checkpoint never has."""
    return next((name for name in names if _is_unsafe(name)), None)


def foreign(names: Iterable[str]) -> list[str]:
    """The names that belong to no tensor, each once: what a report should mention."""
    return sorted({name for name in names if not name.startswith(TENSOR_PARTS)})


def _is_unsafe(name: str) -> bool:
    root, _dot, rest = name.partition(".")
    if name in PLAIN_NAMES:
        return False
    if root in PLAIN_MODULES:  # pathlib.os.system, and collections.abc.__builtins__
        return any(part.startswith("__") or part in BORROWED for part in rest.split("."))
    if root in ("builtins", "__builtin__"):
        return rest not in PLAIN_BUILTINS
    if root in sys.stdlib_module_names or root in OLD_LIBRARY:
        return root != "__main__"
    return any(name == run or name.startswith(f"{run}.") for run in RUNS) or not root.isidentifier()
