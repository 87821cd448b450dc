"""The engines by name: what computes an answer."""

NATIVE, ONNX = "native", "onnxruntime"


class EngineError(Exception):
    """The engine cannot compute on this machine; the message says why, without a full stop, the hint what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint
