"""Writes movement.json: small ONNX models of operators that move elements, in the forms of old and new operator sets and with sizes that are computed
when they run, with seeded inputs and what onnxruntime gives.

    python packages/convert/test/golden/make-movement.py    # needs the packages onnx, onnxruntime and numpy
"""
import base64
import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(6)
cases = []


def f32(*shape):
    return random.integers(-20, 20, shape).astype(np.float32) / 2


def i64(*values):
    return np.array(values, np.int64)


def case(name, nodes, inputs, *, opset=17, shapes=None, constants=None, outputs=1):
    """`nodes`: (operator, inputs, attributes) whose outputs are their position, "0", "1:0" ...; inputs are named x0, x1 ..."""
    made = []
    for at, (kind, names, attributes, *count) in enumerate(nodes):
        out = [f"{at}" if i == 0 else f"{at}:{i}" for i in range(count[0] if count else 1)]
        made.append(helper.make_node(kind, names, out, **attributes))
    feed = {f"x{i}": np.asarray(value) for i, value in enumerate(inputs)}
    shapes = shapes or {}
    infos = [
        helper.make_tensor_value_info(key, helper.np_dtype_to_tensor_dtype(value.dtype), shapes.get(key, value.shape))
        for key, value in feed.items()
    ]
    initializers = [numpy_helper.from_array(value, key) for key, value in (constants or {}).items()]
    results = [made[-1].output[i] for i in range(outputs)]
    outs = [helper.make_empty_tensor_value_info(key) for key in results]
    graph = helper.make_graph(made, name, infos, outs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    values = session.run(results, feed)
    text = lambda proto: base64.b64encode(proto.SerializeToString()).decode()
    cases.append({
        "name": name,
        "model": text(model),
        "inputs": [text(numpy_helper.from_array(value, key)) for key, value in feed.items()],
        "outputs": [text(numpy_helper.from_array(np.asarray(value), key)) for key, value in zip(results, values)],
    })


x = f32(2, 3, 4)
case("slice of operator set 9", [("Slice", ["x0"], {"starts": [1, -3], "ends": [3, 99], "axes": [1, 2]})], [x], opset=9)
case("split of operator set 11", [("Split", ["x0"], {"axis": 1, "split": [1, 2]}, 2)], [x], opset=11, outputs=2)
case("split of operator set 11, equal", [("Split", ["x0"], {"axis": -1}, 2)], [x], opset=11, outputs=2)
case("unsqueeze and squeeze of operator set 11",
     [("Unsqueeze", ["x0"], {"axes": [0, -1]}), ("Squeeze", ["0"], {"axes": [0]})], [x], opset=11)
case("pad of operator set 10", [("Pad", ["x0"], {"mode": "reflect", "pads": [0, 1, 2, 0, 1, 1]})], [x], opset=10)
case("pad cutting off", [("Pad", ["x0", "x1", "x2"], {})], [x, i64(0, -1, 2, 1, -1, -1), np.float32(2.5)], opset=13)
case("pad of int64, wrapped", [("Pad", ["x0", "x1", "", "x2"], {"mode": "wrap"})],
     [x.astype(np.int64), i64(2, 1, 3, 2), i64(-1, 0)], opset=19)
case("tile", [("Tile", ["x0", "x1"], {})], [x, i64(2, 1, 3)])
case("expand", [("Expand", ["x0", "x1"], {})], [f32(3, 1), i64(2, 1, 4)])
case("size", [("Size", ["x0"], {})], [x], shapes={"x0": ["N", 3, "S"]})
case("shape", [("Shape", ["x0"], {"start": -2})], [x], shapes={"x0": ["N", 3, "S"]})
case("constant of shape", [("ConstantOfShape", ["x0"], {"value": helper.make_tensor("v", TensorProto.INT32, [1], [7])})], [i64(2, 3)])
case("depth to space", [("DepthToSpace", ["x0"], {"blocksize": 2, "mode": "CRD"})], [f32(1, 8, 2, 3)])
case("space to depth", [("SpaceToDepth", ["x0"], {"blocksize": 2})], [f32(2, 3, 4, 6)])
case("scatter of operator set 10", [("Scatter", ["x0", "x1", "x2"], {"axis": 1})], [f32(3, 4), i64(1, 3, 0, 2).reshape(2, 2), f32(2, 2)], opset=10)
for reduction, opset in [("none", 11), ("add", 16), ("mul", 16), ("min", 18), ("max", 18)]:
    attributes = {} if reduction == "none" else {"reduction": reduction}
    at = random.integers(-4, 4, (3, 3)) if reduction != "none" else i64(0, 1, 2, 3, -2, 0, 1, -1, 2).reshape(3, 3)
    case(f"scatter elements, {reduction}", [("ScatterElements", ["x0", "x1", "x2"], {"axis": -1, **attributes})],
         [f32(3, 4), at.astype(np.int64), f32(3, 3)], opset=opset)
    case(f"scatter nd, {reduction}", [("ScatterND", ["x0", "x1", "x2"], attributes)],
         [f32(4, 2, 3), i64(0, 1, 3, -2, 2, 0).reshape(3, 2), f32(3, 3)], opset=opset)
case("gather of int32 by int32", [("Gather", ["x0", "x1"], {"axis": 1})], [x.astype(np.int32), np.array([[2, -1]], np.int32)])
case("gather elements", [("GatherElements", ["x0", "x1"], {"axis": 0})], [x, random.integers(-2, 2, (3, 2, 4)).astype(np.int64)])
case("gather nd with batches", [("GatherND", ["x0", "x1"], {"batch_dims": 1})], [x, i64(0, 1, 2, -4).reshape(2, 1, 2)])
case("one hot", [("OneHot", ["x0", "x1", "x2"], {"axis": 1})], [random.integers(-6, 7, (2, 3)).astype(np.int64), i64(4), np.array([2, 5], np.float32)], opset=11)
case("one hot of floats", [("OneHot", ["x0", "x1", "x2"], {})],
     [np.array([1, -2, 0], np.float32), np.float32(4), np.array([0, 1], np.float32)], opset=11)
case("range", [("Range", ["x0", "x1", "x2"], {})], [np.float32(1), np.float32(4.1), np.float32(0.5)])
case("range backwards", [("Range", ["x0", "x1", "x2"], {})], [np.int64(9), np.int64(-2), np.int64(-3)])
case("trilu, upper", [("Trilu", ["x0", "x1"], {})], [x, np.int64(1)])
case("trilu, lower", [("Trilu", ["x0"], {"upper": 0})], [x.astype(np.int64)])
case("center crop pad", [("CenterCropPad", ["x0", "x1"], {"axes": [1, 2]})], [x, i64(5, 3)], opset=18)
case("reshape to values", [("Reshape", ["x0", "x1"], {})], [x, i64(0, -1, 2)])
case("heads of a transformer", [
    ("Shape", ["x0"], {}), ("Gather", ["0", "first"], {"axis": 0}), ("Gather", ["0", "second"], {"axis": 0}),
    ("Unsqueeze", ["1", "zero"], {}), ("Unsqueeze", ["2", "zero"], {}), ("Concat", ["3", "4", "heads", "size"], {"axis": 0}),
    ("Reshape", ["x0", "5"], {}), ("Transpose", ["6"], {"perm": [0, 2, 1, 3]}), ("Reshape", ["7", "flat"], {}),
], [f32(2, 5, 6)], shapes={"x0": ["N", "S", 6]},
     constants={"first": np.int64(0), "second": np.int64(1), "zero": i64(0), "heads": i64(2), "size": i64(3), "flat": i64(-1, 3)})
case("positions of a sequence", [
    ("Shape", ["x0"], {}), ("Gather", ["0", "second"], {"axis": 0}), ("Range", ["zero", "1", "one"], {}),
    ("Gather", ["table", "2"], {"axis": 0}),
], [f32(2, 5)], shapes={"x0": ["N", "S"]}, constants={"second": np.int64(1), "zero": np.int64(0), "one": np.int64(1), "table": f32(9, 4)})
case("a past and what is new", [("Concat", ["x0", "x1"], {"axis": 1})], [f32(2, 3, 2), f32(2, 1, 2)], shapes={"x0": ["N", "P", 2], "x1": ["N", 1, 2]})
case("a slice to the length of another", [
    ("Shape", ["x1"], {}), ("Slice", ["x0", "zero", "0", "zero"], {}),
], [f32(6, 2), f32(4)], shapes={"x1": ["S"]}, constants={"zero": i64(0)})

case("expand to where -1 stays", [
    ("Shape", ["x1"], {}), ("Concat", ["0", "minus"], {"axis": 0}), ("Equal", ["1", "minus"], {}), ("ConstantOfShape", ["two"], {"value": helper.make_tensor("v", TensorProto.INT64, [1], [1])}),
    ("Where", ["2", "3", "1"], {}), ("Expand", ["x0", "4"], {}),
], [f32(1, 3), f32(4)], shapes={"x1": ["S"]}, constants={"minus": i64(-1), "two": i64(2)})

path = pathlib.Path(__file__).with_name("movement.json")
path.write_text(json.dumps(cases, indent=1) + "\n")
print(len(cases), "cases,", path.stat().st_size, "bytes")
