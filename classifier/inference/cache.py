"""The loaded models of one worker process: few, within a limit of memory, the least recently used goes first."""

import ctypes
import gc
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from classifier.inference.classifier import Classifier


class ClassifierCache:
    """Keeps at least the last model, whatever its size. A key names a bundle and an engine. Used by one thread."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._kept: OrderedDict[Hashable, Classifier] = OrderedDict()

    def has(self, key: Hashable) -> bool:
        return key in self._kept

    def get(self, key: Hashable, load: Callable[[], Classifier]) -> tuple[Classifier, float]:
        """Return the classifier and the milliseconds that loading took, 0 when it was kept."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key], 0.0
        began = time.perf_counter()
        classifier = load()
        self._kept[key] = classifier
        self._make_room()
        return classifier, (time.perf_counter() - began) * 1000

    def _make_room(self) -> None:
        evicted = False
        while len(self._kept) > 1 and sum(kept.bytes for kept in self._kept.values()) > self._limit:
            self._kept.popitem(last=False)
            evicted = True
        if evicted:
            gc.collect()
            _give_memory_back()


def _give_memory_back() -> None:
    """glibc keeps freed memory unless it is asked; other C libraries have no such call."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
