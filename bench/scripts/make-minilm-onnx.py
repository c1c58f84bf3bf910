"""all-MiniLM-L6-v2 as ONNX, float and with onnxruntime's quantize_dynamic, for scripts/minilm-speed.mjs.

    python bench/scripts/make-minilm-onnx.py .toolchain/cache/minilm OUT_FOLDER

Needs numpy, onnx, onnxruntime. The graph is what an exporter writes: MatMul + Add, LayerNormalization, Erf, Softmax, mean pooling.
"""
import json, struct, sys
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save
from onnxruntime.quantization import QuantType, quantize_dynamic

folder, out = Path(sys.argv[1]), Path(sys.argv[2])
raw = (folder / "model.safetensors").read_bytes()
(length,) = struct.unpack("<Q", raw[:8])
header = json.loads(raw[8 : 8 + length])
nodes, weights, names = [], [], set()


def tensor(name):
    start, end = header[name]["data_offsets"]
    return np.frombuffer(raw[8 + length + start : 8 + length + end], "<f4").reshape(header[name]["shape"])


def const(name, value):
    if name not in names:
        names.add(name)
        weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
    return name


def op(kind, *inputs, **attributes):
    y = f"{kind}_{len(nodes)}"
    nodes.append(helper.make_node(kind, list(inputs), [y], name=y, **attributes))
    return y


def linear(name, x):
    return op("Add", op("MatMul", x, const(f"{name}.wt", tensor(f"{name}.weight").T)), const(f"{name}.b", tensor(f"{name}.bias")))


def norm(name, x):
    scale, bias = [const(f"{name}.{part}", tensor(f"{name}.{part}")) for part in ("weight", "bias")]
    return op("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-12)


ints = lambda name, *values: const(name, np.array(values, np.int64))
positions = tensor("embeddings.position_embeddings.weight") + tensor("embeddings.token_type_embeddings.weight")[0]
length_of = op("Gather", op("Shape", "input_ids"), ints("one", 1), axis=0)
rows = op("Slice", const("positions", positions), ints("zero", 0), length_of, ints("axis0", 0))
x = op("Gather", const("words", tensor("embeddings.word_embeddings.weight")), "input_ids", axis=0)
x = norm("embeddings.LayerNorm", op("Add", x, rows))
mask = op("Cast", "attention_mask", to=TensorProto.FLOAT)
far = op("Mul", op("Sub", const("f1", np.float32(1)), mask), const("far", np.float32(-1e4)))
far = op("Unsqueeze", far, ints("axes12", 1, 2))
split, joined = ints("split", 0, 0, 12, 32), ints("joined", 0, 0, 384)
for i in range(6):
    at = f"encoder.layer.{i}"
    q, k, v = [
        op("Transpose", op("Reshape", linear(f"{at}.attention.self.{part}", x), split), perm=[0, 2, 1, 3])
        for part in ("query", "key", "value")
    ]
    scores = op("MatMul", q, op("Transpose", k, perm=[0, 1, 3, 2]))
    scores = op("Add", op("Mul", scores, const("scale", np.float32(1 / np.sqrt(32)))), far)
    y = op("Transpose", op("MatMul", op("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
    x = norm(f"{at}.attention.output.LayerNorm", op("Add", linear(f"{at}.attention.output.dense", op("Reshape", y, joined)), x))
    h = linear(f"{at}.intermediate.dense", x)
    gate = op("Add", op("Erf", op("Mul", h, const("root", np.float32(np.sqrt(0.5))))), "f1")
    h = op("Mul", op("Mul", h, gate), const("half", np.float32(0.5)))
    x = norm(f"{at}.output.LayerNorm", op("Add", linear(f"{at}.output.dense", h), x))
column = op("Unsqueeze", mask, ints("axis2", 2))
pooled = op("Div", op("ReduceSum", op("Mul", x, column), ints("sum1", 1), keepdims=0), op("ReduceSum", column, "sum1", keepdims=0))
y = op("Div", pooled, op("Sqrt", op("ReduceSum", op("Mul", pooled, pooled), ints("last", -1), keepdims=1)))
nodes.append(helper.make_node("Identity", [y], ["sentence_embedding"]))
info = lambda name, kind, *shape: helper.make_tensor_value_info(name, kind, shape)
inputs = [info(name, TensorProto.INT64, "batch", "sequence") for name in ("input_ids", "attention_mask")]
outputs = [info("sentence_embedding", TensorProto.FLOAT, "batch", 384)]
graph = helper.make_graph(nodes, "minilm", inputs, outputs, weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
save(model, str(out / "minilm-float.onnx"))
quantize_dynamic(str(out / "minilm-float.onnx"), str(out / "minilm-int8.onnx"), weight_type=QuantType.QInt8, per_channel=True)
