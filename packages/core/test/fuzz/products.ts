/** Matrix products, alone and under a convolution. */
import { codesPerRow } from "../../src/graph/constants.ts";
import { decodeWeights } from "../../src/graph/decode.ts";
import type { Decoding } from "../../src/graph/types.ts";
import { AffineGemm, GroupedAffineGemm } from "../../src/kernels/affine-gemm.ts";
import { CodebookGemm } from "../../src/kernels/codebook-gemm.ts";
import { Convolution } from "../../src/kernels/convolution.ts";
import { GemmF32, MatmulF32 } from "../../src/kernels/gemm-f32.ts";
import { TernaryGemm } from "../../src/kernels/ternary-gemm.ts";
import { XnorGemm } from "../../src/kernels/xnor-gemm.ts";
import { naiveProduct, packCodes, packSigns } from "../kernels/random.ts";
import type { Draw } from "./draw.ts";
import { between, call, type Fuzzer, finish, pixels, readOf, windowed } from "./problem.ts";

const { fround } = Math;

/** Bytes and what they stand for. */
function activations(draw: Draw, count: number) {
  const dtype = draw.pick("int8", "uint8");
  const low = dtype === "int8" ? -128 : 0;
  const input = { dtype, zeroPoint: draw.integer(low, low + 255) } as const;
  const codes = draw.integers(count, low, low + 255);
  return { input, bytes: Uint8Array.from(codes), real: codes.map((code) => code - input.zeroPoint) };
}

export const xnorGemm: Fuzzer = (draw) => {
  const [rows, n, taps] = [draw.size(40), draw.size(70), draw.pick(1, 1, 9, 3)];
  const channels = draw.size(taps === 1 ? 600 : 70);
  const k = taps * channels;
  const x = draw.pick("bit", "trit");
  const values = draw.integers(rows * k, x === "trit" ? -1 : 0, 1).map((v) => (x === "bit" && v === 0 ? -1 : v));
  const signs = draw.integers(n * k, 0, 1);
  const output = draw.output(n);
  const codes = packCodes(signs, k, 1);
  return {
    text: `${rows} x ${taps}*${channels} x ${n}, ${x}, ${output.kind}`,
    run: (kernels) => {
      using gemm = new XnorGemm(kernels, { n, channels, taps, codes, x, output });
      const packed = packSigns(values, channels, x === "trit");
      return call(kernels, [packed], ...readOf(output, rows, n), (y, from) => gemm.run(from!, rows, y));
    },
    expected: () =>
      finish(
        naiveProduct(
          values,
          signs.map((bit) => 1 - 2 * bit),
          k,
        ),
        n,
        output,
      ),
  };
};

/** Bits under a window, padded by +1 or by the real 0. */
export const xnorConvolution: Fuzzer = (draw) => {
  const input = [draw.integer(1, 9), draw.integer(1, 9)] as const;
  const [channels, n, window] = [draw.size(140), draw.size(40), draw.window(input)];
  const padding = draw.pick<0 | "zero bits">(0, "zero bits");
  const values = draw.integers(input[0] * input[1] * channels, 0, 1).map((bit) => 1 - 2 * bit);
  const taps = window.kernel[0] * window.kernel[1];
  const signs = draw.integers(n * taps * channels, 0, 1);
  const output = draw.output(n);
  const [height, width] = windowed(input, window);
  return {
    text: `${input} x ${channels} -> ${n}, ${JSON.stringify(window)}, padding ${padding}, ${output.kind}`,
    run: (kernels) => {
      const gemm = new XnorGemm(kernels, { n, channels, taps, codes: packCodes(signs, taps * channels, 1), output });
      using conv = new Convolution(kernels, [gemm], { input, window, padding });
      const packed = packSigns(values, channels, false);
      return call(kernels, [packed], ...readOf(output, height * width, n), (y, from) => conv.run(from!, 1, y));
    },
    expected: () => {
      const outside = Array(channels).fill(padding === 0 ? 1 : 0);
      const rows = [...pixels(input, window)].flatMap((list) =>
        list.flatMap((pixel) =>
          pixel === undefined ? outside : values.slice(pixel * channels, (pixel + 1) * channels),
        ),
      );
      return finish(
        naiveProduct(
          rows,
          signs.map((bit) => 1 - 2 * bit),
          taps * channels,
        ),
        n,
        output,
      );
    },
  };
};

