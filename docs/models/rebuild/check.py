"""Compare a converted network with its source in the source's own runtime, LiteRT, on random inputs.

Usage::

    python docs/models/rebuild/check.py MODEL.tflite MODEL.onnx [--low 0] [--high 1]

Needs ai-edge-litert, numpy and onnxruntime.
"""

from __future__ import annotations

import argparse

import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter

SAMPLES = 8


def main() -> None:
    """Print the largest difference of every output."""
    parser = argparse.ArgumentParser(description="Compare a converted network with its source.")
    parser.add_argument("source", help="TFLite file")
    parser.add_argument("target", help="ONNX file")
    parser.add_argument("--low", type=float, default=0.0, help="least input")
    parser.add_argument("--high", type=float, default=1.0, help="largest input")
    options = parser.parse_args()
    source, target = Interpreter(options.source), onnxruntime.InferenceSession(options.target)
    source.allocate_tensors()
    (told,) = source.get_input_details()
    random = np.random.default_rng(0)
    worst = [(0.0, 0.0)] * len(source.get_output_details())
    for _ in range(SAMPLES):
        batch = random.uniform(options.low, options.high, told["shape"]).astype(np.float32)
        source.set_tensor(told["index"], batch)
        source.invoke()
        wanted = [source.get_tensor(output["index"]) for output in source.get_output_details()]
        got = target.run(None, {target.get_inputs()[0].name: batch})
        worst = [
            (max(error, float(np.abs(g.ravel() - w.ravel()).max())), max(size, float(np.abs(w).max())))
            for (error, size), w, g in zip(worst, wanted, got, strict=True)
        ]
    for number, (error, size) in enumerate(worst):
        print(f"output {number}: largest value {size:.3g}, largest difference {error:.1e}")


if __name__ == "__main__":
    main()
