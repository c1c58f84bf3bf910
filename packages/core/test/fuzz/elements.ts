/** Operators on elements, channels and axes. */
import { dequantizeActivations, quantizeActivations } from "../../src/kernels/activations.ts";
import { packPlanes, packSigns, packSignsInt8, packTrits } from "../../src/kernels/bitpack.ts";
import { Binary, clip, leakyRelu, sigmoid, sign, tanh } from "../../src/kernels/elementwise.ts";
import { BatchNorm, ChannelAffine, softmax, Threshold } from "../../src/kernels/normalize.ts";
import { copyRows, Pad, Transpose } from "../../src/kernels/transform.ts";
import { roundTiesToEven } from "../../src/runtime/lower/requantize.ts";
import { packSigns as naivePack } from "../kernels/random.ts";
import type { Draw } from "./draw.ts";
import { between, call, type Fuzzer, type Problem } from "./problem.ts";

const { fround } = Math;

export const quantizing: Fuzzer = (draw) => {
  const [count, dtype] = [draw.size(400), draw.pick("int8", "uint8")];
  const low = dtype === "int8" ? -128 : 0;
  const quantization = { scale: fround(draw.integer(1, 9999) / 3333), zeroPoint: draw.integer(low, low + 255) };
  const x = draw
    .anyFloats(count)
    .map((v) => (Number.isFinite(v) && draw.integer(0, 3) === 0 ? Math.round(v) + 0.5 : v));
  return {
    text: `quantize ${count}, ${dtype}, ${JSON.stringify(quantization)}`,
    run: (kernels) =>
      call(kernels, [x], dtype === "int8" ? "i8" : "u8", count, (y, from) =>
        quantizeActivations(kernels, from!, count, y, dtype, quantization.scale, quantization.zeroPoint),
      ),
    expected: () =>
      Array.from(x, (v) => {
        const q = fround(v / quantization.scale);
        if (Number.isNaN(q)) return quantization.zeroPoint;
        const rounded = Number.isFinite(q) ? roundTiesToEven(q) + quantization.zeroPoint : q;
        return between(low, low + 255, rounded);
      }),
  };
};

export const dequantizing: Fuzzer = (draw) => {
  const [count, dtype] = [draw.size(400), draw.pick("int8", "uint8")];
  const low = dtype === "int8" ? -128 : 0;
  const quantization = { scale: fround(draw.integer(1, 9999) / 3333), zeroPoint: draw.integer(low, low + 255) };
  const x = draw.integers(count, low, low + 255);
  return {
    text: `dequantize ${count}, ${dtype}, ${JSON.stringify(quantization)}`,
    run: (kernels) =>
      call(kernels, [Uint8Array.from(x)], "f32", count, (y, from) =>
        dequantizeActivations(kernels, from!, count, y, dtype, quantization.scale, quantization.zeroPoint),
      ),
    expected: () => x.map((v) => fround((v - quantization.zeroPoint) * quantization.scale)),
  };
};

export const elementwise: Fuzzer = (draw) => {
  const count = draw.size(300);
  const kind = draw.pick("binary", "clip", "leakyRelu", "sign", "sigmoid", "tanh");
  if (kind === "binary") return binary(draw);
  const x = kind === "sigmoid" || kind === "tanh" ? draw.floats(count) : draw.anyFloats(count);
  const [low, high] = [draw.integer(-50, 0), draw.integer(0, 50)];
  const alpha = fround(draw.integer(-100, 100) / 77);
  const kernel = { clip, leakyRelu, sign, sigmoid, tanh }[kind];
  const naive = {
    clip: (v: number) => between(low, high, v),
    leakyRelu: (v: number) => (v < 0 ? fround(v * alpha) : v),
    sign: (v: number) => (v > 0 ? 1 : v < 0 ? -1 : 0),
    sigmoid: (v: number) => 1 / (1 + Math.exp(-v)),
    tanh: Math.tanh,
  }[kind];
  const more = kind === "clip" ? [low, high] : kind === "leakyRelu" ? [alpha] : [];
  return {
    text: `${kind} of ${count}`,
    run: (kernels) =>
      call(kernels, [x], "f32", count, (y, from) => {
        (kernel as (...parameters: unknown[]) => void)(kernels, from!, count, y, ...more);
      }),
    expected: () => Array.from(x, naive),
    ...(kind === "sigmoid" || kind === "tanh" ? { tolerance: 1e-5 } : {}),
  };
};

