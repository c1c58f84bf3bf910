"""Writes quantized.json: small quantized ONNX models (QLinear operators, QuantizeLinear / DequantizeLinear networks, contributed operators of codes) with seeded
inputs and what onnxruntime gives, all of its graph optimizations on, as users have them.

    python packages/convert/test/golden/make-quantized.py    # needs the packages onnx, onnxruntime and numpy
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


def text(proto):
    return base64.b64encode(proto.SerializeToString()).decode()


def case(name, nodes, inputs, constants):
    """`nodes`: (domain, operator, inputs, outputs, attributes); the output is named y."""
    made = [helper.make_node(kind, names, outs, domain=domain, **attributes) for domain, kind, names, outs, attributes in nodes]
    infos = [helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in inputs.items()]
    initializers = [v if isinstance(v, onnx.TensorProto) else numpy_helper.from_array(v, k) for k, v in constants.items()]
    graph = helper.make_graph(made, name, infos, [helper.make_empty_tensor_value_info("y")], initializers)
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (y,) = session.run(["y"], inputs)
    cases.append({
        "name": name,
        "model": text(model),
        "inputs": [text(numpy_helper.from_array(v, k)) for k, v in inputs.items()],
        "outputs": [text(numpy_helper.from_array(np.asarray(y), "y"))],
    })


def codes(kind, *shape):
    info = np.iinfo(kind)
    return random.integers(info.min, info.max + 1, shape).astype(kind)


def narrow(kind, *shape):
    """Weights of 7 bits where they are signed: onnxruntime's kernels for AVX2 without VNNI saturate sums of two products of uint8 by int8, which is why its own
    documentation has reduce_range. Ours do not."""
    return codes(kind, *shape) if kind is np.uint8 else random.integers(-64, 64, shape).astype(np.int8)


def scalar(value, kind=np.float32):
    return np.array(value, kind)


def four_bits(name, values, kind):
    flat = values.astype(np.int64).ravel() & 15
    if flat.size % 2:
        flat = np.append(flat, 0)
    raw = (flat[0::2] | (flat[1::2] << 4)).astype(np.uint8).tobytes()
    return onnx.TensorProto(name=name, data_type=kind, dims=values.shape, raw_data=raw)


def qlinear_conv(name, activation, weight, *, channels=3, outputs=5, size=6, per_channel=True, bias=True, groups=1, **attributes):
    w = narrow(weight, outputs, channels // groups, 3, 3)
    scales = random.uniform(0.002, 0.02, outputs if per_channel else 1).astype(np.float32)
    zero_w = np.zeros(scales.shape, weight) if np.issubdtype(weight, np.signedinteger) else np.full(scales.shape, 128, weight)
    constants = {
        "xs": scalar(0.031), "xz": scalar(3, activation), "w": w,
        "ws": scales if per_channel else scalar(scales[0]), "wz": zero_w if per_channel else scalar(zero_w[0], weight),
        "ys": scalar(0.093), "yz": scalar(-7 if activation is np.int8 else 121, activation),
    }
    names = ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"]
    if bias:
        constants["b"] = random.integers(-3000, 3000, outputs).astype(np.int32)
        names.append("b")
    case(name, [("", "QLinearConv", names, ["y"], {"group": groups, **attributes})], {"x": codes(activation, 2, channels, size, size)}, constants)


qlinear_conv("QLinearConv uint8 by int8, per channel, bias, padding", np.uint8, np.int8, pads=[1, 1, 1, 1])
qlinear_conv("QLinearConv int8 by int8, strides", np.int8, np.int8, strides=[2, 2], per_channel=False)
qlinear_conv("QLinearConv uint8 by uint8, no bias", np.uint8, np.uint8, per_channel=False, bias=False)
qlinear_conv("QLinearConv depthwise", np.uint8, np.int8, channels=6, outputs=6, groups=6, pads=[1, 1, 1, 1])

for kind, weight in ((np.uint8, np.int8), (np.int8, np.int8), (np.uint8, np.uint8)):
    constants = {
        "as": scalar(0.017), "az": scalar(5, kind), "b": narrow(weight, 24, 7), "bs": scalar(0.011), "bz": scalar(0 if weight is np.int8 else 131, weight),
        "ys": scalar(0.21), "yz": scalar(9, kind),
    }
    case(f"QLinearMatMul {np.dtype(kind)} by {np.dtype(weight)}", [("", "QLinearMatMul", ["a", "as", "az", "b", "bs", "bz", "ys", "yz"], ["y"], {})],
         {"a": codes(kind, 4, 24)}, constants)


def qdq(name, scale, zero, x):
    """QuantizeLinear and DequantizeLinear of a value, their nodes and constants."""
    constants = {f"{name}s": scalar(scale), f"{name}z": zero}
    nodes = [
        ("", "QuantizeLinear", [x, f"{name}s", f"{name}z"], [f"{name}q"], {}),
        ("", "DequantizeLinear", [f"{name}q", f"{name}s", f"{name}z"], [f"{name}d"], {}),
    ]
    return nodes, constants


def weights(name, shape, axis):
    w = narrow(np.int8, *shape)
    scales = random.uniform(0.002, 0.01, shape[axis]).astype(np.float32)
    constants = {name: w, f"{name}s": scales, f"{name}z": np.zeros(shape[axis], np.int8)}
    return [("", "DequantizeLinear", [name, f"{name}s", f"{name}z"], [f"{name}d"], {"axis": axis})], constants


def bias(name, x_scale, w_scales):
    b = random.integers(-2000, 2000, len(w_scales)).astype(np.int32)
    constants = {name: b, f"{name}s": (np.float32(x_scale) * w_scales).astype(np.float32), f"{name}z": np.zeros(len(b), np.int32)}
    return [("", "DequantizeLinear", [name, f"{name}s", f"{name}z"], [f"{name}d"], {"axis": 0})], constants


# Two convolutions, a pool and a dense layer between QuantizeLinear and DequantizeLinear, as onnxruntime's quantize_static writes them.
for kind, zeros in ((np.uint8, (128, 0, 0, 119)), (np.int8, (1, -128, -128, -11))):
    parts = []
    parts.append(qdq("x", 0.031, scalar(zeros[0], kind), "x"))
    w1 = weights("w1", (6, 3, 3, 3), 0)
    parts += [w1, bias("b1", 0.031, w1[1]["w1s"])]
    parts.append(([("", "Conv", ["xd", "w1d", "b1d"], ["c1"], {"pads": [1, 1, 1, 1]}), ("", "Relu", ["c1"], ["r1"], {})], {}))
    parts.append(qdq("a", 0.047, scalar(zeros[1], kind), "r1"))
    parts.append(([("", "MaxPool", ["ad"], ["p"], {"kernel_shape": [2, 2], "strides": [2, 2]})], {}))
    parts.append(qdq("p", 0.047, scalar(zeros[1], kind), "p"))
    w2 = weights("w2", (8, 6, 3, 3), 0)
    parts += [w2, bias("b2", 0.047, w2[1]["w2s"])]
    parts.append(([("", "Conv", ["pd", "w2d", "b2d"], ["c2"], {}), ("", "Relu", ["c2"], ["r2"], {})], {}))
    parts.append(qdq("e", 0.083, scalar(zeros[2], kind), "r2"))
    parts.append(([("", "Flatten", ["ed"], ["f"], {})], {}))
    parts.append(qdq("f", 0.083, scalar(zeros[2], kind), "f"))
    w3 = weights("w3", (5, 32), 0)
    parts += [w3, bias("b3", 0.083, w3[1]["w3s"])]
    parts.append(([("", "Gemm", ["fd", "w3d", "b3d"], ["g"], {"transB": 1})], {}))
    last = scalar(zeros[3], kind)
    parts.append(([("", "QuantizeLinear", ["g", "ys", "yz"], ["y"], {})], {"ys": scalar(0.11), "yz": last}))
    nodes = [node for part, _ in parts for node in part]
    constants = {key: value for _, part in parts for key, value in part.items()}
    x = random.normal(0, 1.5, (3, 3, 8, 8)).astype(np.float32)
    case(f"QDQ network, {np.dtype(kind)} activations", nodes, {"x": x}, constants)

# Tables of codes.
ids = np.array([[0, 6, 2], [3, -1, 5]], np.int64)
signed = random.integers(-8, 8, (7, 40))
scales = random.uniform(0.01, 0.1, (7, 3)).astype(np.float32)
zero_points = random.integers(0, 16, (7, 3))
gather = lambda names, attributes: [("com.microsoft", "GatherBlockQuantized", names, ["y"], {"block_size": 16, **attributes})]
case("GatherBlockQuantized int4", gather(["t", "ids", "s"], {}), {"ids": ids}, {"t": four_bits("t", signed, TensorProto.INT4), "s": scales})
case("GatherBlockQuantized uint4, zero points", gather(["t", "ids", "s", "z"], {}), {"ids": ids},
     {"t": four_bits("t", signed + 8, TensorProto.UINT4), "s": scales, "z": four_bits("z", zero_points, TensorProto.UINT4)})
case("GatherBlockQuantized uint8 of 4 bits", gather(["t", "ids", "s"], {"bits": 4}), {"ids": ids.astype(np.int32)}, {"t": codes(np.uint8, 7, 20), "s": scales})
case("GatherBlockQuantized uint8 of 8 bits, zero points", gather(["t", "ids", "s", "z"], {"bits": 8}), {"ids": ids},
     {"t": codes(np.uint8, 7, 40), "s": scales, "z": codes(np.uint8, 7, 3)})
case("GatherBlockQuantized int4, axes the other way round", gather(["t", "ids", "s"], {"gather_axis": 1, "quantize_axis": 0}), {"ids": ids},
     {"t": four_bits("t", signed.T.copy(), TensorProto.INT4), "s": scales.T.copy()})

path = pathlib.Path(__file__).with_name("quantized.json")
path.write_text(json.dumps(cases, indent=1) + "\n")
print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")
