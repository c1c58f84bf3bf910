"""Logits of outside networks by onnxruntime, for tests that need no Python: python make.py DATA_FOLDER (pip install onnxruntime numpy)."""

import gzip
import json
import pathlib
import sys

import numpy as np
import onnxruntime

COUNT = 16
data = pathlib.Path(sys.argv[1])
images = np.frombuffer(gzip.open(data / "mnist/t10k-images-idx3-ubyte.gz").read()[16:], np.uint8).astype(np.float32)

for name, path, shape in [
    ("onnx-mnist", "onnx-mnist/mnist.onnx", (1, 1, 28, 28)),
    ("bnn-lfc", "bnn-lfc/lfc_w1a1.onnx", (1, 784)),
]:
    session = onnxruntime.InferenceSession(str(data / path))
    feed = session.get_inputs()[0].name
    logits = [session.run(None, {feed: images[i * 784 : (i + 1) * 784].reshape(shape)})[0][0] for i in range(COUNT)]
    # As float32 bit patterns' shortest decimal that reads back the same.
    rows = [[float(np.format_float_positional(v, unique=True)) for v in row] for row in logits]
    record = {"source": path, "onnxruntime": onnxruntime.__version__, "images": f"first {COUNT} of the MNIST test set, pixels 0..255", "logits": rows}
    (pathlib.Path(__file__).parent / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