export const ternaryGemm: Fuzzer = (draw) => {
  const [rows, n, k] = [draw.size(36), draw.size(70), draw.size(700)];
  const { input, bytes, real } = activations(draw, rows * k);
  const sign = draw.integer(0, 3) === 0;
  const bits = sign ? 1 : draw.integer(2, 3);
  const codes = draw.integers(n * k, 0, sign ? 1 : 2);
  const output = draw.output(n);
  const options = {
    n,
    k,
    bits,
    codes: packCodes(codes, k, bits),
    zeroPoint: sign ? "sign" : 1,
    x: input,
    output,
  } as const;
  return {
    text: `${rows} x ${k} x ${n}, ${JSON.stringify(input)}, ${sign ? "sign" : `${bits} bits`}, ${output.kind}`,
    run: (kernels) => {
      using gemm = new TernaryGemm(kernels, options);
      return call(kernels, [bytes], ...readOf(output, rows, n), (y, from) => gemm.run(from!, rows, y));
    },
    expected: () =>
      finish(
        naiveProduct(
          real,
          codes.map((code) => (sign ? 1 - 2 * code : code - 1)),
          k,
        ),
        n,
        output,
      ),
  };
};

/** Codes whose integers lie inside -128..127. */
function affineCodes(draw: Draw, n: number, k: number) {
  const bits = draw.pick(2, 4, 8, draw.integer(1, 8));
  const zeroPoint = bits === 8 ? 128 : draw.integer(0, 2 ** bits - 1);
  const codes = draw.integers(n * k, 0, 2 ** bits - 1);
  return {
    options: { n, k, bits, codes: packCodes(codes, k, bits), zeroPoint },
    real: codes.map((c) => c - zeroPoint),
  };
}

export const affineGemm: Fuzzer = (draw) => {
  const [rows, n, k] = [draw.size(36), draw.size(70), draw.size(400)];
  const { input, bytes, real } = activations(draw, rows * k);
  const weights = affineCodes(draw, n, k);
  const output = draw.output(n);
  return {
    text: `${rows} x ${k} x ${n}, ${JSON.stringify(input)}, ${weights.options.bits} bits - ${weights.options.zeroPoint}, ${output.kind}`,
    run: (kernels) => {
      using gemm = new AffineGemm(kernels, { ...weights.options, x: input, output });
      return call(kernels, [bytes], ...readOf(output, rows, n), (y, from) => gemm.run(from!, rows, y));
    },
    expected: () => finish(naiveProduct(real, weights.real, k), n, output),
  };
};

export const groupedAffineGemm: Fuzzer = (draw) => {
  const [rows, n, k] = [draw.size(20), draw.size(40), draw.size(200)];
  const groupSize = Math.min(k, draw.pick(1, 16, 32, draw.integer(1, k)));
  const { input, bytes, real } = activations(draw, rows * k);
  const weights = affineCodes(draw, n, k);
  const groups = Math.ceil(k / groupSize);
  const [scale, bias, clamp] = [draw.floats(n * groups), draw.floats(n), draw.clamp()];
  return {
    text: `${rows} x ${k} x ${n} in groups of ${groupSize}, ${JSON.stringify(input)}, ${weights.options.bits} bits`,
    run: (kernels) => {
      const output = { kind: "f32", bias, clamp } as const;
      using gemm = new GroupedAffineGemm(kernels, {
        ...weights.options,
        zeroPoint: Int32Array.from({ length: n * groups }, () => weights.options.zeroPoint),
        x: input,
        groupSize,
        scale,
        output,
      });
      return call(kernels, [bytes], "f32", rows * n, (y, from) => gemm.run(from!, rows, y));
    },
    expected: () =>
      Array.from({ length: rows * n }, (_, at) => {
        const [m, column] = [Math.floor(at / n), at % n];
        let sum = 0;
        for (let g = 0; g < groups; g++) {
          let part = 0;
          for (let i = g * groupSize; i < Math.min(k, (g + 1) * groupSize); i++)
            part += real[m * k + i]! * weights.real[column * k + i]!;
          sum = fround(sum + fround(fround(part) * scale[column * groups + g]!));
        }
        const y = fround(sum + bias[column]!);
        return between(clamp[0], clamp[1], y);
      }),
  };
};

