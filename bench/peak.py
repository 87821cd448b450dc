"""`python -m bench.peak FOLDER`: how near the engine comes to what the processor can do in fp32.

The peak is that of a large matrix product on all cores, measured in turn with the networks; a network's work is that of
its convolutions and matrix products, two operations for each multiplication with addition, counted on its graph.
The last line on stdout is JSON, in GFLOP/s and shares.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from bench.inference import SIDES, at_side, inputs_of
from bench.timing import interleaved
from classifier.inference import bundle as bundles
from classifier.inference.classifier import load

SIDE = 4096  # of the square matrices
SIZES = (1, 8)


def main(folder: Path) -> dict[str, float]:
    """Measure every bundle in the folder, EfficientNet-B2 at 260 px."""
    matrix = np.random.default_rng(0).random((SIDE, SIDE), np.float32)
    found: dict[str, float] = {}
    for path in sorted(folder.iterdir()):
        bundle = bundles.read(path)
        if bundle.framework in SIDES:
            bundle, _found = at_side(SIDES[bundle.framework], bundles.read(path, native=True))
        ours = load(bundle)
        work = operations(bundle.graph.content if bundle.graph else b"")
        for size in SIZES:
            inputs, vectors = inputs_of(ours, size)
            seconds = interleaved(
                {
                    "product": lambda: matrix @ matrix,
                    "network": lambda inputs=inputs, vectors=vectors, ours=ours: ours.predict(
                        inputs, vectors, maps=False
                    ),
                }
            )
            peak, reached = 2 * SIDE**3 / seconds["product"], size * work / seconds["network"]
            name = f"{bundle.framework}_b{size}"
            found |= {f"{name}_gflops": round(reached / 1e9, 1), f"{name}_share_of_peak": round(reached / peak, 3)}
            found["peak_gflops"] = round(max(peak / 1e9, found.get("peak_gflops", 0)), 1)
        found[f"{bundle.framework}_gflop"] = round(work / 1e9, 2)
    return found


def operations(content: bytes) -> int:
    """Return the floating-point operations of a graph for one picture."""
    import onnx

    model = onnx.load_from_string(content)
    for value in model.graph.input:
        value.type.tensor_type.shape.dim[0].dim_value = 1
    graph = onnx.shape_inference.infer_shapes(model).graph
    shapes = {value.name: _sides(value) for value in (*graph.value_info, *graph.output, *graph.input)}
    shapes |= {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    total = 0
    for node in graph.node:
        if node.op_type == "Conv":
            total += 2 * math.prod(shapes[node.output[0]]) * math.prod(shapes[node.input[1]][1:])
        elif node.op_type in ("Gemm", "MatMul"):
            total += 2 * math.prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
    return total


def _sides(value: Any) -> list[int]:
    return [dimension.dim_value or 1 for dimension in value.type.tensor_type.shape.dim]


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
