"""What LiteRT's reference kernels answer, for tests that need no Python. cases.json is of write-tflite-cases.ts.

python make-tflite.py DATA_FOLDER cases.json   (pip install ai-edge-litert numpy)
"""

import base64
import json
import pathlib
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

folder = pathlib.Path(__file__).parent
data = pathlib.Path(sys.argv[1])
TYPES = {"f32": np.float32, "int8": np.int8, "uint8": np.uint8, "int16": np.int16}


def run(model, inputs):
    """The first output for the inputs, by the reference kernels and not by the optimized ones."""
    interpreter = Interpreter(
        model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1
    )
    interpreter.allocate_tensors()
    for detail, x in zip(interpreter.get_input_details(), inputs):
        interpreter.set_tensor(detail["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def encoded(y):
    return base64.b64encode(np.ascontiguousarray(y).tobytes()).decode()


def bytes_of(seed, count):
    """Bytes that the tests make too: the upper byte of a linear congruential generator."""
    state, out = seed, np.empty(count, np.uint8)
    for i in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out[i] = state >> 24
    return out


cases = {}
for case in json.loads(pathlib.Path(sys.argv[2]).read_text()):
    inputs = [
        np.frombuffer(base64.b64decode(i["data"]), TYPES[i["dtype"]]).reshape(i["shape"]) for i in case["inputs"]
    ]
    y = run(base64.b64decode(case["file"]), inputs)
    cases[case["name"]] = {"shape": list(y.shape), "y": encoded(y)}
(folder / "tflite-operators.json").write_text(json.dumps(cases, indent=0) + "\n")

networks = {}
for name, path, shape, convert in [
    ("resnet-8", "mlperf-tiny/pretrainedResnet.tflite", (32, 32, 3), lambda x: x.astype(np.float32)),
    ("resnet-8 int8", "mlperf-tiny/pretrainedResnet_quant.tflite", (32, 32, 3), lambda x: (x.astype(np.int32) - 128).astype(np.int8)),
    ("mobilenet v1 uint8", "tflite-coral/mobilenet_v1_0.25_128_quant.tflite", (128, 128, 3), lambda x: x),
]:
    model = (data / path).read_bytes()
    count = 16 if shape[0] == 32 else 4
    ys = [run(model, [convert(bytes_of(seed, int(np.prod(shape))).reshape(1, *shape))])[0] for seed in range(count)]
    networks[name] = {"source": path, "count": count, "y": encoded(np.stack(ys))}
(folder / "tflite-networks.json").write_text(json.dumps(networks, indent=0) + "\n")
