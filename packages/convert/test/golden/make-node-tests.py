"""Writes node-tests.tar.gz, in the form of the ONNX project's own archives: models with inputs and expected outputs.

    pip install onnx==1.23.2 onnxruntime==1.32.0 numpy && python packages/convert/test/golden/make-node-tests.py

Of two kinds: the node tests of that project for operators that its older archive (shared/data) has none of, with operator sets above 25 as 25, in which these operators are the same, and NaN among the inputs, which a run refuses, as 0; and
`ours_*`, small models whose outputs are onnxruntime's.
"""
import gzip
import io
import pathlib
import re
import tarfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases

HERE = pathlib.Path(__file__).parent
OWN = re.compile(
    r"test_(lstm|gru|rnn|simple_rnn|einsum|loop11|scan9|cast_(FLOAT|FLOAT16|FLOAT8\w+)_to_(FLOAT|FLOAT16|FLOAT8\w+)$|cast_no_saturate"
    r"|castlike_.*FLOAT8\w+$|quantizelinear_e\dm\d|dequantizelinear_e\dm\d)"
)
# Inputs of these decide how much there is to do, and are constants in networks.
CONSTANTS = {"test_loop11": ["trip_count", "cond"]}
files = []
random = np.random.default_rng(7)


def tensor(value, name):
    return value.SerializeToString() if isinstance(value, TensorProto) else numpy_helper.from_array(np.asarray(value), name).SerializeToString()


def put(name, model, inputs, outputs):
    constants = CONSTANTS.get(name, [])
    for info, value in list(zip(model.graph.input, inputs)):
        if info.name in constants:
            model.graph.initializer.append(TensorProto.FromString(tensor(value, info.name)))
    given = [(info, value) for info, value in zip(model.graph.input, inputs) if info.name not in constants]
    del model.graph.input[:]
    model.graph.input.extend(info for info, _ in given)
    files.append((f"{name}/model.onnx", model.SerializeToString()))
    for kind, pairs in (("input", given), ("output", list(zip(model.graph.output, outputs)))):
        for i, (info, value) in enumerate(pairs):
            files.append((f"{name}/test_data_set_0/{kind}_{i}.pb", tensor(value, info.name)))


for case in collect_testcases():
    if not OWN.match(case.name) or case.name.endswith("_expanded") or "FLOAT4" in case.name or "FLOAT8E8M0" in case.name:
        continue
    for entry in case.model.opset_import:
        if entry.domain == "":
            entry.version = min(entry.version, 25)
    inputs, outputs = ([np.array(numpy_helper.to_array(v) if isinstance(v, TensorProto) else v) for v in values] for values in case.data_sets[0])
    holes = np.isnan(inputs[0].astype(np.float64))
    if holes.any():
        for value in (*inputs, *outputs):
            if value.shape == holes.shape:
                value[holes] = 0
    put(case.name, case.model, inputs, outputs)


def f32(*shape):
    return (random.integers(-16, 17, shape) / 16).astype(np.float32)


