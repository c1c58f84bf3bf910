"""Writes bert.onnx and bert.json: an encoder of MiniLM's shape in primitive operators, node by node as torch.onnx.export writes Hugging Face's BertModel
(eager attention, opset 14, dynamic batch and sequence), of seeded weights and small sizes, with what onnxruntime answers.

    pip install numpy onnx==1.23.2 onnxruntime==1.32.0
    python packages/convert/test/golden/make-bert.py
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent
WIDTH, HEADS, INNER, LAYERS, WORDS, POSITIONS = 24, 3, 48, 2, 40, 16
DEPTH = WIDTH // HEADS
random = np.random.default_rng(12)
nodes, weights = [], []


def op(kind, inputs, name, outputs=1, **attributes):
    names = [f"{name}_output_{i}" for i in range(outputs)]
    nodes.append(helper.make_node(kind, inputs, names, name=name, **attributes))
    return names[0]


def weight(name, *shape, spread=0.3, around=0.0):
    data = (around + spread * random.standard_normal(shape)).astype(np.float32)
    weights.append(numpy_helper.from_array(data, name))
    return name


def constant(name, value, dtype=np.float32):
    return op("Constant", [], name, value=numpy_helper.from_array(np.array(value, dtype)))


def size(x, axis, name):
    """x.size(axis), as a vector of one."""
    gathered = op("Gather", [op("Shape", [x], f"{name}/Shape"), constant(f"{name}/Axis", axis, np.int64)], f"{name}/Gather", axis=0)
    return gathered, op("Unsqueeze", [gathered, constant(f"{name}/Zero", [0], np.int64)], f"{name}/Unsqueeze")


def linear(x, inputs, outputs, name):
    product = op("MatMul", [x, weight(f"{name}.weight_t", inputs, outputs)], f"{name}/MatMul")
    return op("Add", [weight(f"{name}.bias", outputs), product], f"{name}/Add")


def layer_norm(x, name):
    centered = op("Sub", [x, op("ReduceMean", [x], f"{name}/ReduceMean", axes=[-1])], f"{name}/Sub")
    square = op("Pow", [centered, constant(f"{name}/Two", 2.0)], f"{name}/Pow")
    variance = op("ReduceMean", [square], f"{name}/ReduceMean_1", axes=[-1])
    root = op("Sqrt", [op("Add", [variance, constant(f"{name}/Eps", 1e-12)], f"{name}/Add")], f"{name}/Sqrt")
    normal = op("Div", [centered, root], f"{name}/Div")
    scaled = op("Mul", [normal, weight(f"{name}.weight", WIDTH, spread=0.1, around=1)], f"{name}/Mul")
    return op("Add", [scaled, weight(f"{name}.bias", WIDTH, spread=0.1)], f"{name}/Add_1")


def heads(x, name):
    """x.view(*x.size()[:-1], HEADS, DEPTH), every size asked of the graph."""
    _, batch = size(x, 0, f"{name}/batch")
    _, length = size(x, 1, f"{name}/length")
    last = [constant(f"{name}/Heads", [HEADS], np.int64), constant(f"{name}/Depth", [DEPTH], np.int64)]
    return op("Reshape", [x, op("Concat", [batch, length, *last], f"{name}/Concat", axis=0)], f"{name}/Reshape")


def attention(x, mask, name):
    query = linear(x, WIDTH, WIDTH, f"{name}/query")
    key = op("Transpose", [heads(linear(x, WIDTH, WIDTH, f"{name}/key"), f"{name}/k")], f"{name}/Transpose_k", perm=[0, 2, 3, 1])
    value = op("Transpose", [heads(linear(x, WIDTH, WIDTH, f"{name}/value"), f"{name}/v")], f"{name}/Transpose_v", perm=[0, 2, 1, 3])
    query = op("Transpose", [heads(query, f"{name}/q")], f"{name}/Transpose_q", perm=[0, 2, 1, 3])
    scores = op("Div", [op("MatMul", [query, key], f"{name}/MatMul"), constant(f"{name}/Root", DEPTH**0.5)], f"{name}/Div")
    weighed = op("Softmax", [op("Add", [scores, mask], f"{name}/Add")], f"{name}/Softmax", axis=-1)
    context = op("Transpose", [op("MatMul", [weighed, value], f"{name}/MatMul_1")], f"{name}/Transpose_1", perm=[0, 2, 1, 3])
    _, batch = size(context, 0, f"{name}/out_batch")
    _, length = size(context, 1, f"{name}/out_length")
    target = op("Concat", [batch, length, constant(f"{name}/Width", [WIDTH], np.int64)], f"{name}/Concat_1", axis=0)
    return linear(op("Reshape", [context, target], f"{name}/Reshape_1"), WIDTH, WIDTH, f"{name}/output")


def gelu(x, name):
    gate = op("Erf", [op("Div", [x, constant(f"{name}/Root2", 2**0.5)], f"{name}/Div")], f"{name}/Erf")
    product = op("Mul", [x, op("Add", [gate, constant(f"{name}/One", 1.0)], f"{name}/Add")], f"{name}/Mul")
    return op("Mul", [product, constant(f"{name}/Half", 0.5)], f"{name}/Mul_1")


def expanded_mask(given):
    """_prepare_4d_attention_mask: [batch, length] of 0 and 1 to [batch, 1, length, length] of 0 and the least float."""
    batch, batch1 = size(given, 0, "/mask/batch")
    length, length1 = size(given, 1, "/mask/length")
    wide = op("Unsqueeze", [op("Unsqueeze", [given, constant("/mask/One", [1], np.int64)], "/mask/Unsqueeze"), constant("/mask/Two", [2], np.int64)], "/mask/Unsqueeze_1")
    target = op("Concat", [batch1, constant("/mask/Heads", [1], np.int64), length1, length1], "/mask/Concat", axis=0)
    # expand(-1, ...) as the exporter has it: where the target is -1, 1.
    ones = op("ConstantOfShape", [op("Shape", [target], "/mask/Shape")], "/mask/ConstantOfShape", value=numpy_helper.from_array(np.array([1], np.int64)))
    minus = op("Mul", [ones, constant("/mask/Minus", -1, np.int64)], "/mask/Mul")
    sizes = op("Where", [op("Equal", [target, minus], "/mask/Equal"), ones, target], "/mask/Where")
    floats = op("Cast", [op("Expand", [wide, sizes], "/mask/Expand")], "/mask/Cast", to=TensorProto.FLOAT)
    inverse = op("Sub", [constant("/mask/Unit", 1.0), floats], "/mask/Sub")
    hidden = op("Cast", [inverse], "/mask/Cast_1", to=TensorProto.BOOL)
    return op("Where", [hidden, constant("/mask/Least", np.finfo(np.float32).min), inverse], "/mask/Where_1")


def embeddings(ids, types):
    _, length = size(ids, 1, "/emb/length")
    weights.append(numpy_helper.from_array(np.arange(POSITIONS, dtype=np.int64)[None], "embeddings.position_ids"))
    bounds = [constant("/emb/Start", [0], np.int64), length, constant("/emb/Axis", [1], np.int64), constant("/emb/Step", [1], np.int64)]
    positions = op("Slice", ["embeddings.position_ids", *bounds], "/emb/Slice")
    words = op("Gather", [weight("embeddings.word", WORDS, WIDTH, spread=1), ids], "/emb/Gather_w")
    kinds = op("Gather", [weight("embeddings.type", 2, WIDTH, spread=0.2), types], "/emb/Gather_t")
    places = op("Gather", [weight("embeddings.position", POSITIONS, WIDTH, spread=0.2), positions], "/emb/Gather_p")
    return op("Add", [op("Add", [words, kinds], "/emb/Add"), places], "/emb/Add_1")


def model():
    ids, mask, types = "input_ids", "attention_mask", "token_type_ids"
    bias = expanded_mask(mask)
    x = layer_norm(embeddings(ids, types), "/emb/LayerNorm")
    for i in range(LAYERS):
        name = f"/encoder/layer.{i}"
        x = layer_norm(op("Add", [attention(x, bias, f"{name}/attention"), x], f"{name}/Add"), f"{name}/attention/LayerNorm")
        inner = gelu(linear(x, WIDTH, INNER, f"{name}/intermediate"), f"{name}/act")
        x = layer_norm(op("Add", [linear(inner, INNER, WIDTH, f"{name}/output"), x], f"{name}/Add_1"), f"{name}/output/LayerNorm")
    nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"], name="/Identity"))
    sizes = ["batch_size", "sequence_length"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, sizes) for name in (ids, mask, types)]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*sizes, WIDTH])
    graph = helper.make_graph(nodes, "main_graph", inputs, [output], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], producer_name="pytorch")
    made.ir_version = 7
    onnx.checker.check_model(made)
    return made.SerializeToString()


file = model()
(HERE / "bert.onnx").write_bytes(file)
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
cases = []
for batch, length in [(1, 5), (3, 7)]:
    ids = random.integers(0, WORDS, (batch, length))
    mask = (np.arange(length)[None] < random.integers(2, length + 1, (batch, 1))).astype(np.int64)
    types = random.integers(0, 2, (batch, length))
    (answer,) = session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": types})
    named = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types, "last_hidden_state": answer}
    cases.append({"shape": [batch, length], **{k: [float(f"{v:.7g}") if k[0] == "l" else int(v) for v in x.ravel()] for k, x in named.items()}})
(HERE / "bert.json").write_text(json.dumps(cases) + "\n")
