"""onnxruntime's half of a comparison: quantizes a float network to int8 by its static quantization (QDQ, weights per channel, ranges by MinMax over our own calibration
samples), writes it, and prints how many of MNIST's test images float and int8 get right. The other half is static-quantization.mjs.

    python scripts/static-quantization.py DATA_FOLDER theirs.onnx    # needs the packages onnx, onnxruntime and numpy
"""
import gzip
import pathlib
import sys

import numpy as np
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

models = pathlib.Path(__file__).parent.parent / "models"
source = str(models / "mnist-cnn-float.onnx")
data, out = pathlib.Path(sys.argv[1]) / "mnist", sys.argv[2]


class Samples(CalibrationDataReader):
    def __init__(self):
        x = np.load(models / "mnist-calibration.npz")["x"].astype(np.float32).reshape(-1, 1, 28, 28)
        self.rest = iter(x[i : i + 1] for i in range(len(x)))

    def get_next(self):
        x = next(self.rest, None)
        return None if x is None else {"image": x}


def accuracy(path):
    pixels = np.frombuffer(gzip.open(data / "t10k-images-idx3-ubyte.gz").read()[16:], np.uint8)
    labels = np.frombuffer(gzip.open(data / "t10k-labels-idx1-ubyte.gz").read()[8:], np.uint8)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"image": pixels.astype(np.float32).reshape(-1, 1, 28, 28)})
    return 100 * np.mean(logits.argmax(1) == labels)


for weights in (False, True):
    # With reduce_range weights have 7 bits, which is right where the processor has no VNNI; without, 8 as ours.
    quantize_static(
        source, out, Samples(), quant_format=QuantFormat.QDQ, per_channel=True, reduce_range=not weights,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax,
    )
    print(f"onnxruntime {onnxruntime.__version__}, int8{'' if weights else ', weights of 7 bits'}: {accuracy(out):.2f} %")
print(f"onnxruntime {onnxruntime.__version__}, float: {accuracy(source):.2f} %")