def ours(name, nodes, feed, constants, outputs, shapes=None, opset=17):
    infos = [
        helper.make_tensor_value_info(key, helper.np_dtype_to_tensor_dtype(value.dtype), (shapes or {}).get(key, value.shape))
        for key, value in feed.items()
    ]
    initializers = [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()]
    results = [helper.make_empty_tensor_value_info(key) for key in outputs]
    graph = helper.make_graph(nodes, name, infos, results, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    put(f"test_ours_{name}", model, list(feed.values()), session.run(list(outputs), feed))


def recurrent(name, kind, gates, *, directions=1, steps=5, batch=3, inputs=4, hidden=6, lengths=None, states=True, peepholes=False, **attributes):
    feed = {"x": f32(steps, batch, inputs)}
    constants = {"w": f32(directions, gates * hidden, inputs), "r": f32(directions, gates * hidden, hidden), "b": f32(directions, 2 * gates * hidden)}
    names = ["x", "w", "r", "b", "", "", "", ""]
    if lengths:
        feed["lengths"] = np.array(lengths, np.int32)
        names[4] = "lengths"
    if states:
        feed["h"] = f32(directions, batch, hidden)
        names[5] = "h"
        if kind == "LSTM":
            feed["c"] = f32(directions, batch, hidden)
            names[6] = "c"
    if peepholes:
        constants["p"] = f32(directions, 3 * hidden)
        names[7] = "p"
    while names[-1] == "":
        names.pop()
    outputs = ["y", "y_h", "y_c"][: 3 if kind == "LSTM" else 2]
    node = helper.make_node(kind, names, outputs, hidden_size=hidden, **attributes)
    shapes = {"x": ["steps", "batch", inputs], "lengths": ["batch"], "h": [directions, "batch", hidden], "c": [directions, "batch", hidden]}
    ours(name, [node], feed, constants, outputs, shapes)


both = {"directions": 2, "direction": "bidirectional"}
recurrent("lstm_everything", "LSTM", 4, lengths=[5, 2, 3], peepholes=True, clip=0.75, **both)
recurrent("lstm_reverse", "LSTM", 4, states=False, direction="reverse")
recurrent("lstm_functions", "LSTM", 4, activations=["HardSigmoid", "Softsign", "LeakyRelu"], activation_alpha=[0.25, 0.125], activation_beta=[0.5])
recurrent("lstm_one_step", "LSTM", 4, steps=1, batch=1)
recurrent("gru_reset_before", "GRU", 3, lengths=[1, 5, 4], **both)
recurrent("gru_reset_after", "GRU", 3, linear_before_reset=1, lengths=[5, 5, 2], **both)
recurrent("gru_reset_after_reverse", "GRU", 3, linear_before_reset=1, direction="reverse")
recurrent("rnn_relu", "RNN", 1, activations=["Relu"], states=False)
recurrent("rnn_both", "RNN", 1, activations=["Tanh", "Sigmoid"], lengths=[3, 4, 5], **both)


def einsum(name, equation, *operands, constants=(), shapes=None):
    names = [f"x{i}" for i in range(len(operands))]
    feed = {key: value for key, value in zip(names, operands) if key not in constants}
    fixed = {key: value for key, value in zip(names, operands) if key in constants}
    node = helper.make_node("Einsum", names, ["y"], equation=equation)
    ours(f"einsum_{name}", [node], feed, fixed, ["y"], shapes)


einsum("dense", "bsh,ho->bso", f32(2, 3, 4), f32(4, 5), constants=["x1"], shapes={"x0": ["b", "s", 4]})
einsum("dense_heads", "bsh,hnd->bnsd", f32(2, 3, 4), f32(4, 2, 3), constants=["x1"], shapes={"x0": ["b", "s", 4]})
einsum("dense_merge", "bnsd,ndh->bsh", f32(2, 2, 3, 4), f32(2, 4, 5), constants=["x1"], shapes={"x0": ["b", 2, "s", 4]})
einsum("dense_left", "ij,bjk->bik", f32(3, 4), f32(2, 4, 5), constants=["x0"])
einsum("scores", "bhqd,bhkd->bhqk", f32(2, 3, 4, 5), f32(2, 3, 6, 5), shapes={"x0": ["b", 3, "q", 5], "x1": ["b", 3, "k", 5]})
einsum("outer", "i,j->ji", f32(3), f32(4))
einsum("vector", "ij,j->i", f32(3, 4), f32(4))
einsum("dots", "...ij,...jk->...ik", f32(2, 3, 4), f32(2, 4, 2))
einsum("implicit", "ba,ca", f32(3, 4), f32(2, 4))
einsum("dot", "ij,ij->", f32(3, 4), f32(3, 4))
einsum("by_element", "bsd,bd->bsd", f32(2, 3, 4), f32(2, 4))
einsum("summed_alone", "ijk,jl->il", f32(2, 3, 4), f32(3, 5))
einsum("three", "ab,bc,cd->ad", f32(2, 3), f32(3, 4), f32(4, 2))
einsum("trace", "ii->", f32(4, 4))
einsum("diagonal", "...ii->...i", f32(2, 3, 3))


def body(nodes, inputs, outputs, initializers=()):
    infos = [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs]
    return helper.make_graph(nodes, "body", infos, [helper.make_empty_tensor_value_info(name) for name in outputs], list(initializers))


half = numpy_helper.from_array(np.float32(0.5), "half")
turn = [("i", TensorProto.INT64, []), ("holds", TensorProto.BOOL, []), ("state", TensorProto.FLOAT, [2, 3])]
nodes = [
    helper.make_node("Cast", ["i"], ["number"], to=TensorProto.FLOAT),
    helper.make_node("Mul", ["state", "half"], ["smaller"]),
    helper.make_node("Add", ["smaller", "number"], ["next"]),
    helper.make_node("Add", ["next", "x"], ["given"]),
    helper.make_node("Less", ["i", "three"], ["goes_on"]),
    helper.make_node("Identity", ["holds"], ["same"]),
]
counted = body(nodes, turn, ["same", "next", "given"], [half])
until = body(nodes, turn, ["goes_on", "next", "given"], [half])
feed = {"x": f32(2, 3)}
three = {"three": np.int64(3)}
loops = {"loop_counted": (counted, {"count": np.int64(4), **three}, ["count", "", "x"]), "loop_until": (until, {"true": np.bool_(True), **three}, ["", "true", "x"])}
for name, (graph, constants, names) in loops.items():
    ours(name, [helper.make_node("Loop", names, ["last", "all"], body=graph)], feed, constants, ["last", "all"])

nodes = [helper.make_node("Add", ["sum", "element"], ["next"]), helper.make_node("Mul", ["next", "half"], ["given"])]
scanned = body(nodes, [("sum", TensorProto.FLOAT, [2]), ("element", TensorProto.FLOAT, [2])], ["next", "given"], [half])
node = helper.make_node(
    "Scan", ["s", "x"], ["last", "all"], body=scanned, num_scan_inputs=1,
    scan_input_axes=[1], scan_input_directions=[1], scan_output_axes=[1], scan_output_directions=[1],
)
ours("scan_backwards", [node], {"s": f32(2), "x": f32(2, 4)}, {}, ["last", "all"])

nodes = [helper.make_node("NonZero", ["mask"], ["places"]), helper.make_node("Transpose", ["places"], ["rows"]), helper.make_node("GatherND", ["x", "rows"], ["y"])]
ours("nonzero_constant", nodes, {"x": f32(2, 3)}, {"mask": np.array([[1, 0, 2], [0, 0, 3]], np.float32)}, ["y"])

buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
    for path, data in files:
        info = tarfile.TarInfo(path)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
(HERE / "node-tests.tar.gz").write_bytes(gzip.compress(buffer.getvalue(), mtime=0))
print(len({path.split("/")[0] for path, _ in files}), "tests")
