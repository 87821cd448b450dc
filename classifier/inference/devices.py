"""Where fp32 networks compute: on the processor, or by setting on a CUDA device, and then never quietly elsewhere."""

import ctypes
from functools import cache

from classifier.inference.engines import EngineError

CPU, CUDA = "cpu", "cuda"
DEVICES = (CPU, CUDA)
PROVIDER = "CUDAExecutionProvider"
ADVICE = "Set SKINSITE_DEVICE to cpu, or see to the device and start the portal again."
_chosen = CPU


def use(device: str) -> None:
    """Load networks onto this device from now on, in this process. Raises EngineError where it is not there."""
    global _chosen
    if device == CUDA and (reason := missing()):
        raise EngineError(f"SKINSITE_DEVICE is cuda, and {reason}", ADVICE)
    _chosen = device


def chosen() -> str:
    return _chosen


@cache
def missing() -> str:
    """Why nothing can be computed by CUDA here; empty where it can."""
    import onnxruntime

    if PROVIDER not in onnxruntime.get_available_providers():
        return "ONNX Runtime has no CUDA provider: install onnxruntime-gpu in place of onnxruntime"
    count = ctypes.c_int(0)
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "there is no CUDA driver (libcuda.so.1)"
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)) or not count.value:
        return "the CUDA driver sees no device"
    return ""