function binary(draw: Draw): Problem {
  const shape = Array.from({ length: draw.integer(1, 4) }, () => draw.integer(1, 7));
  const side = () => shape.slice(draw.integer(0, shape.length - 1)).map((size) => (draw.integer(0, 2) ? size : 1));
  const [a, b] = [draw.integer(0, 1) ? shape : side(), side()];
  const rank = Math.max(a.length, b.length);
  const along = (s: readonly number[], axis: number) => s[axis - rank + s.length] ?? 1;
  const out = Array.from({ length: rank }, (_, axis) => Math.max(along(a, axis), along(b, axis)));
  const size = (s: readonly number[]) => s.reduce((product, d) => product * d, 1);
  const op = draw.pick("add", "sub", "mul", "div");
  const [x, y] = [draw.anyFloats(size(a)), draw.anyFloats(size(b))];
  const compute = {
    add: (p: number, q: number) => p + q,
    sub: (p: number, q: number) => p - q,
    mul: (p: number, q: number) => p * q,
    div: (p: number, q: number) => p / q,
  }[op];
  const offset = (s: readonly number[], index: readonly number[]) =>
    s.reduce((sum, d, i) => sum * d + (d === 1 ? 0 : index[i + rank - s.length]!), 0);
  return {
    text: `${op} of [${a}] and [${b}]`,
    run: (kernels) => {
      using made = new Binary(kernels, { op, a, b });
      return call(kernels, [x, y], "f32", size(out), (to, p, q) => made.run(p!, q!, to));
    },
    expected: () =>
      Array.from({ length: size(out) }, (_, at) => {
        const index = out.map((d, axis) => Math.floor(at / size(out.slice(axis + 1))) % d);
        return fround(compute(x[offset(a, index)]!, y[offset(b, index)]!));
      }),
  };
}

export const normalize: Fuzzer = (draw) => {
  const [rows, channels] = [draw.size(20), draw.size(140)];
  const count = rows * channels;
  const [scale, bias] = [draw.floats(channels), draw.floats(channels)];
  switch (draw.pick("affine", "batchNorm", "threshold", "softmax")) {
    case "affine": {
      const [integer, [low, high]] = [draw.integer(0, 1) === 1, draw.clamp()];
      const x = integer ? Int32Array.from(draw.integers(count, -(2 ** 31), 2 ** 31 - 1)) : draw.floats(count);
      return {
        text: `affine, ${rows} x ${channels} of ${integer ? "int32" : "f32"}`,
        run: (kernels) => {
          const clamp = [low, high] as const;
          using made = new ChannelAffine(kernels, { dtype: integer ? "int32" : "f32", scale, bias, clamp });
          return call(kernels, [x], "f32", count, (y, from) => made.run(from!, rows, y));
        },
        expected: () =>
          Array.from(x as ArrayLike<number>, (v, i) =>
            between(low, high, fround(fround(fround(v) * scale[i % channels]!) + bias[i % channels]!)),
          ),
      };
    }
    case "batchNorm": {
      const [x, mean, epsilon] = [draw.floats(count), draw.floats(channels), fround(1e-3)];
      const variance = draw.floats(channels).map(Math.abs);
      return {
        text: `batch normalization, ${rows} x ${channels}`,
        run: (kernels) => {
          using made = new BatchNorm(kernels, { scale, bias, mean, variance, epsilon });
          return call(kernels, [x], "f32", count, (y, from) => made.run(from!, rows, y));
        },
        expected: () =>
          Array.from(x, (v, i) => {
            const c = i % channels;
            const deviation = fround(Math.sqrt(fround(variance[c]! + epsilon)));
            return fround(fround(fround(fround(v - mean[c]!) / deviation) * scale[c]!) + bias[c]!);
          }),
      };
    }
    case "threshold": {
      const [x, thresholds] = [draw.integers(count, -99, 99), Int32Array.from(draw.integers(channels, -99, 99))];
      return {
        text: `threshold, ${rows} x ${channels}`,
        run: (kernels) => {
          using made = new Threshold(kernels, thresholds);
          const words = rows * Math.ceil(channels / 32);
          return call(kernels, [Int32Array.from(x)], "u32", words, (y, from) => made.run(from!, rows, y));
        },
        expected: () =>
          naivePack(
            x.map((v, i) => (v < thresholds[i % channels]! ? -1 : 1)),
            channels,
            false,
          ),
      };
    }
    default: {
      const x = draw.floats(count);
      return {
        text: `softmax, ${rows} x ${channels}`,
        run: (kernels) =>
          call(kernels, [x], "f32", count, (y, from) => softmax(kernels, from!, [rows, channels, 1], y)),
        expected: () =>
          Array.from({ length: rows }, (_, row) => {
            const line = [...x.subarray(row * channels, (row + 1) * channels)];
            const powers = line.map((v) => Math.exp(v - Math.max(...line)));
            return powers.map((power) => power / powers.reduce((sum, other) => sum + other, 0));
          }).flat(),
        tolerance: 1e-4,
      };
    }
  }
};

