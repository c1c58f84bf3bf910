"""A small GGUF file of every tensor type that @lowbit/convert reads and every kind of metadata, with what the reference reads from it.

    pip install gguf==0.19.0 numpy && python make_gguf.py

Blocks are random bytes whose scales (numbers of f16) are finite. Writes types.gguf and types.json: SHA-256 of each tensor's f32, little-endian, row-major.
"""

import hashlib
import json
import pathlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T

HERE = pathlib.Path(__file__).parent
ROWS, COLUMNS = 2, 512
random = np.random.default_rng(20261127)

# Byte offsets of the f16 scales of a block.
HALVES = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108],
    T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_NL: [0], T.IQ4_XS: [0], T.TQ1_0: [52], T.TQ2_0: [64],
    T.MXFP4: [], T.Q8_K: [],
}


def blocks(kind):
    weights, size = gguf.GGML_QUANT_SIZES[kind]
    data = random.integers(0, 256, (ROWS, COLUMNS // weights, size), dtype=np.uint8)
    for at in HALVES[kind]:
        # An exponent of at most 15 + 3: finite, of either sign, denormals among them.
        data[..., at + 1] &= 0xCB
    if kind == T.TQ1_0:
        # The last trits' bytes hold four trits and a 0, as any writer leaves them.
        trits = random.integers(0, 3, (ROWS, COLUMNS // weights, 52, 5))
        trits[..., 48:, 4] = 0
        number = (trits * [81, 27, 9, 3, 1]).sum(-1)
        data[..., :52] = (number * 256 + 242) // 243
    if kind == T.MXFP4:
        # 12 by the highest powers of two is beyond f32.
        data[..., 0] %= 250
    if kind == T.Q8_K:
        data[..., :4] = random.normal(size=(ROWS, COLUMNS // weights, 1)).astype(np.float32).view(np.uint8)
    return data.reshape(ROWS, -1)


def dequantized(kind, data):
    if kind == T.Q8_K:  # gguf-py does not read it: d f32, 256 int8, 16 sums
        parts = data.reshape(ROWS, -1, 292)
        d = np.ascontiguousarray(parts[..., :4]).view(np.float32)
        return (d * parts[..., 4:260].view(np.int8).astype(np.float32)).reshape(ROWS, COLUMNS)
    return gguf.quants.dequantize(data, kind)


writer = gguf.GGUFWriter(HERE / "types.gguf", "test")
writer.add_uint8("u8", 200)
writer.add_int8("i8", -100)
writer.add_uint16("u16", 60000)
writer.add_int16("i16", -30000)
writer.add_uint32("u32", 4000000000)
writer.add_int32("i32", -2000000000)
writer.add_uint64("u64", 2**63)
writer.add_int64("i64", -5)
writer.add_float32("f32", 0.5)
writer.add_float64("f64", 0.1)
writer.add_bool("bool", True)
writer.add_string("string", "1.58 bits — ∛2")
writer.add_array("strings", ["a", "", "日本"])
writer.add_array("ints", [1, -2, 3])
writer.add_array("floats", [0.5, -1.5])
writer.add_array("bools", [True, False])

digests = {}


def add(name, values, data, kind):
    writer.add_tensor(name, data, raw_dtype=kind)
    digests[name] = hashlib.sha256(np.ascontiguousarray(values, dtype="<f4").tobytes()).hexdigest()


for kind in HALVES:
    data = blocks(kind)
    add(f"w.{kind.name}", dequantized(kind, data), data, kind)
floats = random.normal(size=(ROWS, 3)).astype(np.float32)
add("w.F32", floats, floats, T.F32)
add("w.F16", floats.astype(np.float16).astype(np.float32), floats.astype(np.float16), T.F16)
add("w.F64", floats, floats.astype(np.float64), T.F64)
half = (floats.view(np.uint32) >> 16).astype(np.uint16)
add("w.BF16", (half.astype(np.uint32) << 16).view(np.float32), half.view(np.uint8), T.BF16)
for kind, dtype in [(T.I8, np.int8), (T.I32, np.int32), (T.I64, np.int64)]:
    whole = random.integers(-100, 100, (ROWS, 2, 2)).astype(dtype)
    add(f"w.{kind.name}", whole.astype(np.float32), whole, kind)
row = blocks(T.Q8_0)[0]
add("row.Q8_0", gguf.quants.dequantize(row, T.Q8_0), row, T.Q8_0)

writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
(HERE / "types.json").write_text(json.dumps(digests, indent=2) + "\n")