/** One chain over ascending k, every step rounded. */
function chains(x: Float32Array, w: (n: number, k: number) => number, k: number, n: number): number[] {
  return Array.from({ length: (x.length / k) * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n) * k, at % n];
    let sum = 0;
    for (let i = 0; i < k; i++) sum = fround(sum + fround(x[row + i]! * w(column, i)));
    return sum;
  });
}

export const gemmF32: Fuzzer = (draw) => {
  const [rows, n, k] = [draw.size(40), draw.size(80), draw.size(200)];
  const [x, weights, bias, [low, high]] = [draw.floats(rows * k), draw.floats(n * k), draw.floats(n), draw.clamp()];
  return {
    text: `${rows} x ${k} x ${n}`,
    run: (kernels) => {
      using gemm = new GemmF32(kernels, { n, k, weights, bias, clamp: [low, high] });
      return call(kernels, [x], "f32", rows * n, (y, from) => gemm.run(from!, rows, y));
    },
    expected: () =>
      chains(x, (c, i) => weights[c * k + i]!, k, n)
        .map((sum, at) => fround(sum + bias[at % n]!))
        .map((y) => between(low, high, y)),
  };
};

export const matmulF32: Fuzzer = (draw) => {
  const [m, n, k] = [draw.size(30), draw.size(40), draw.size(70)];
  const [a, b] = [draw.floats(m * k), draw.floats(k * n)];
  return {
    text: `${m} x ${k} x ${n}`,
    run: (kernels) => {
      using matmul = new MatmulF32(kernels, { m, n, k });
      return call(kernels, [a, b], "f32", m * n, (y, x, w) => matmul.run(x!, w!, y, 1, 0, 0));
    },
    expected: () => chains(a, (c, i) => b[i * n + c]!, k, n),
  };
};

export const codebookGemm: Fuzzer = (draw) => {
  const [rows, n, k] = [draw.size(20), draw.size(60), draw.size(150)];
  const kind = draw.pick("affine", "table", "offset", "bases", "additive", "hashed");
  const bits = kind === "hashed" ? 0 : draw.integer(1, 8);
  const decodings: Record<typeof kind, () => Decoding> = {
    affine: () => ({ kind: "affine", zeroPoint: draw.integer(0, 2 ** bits - 1) }),
    table: () => ({ kind: "table", codebook: draw.floats(2 ** bits) }),
    offset: () => ({ kind: "offset", offset: draw.floats(n) }),
    bases: () => ({ kind: "bases", coefficients: draw.floats(n * bits) }),
    additive: () => {
      const count = draw.integer(1, 3);
      return { kind: "additive", codebook: draw.floats(count * 2 ** bits), dimension: 1, count };
    },
    hashed: () => ({ kind: "hashed", values: draw.floats(draw.size(99)), seed: draw.integer(0, 2 ** 31) }),
  };
  const decoding = decodings[kind]();
  const perRow = codesPerRow(decoding, k);
  const [x, scale, bias] = [draw.floats(rows * k), draw.floats(n), draw.floats(n)];
  const codes = packCodes(draw.integers(n * perRow, 0, 2 ** bits - 1), perRow, bits);
  const coded = { bits, codes, decoding, scale, scaleShape: [n, 1] as const, groupSize: k };
  return {
    text: `${rows} x ${k} x ${n}, ${bits} bits, ${kind}`,
    run: (kernels) => {
      using gemm = new CodebookGemm(kernels, { n, k, ...coded, bias });
      return call(kernels, [x], "f32", rows * n, (y, from) => gemm.run(from!, rows, y));
    },
    expected: () => {
      const weights = decodeWeights({ kind: "quantized", scheme: "", shape: [n, k], ...coded });
      return chains(x, (c, i) => weights[c * k + i]!, k, n).map((sum, at) => fround(sum + bias[at % n]!));
    },
  };
};
