"""Writes packages/core/test/golden/blocks.json: what the reference functions of GGUF make of seeded weights.

    pip install numpy==2.4.6 gguf==0.19.0 ggml-python==0.0.45
    python scripts/make-block-golden.py LIBRARY

LIBRARY is libggml-base as the package ggml-python 0.0.45 installs it, compiled without fused operations (CFLAGS=-ffp-contract=off), whose functions
`quantize_row_*_ref` and `dequantize_row_*` are the reference. The types that the package gguf quantizes as well must be the same bytes there.
"""

import ctypes
import hashlib
import json
import pathlib
import sys

import gguf
import numpy as np

ROWS, COLUMNS = 6, 512
TYPES = {"q4_0": (32, 18), "q8_0": (32, 34), "tq1_0": (256, 54), "tq2_0": (256, 66), "q4_k": (256, 144)}
MASK = 0xFFFFFFFF


def generator(seed):
    """Uniform numbers of packages/core/src/quantize/random.ts: xoshiro128** from splitmix32."""
    s, state = seed & MASK, []
    for _ in range(4):
        s = (s + 0x9E3779B9) & MASK
        z = ((s ^ (s >> 16)) * 0x21F0AAAD) & MASK
        z = ((z ^ (z >> 15)) * 0x735A2D97) & MASK
        state.append(z ^ (z >> 15))

    def rotate(x, k):
        return ((x << k) | (x >> (32 - k))) & MASK

    def bits():
        result = (rotate((state[1] * 5) & MASK, 7) * 9) & MASK
        t = (state[1] << 9) & MASK
        state[2] ^= state[0]
        state[3] ^= state[1]
        state[1] ^= state[2]
        state[0] ^= state[3]
        state[2] ^= t
        state[3] = rotate(state[3], 11)
        return result

    return lambda: ((bits() >> 5) * 67108864 + (bits() >> 6)) / 9007199254740992


def weights(kind):
    """The same numbers as `sample` in packages/core/test/quantize/blocks.test.ts."""
    uniform = generator(99)

    def bell():
        total = -6.0
        for _ in range(12):
            total += uniform()
        return total

    draw = {
        "bell": lambda i: 0.05 * bell(),
        "heavy": lambda i: (lambda x: x * abs(x) * x)(bell()),
        "one-sided": lambda i: 0.01 + uniform(),
        "negative": lambda i: -1 - uniform(),
        "few": lambda i: int(uniform() * 4) - 1,
        "ternary": lambda i: (int(uniform() * 3) - 1) * 0.0625,
        # d of about 2^-18 and 2^-24: subnormal in f16.
        "small": lambda i: bell() * 2.0**-15,
        "tiny": lambda i: bell() * 2.0**-21,
        "large": lambda i: bell() * 4096,
        # Blocks of zeros, of one value, with one large weight.
        "mixed": lambda i: [0.0, 0.3, -0.7, bell()][i // 64 % 4] if i % 64 != 5 or i // 64 % 4 != 3 else 40.0,
    }[kind]
    return np.array([draw(i) for i in range(ROWS * COLUMNS)], dtype=np.float64).astype(np.float32)


def reference(library, name, x):
    block, size = TYPES[name]
    out = np.zeros(x.size // block * size, dtype=np.uint8)
    function = getattr(library, f"quantize_row_{name.replace('q4_k', 'q4_K')}_ref")
    function(x.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(x.size))
    return out


def decoded(library, name, blocks, count):
    out = np.zeros(count, dtype=np.float32)
    function = getattr(library, f"dequantize_row_{name.replace('q4_k', 'q4_K')}")
    function(blocks.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(count))
    return out


def main():
    library = ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)
    sha = lambda array: hashlib.sha256(array.tobytes()).hexdigest()[:32]
    cases = {}
    for kind in ["bell", "heavy", "one-sided", "negative", "few", "ternary", "small", "tiny", "large", "mixed"]:
        x = weights(kind)
        case = {"weights": sha(x)}
        for name in TYPES:
            blocks = reference(library, name, x)
            if name != "q4_k":
                qtype = gguf.GGMLQuantizationType[name.upper()]
                again = gguf.quants.quantize(x.reshape(ROWS, COLUMNS), qtype).reshape(-1)
                assert (again == blocks).all(), (kind, name)
            case[name] = {"blocks": sha(blocks), "floats": sha(decoded(library, name, blocks, x.size))}
        cases[kind] = case
    target = pathlib.Path(__file__).parent.parent / "packages/core/test/golden/blocks.json"
    target.write_text(json.dumps({"rows": ROWS, "columns": COLUMNS, "seed": 99, "cases": cases}, indent=2) + "\n")


main()
