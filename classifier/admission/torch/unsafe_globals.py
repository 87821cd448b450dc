"""Which names in a pickle say that somebody meant to run code. None of them ever runs: this only chooses the answer.

Refused are names that act: run programs or code, load modules, open files or connections, reach through objects. All
else (a trainer's settings, a type, an enumeration, a metric) is noted and left aside.
"""

from collections.abc import Iterable

# Modules of which any part is refused, as the beginning of a name.
ACTING = (
    *("os", "posix", "nt", "os2", "ce", "subprocess", "_posixsubprocess", "commands", "popen2", "pty", "platform"),
    *("sys", "runpy", "importlib", "_frozen_importlib", "imp", "zipimport", "pkgutil", "site", "code", "codeop"),
    *("ctypes", "_ctypes", "pickle", "_pickle", "cPickle", "marshal", "shelve", "dbm", "gc", "inspect.currentframe"),
    *("shutil", "tempfile", "glob", "fileinput", "linecache", "mmap", "zipfile", "tarfile", "sqlite3", "resource"),
    *("socket", "_socket", "socketserver", "ssl", "select", "urllib.request", "http.client", "http.server", "ftplib"),
    *("smtplib", "poplib", "imaplib", "nntplib", "telnetlib", "xmlrpc", "webbrowser", "antigravity", "wsgiref"),
    *("multiprocessing", "threading", "_thread", "concurrent", "asyncio", "sched", "atexit", "signal.signal"),
    *("timeit", "trace", "pdb", "bdb", "profile", "cProfile", "doctest", "unittest", "test", "cgitb", "rlcompleter"),
    *("py_compile", "compileall", "distutils", "setuptools", "pip", "ensurepip", "venv", "lib2to3", "idlelib"),
    *("winreg", "_winapi", "msvcrt", "_winreg", "logging.config", "logging.handlers", "logging.FileHandler"),
    *("io.open", "io.FileIO", "_io.open", "_io.FileIO", "codecs.open", "gzip.open", "bz2.open", "lzma.open"),
    *("operator.attrgetter", "operator.methodcaller", "_operator.attrgetter", "_operator.methodcaller"),
    *("functools.reduce", "types.FunctionType", "types.CodeType", "types.ModuleType", "copyreg.add_extension"),
    *("torch.hub", "torch.jit", "torch.package", "torch.load", "torch.utils.cpp_extension", "torch.serialization.load"),
    *("torch._inductor", "torch._dynamo", "torch.distributed", "torch.utils.collect_env", "torch.fx"),
    *("numpy.f2py", "numpy.testing", "numpy.distutils", "numpy.load", "numpy.fromfile", "numpy.memmap", "numpy.save"),
    *("joblib", "dill", "cloudpickle", "keras", "tensorflow", "IPython", "pandas.io", "pandas.eval", "sympy", "yaml"),
)
# Of the built-in names only plain types are harmless: eval, getattr, open and their like are not.
BUILTINS = ("builtins", "__builtin__")
PLAIN_BUILTINS = {
    *("set", "frozenset", "list", "dict", "tuple", "int", "float", "str", "bool", "bytes", "bytearray", "complex"),
    *("slice", "range", "object", "type", "NoneType", "Ellipsis", "NotImplemented", "long", "unicode"),
}
# What lies inside another module and leads out of it: pathlib.os.system, collections.abc.__builtins__.
WAYS_OUT = {
    *("os", "posix", "nt", "sys", "subprocess", "importlib", "builtins", "shutil", "socket", "ctypes", "pickle"),
    *("__builtins__", "__import__", "__globals__", "__subclasses__", "__loader__", "__getattribute__", "__reduce__"),
}
TENSOR_PARTS = ("torch.", "collections.OrderedDict", "collections.defaultdict")


def unsafe(names: Iterable[str]) -> str | None:
    """Return the first name that an honest checkpoint never has."""
    return next((name for name in names if _is_unsafe(name)), None)


def foreign(names: Iterable[str]) -> list[str]:
    """The names that belong to no tensor, each once: what a report should mention."""
    return sorted({name for name in names if not name.startswith(TENSOR_PARTS)})


def _is_unsafe(name: str) -> bool:
    root, _dot, rest = name.partition(".")
    if root in BUILTINS:
        return rest not in PLAIN_BUILTINS
    acts = any(name == acting or name.startswith(f"{acting}.") for acting in ACTING)
    return acts or not root.isidentifier() or not WAYS_OUT.isdisjoint(rest.split("."))