export const transform: Fuzzer = (draw) => {
  const shape = Array.from({ length: draw.integer(1, 4) }, () => draw.integer(1, 9));
  const size = (s: readonly number[]) => s.reduce((product, d) => product * d, 1);
  const x = Int32Array.from(draw.integers(size(shape), -999, 999));
  const place = (index: readonly number[], s: readonly number[]) => index.reduce((at, i, axis) => at * s[axis]! + i, 0);
  const indices = (s: readonly number[]) =>
    Array.from({ length: size(s) }, (_, at) => s.map((d, axis) => Math.floor(at / size(s.slice(axis + 1))) % d));
  switch (draw.pick("transpose", "pad", "copyRows")) {
    case "transpose": {
      const permutation = shape.map((_, i) => i).sort(() => draw.integer(-1, 1));
      const out = permutation.map((axis) => shape[axis]!);
      return {
        text: `transpose [${shape}] by [${permutation}]`,
        run: (kernels) => {
          using made = new Transpose(kernels, { shape, permutation, elementBytes: 4 });
          return call(kernels, [x], "i32", x.length, (y, from) => made.run(from!, y));
        },
        expected: () =>
          indices(out).map(
            (index) =>
              x[
                place(
                  shape.map((_, axis) => index[permutation.indexOf(axis)]!),
                  shape,
                )
              ]!,
          ),
      };
    }
    case "pad": {
      const pads = Array.from({ length: 2 * shape.length }, () => draw.integer(0, 3));
      const out = shape.map((d, axis) => d + pads[axis]! + pads[axis + shape.length]!);
      return {
        text: `pad [${shape}] by [${pads}]`,
        run: (kernels) => {
          using made = new Pad(kernels, { shape, pads, value: Uint8Array.of(7, 0, 0, 0) });
          return call(kernels, [x], "i32", size(out), (y, from) => made.run(from!, y));
        },
        expected: () =>
          indices(out).map((index) => {
            const from = index.map((i, axis) => i - pads[axis]!);
            return from.every((i, axis) => i >= 0 && i < shape[axis]!) ? x[place(from, shape)]! : 7;
          }),
      };
    }
    default: {
      const [rows, row, stride] = [draw.size(20), draw.size(40), draw.integer(0, 9)];
      const data = Int32Array.from(draw.integers(rows * row, -99, 99));
      return {
        text: `copy ${rows} rows of ${row}, ${row + stride} apart`,
        run: (kernels) =>
          call(kernels, [data], "i32", rows * (row + stride), (y, from) => {
            kernels.i32(y, rows * (row + stride)).fill(0);
            copyRows(kernels, from!, rows, row * 4, y, (row + stride) * 4);
          }),
        expected: () =>
          Array.from({ length: rows * (row + stride) }, (_, at) => {
            const [r, c] = [Math.floor(at / (row + stride)), at % (row + stride)];
            return c < row ? data[r * row + c]! : 0;
          }),
      };
    }
  }
};

export const bitpack: Fuzzer = (draw) => {
  const [rows, channels] = [draw.size(20), draw.size(300)];
  const words = rows * Math.ceil(channels / 32);
  const kind = draw.pick("signs", "trits", "bytes", "planes");
  if (kind === "planes") {
    const [x, bits] = [draw.integers(rows * channels, 0, 255), draw.integer(1, 8)];
    return {
      text: `${bits} planes of ${rows} x ${channels}`,
      run: (kernels) =>
        call(kernels, [Uint8Array.from(x)], "u32", bits * words, (y, from) =>
          packPlanes(kernels, from!, rows, channels, bits, y),
        ),
      expected: () =>
        naivePack(
          Array.from({ length: rows * bits * channels }, (_, at) => {
            const [row, bit] = [Math.floor(at / channels / bits), Math.floor(at / channels) % bits];
            return (x[row * channels + (at % channels)]! >> bit) & 1 ? 1 : -1;
          }),
          channels,
          false,
        ),
    };
  }
  if (kind === "bytes") {
    const dtype = draw.pick("int8", "uint8");
    const low = dtype === "int8" ? -128 : 0;
    const [x, zeroPoint] = [draw.integers(rows * channels, low, low + 255), draw.integer(low, low + 255)];
    return {
      text: `signs of ${rows} x ${channels} ${dtype} - ${zeroPoint}`,
      run: (kernels) =>
        call(kernels, [Uint8Array.from(x)], "u32", words, (y, from) =>
          packSignsInt8(kernels, from!, rows, channels, y, { dtype, zeroPoint }),
        ),
      expected: () =>
        naivePack(
          x.map((v) => (v < zeroPoint ? -1 : 1)),
          channels,
          false,
        ),
    };
  }
  const x = draw.integer(0, 3) ? draw.anyFloats(rows * channels) : draw.floats(rows * channels);
  const signOf = (v: number) => (v < 0 ? -1 : v > 0 || kind === "signs" ? 1 : 0);
  const asTrits = kind === "trits" && [...x].some((v) => signOf(v) === 0 || Number.isNaN(v));
  return {
    text: `${kind} of ${rows} x ${channels}`,
    run: (kernels) => {
      const all = call(kernels, [x], "u32", 2 * words, (y, from) =>
        kind === "signs" ? packSigns(kernels, from!, rows, channels, y) : packTrits(kernels, from!, rows, channels, y),
      );
      return all.slice(0, asTrits ? 2 * words : words);
    },
    expected: () =>
      naivePack(
        [...x].map((v) => (Number.isNaN(v) ? signOf(0) : signOf(v))),
        channels,
        asTrits,
      ),
  };
};
