// Writes packages/core/src/generated/tier-probes.ts: per tier a module of a few hundred bytes that runs the instructions which the kernels rely on
// over fixed pseudo-random operands and hashes the results, and the hashes that the models below give. An engine whose hash differs does not get the tier.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import binaryen from "binaryen";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";

const rounds = 64;
const [multiplier, increment, fold] = [1664525, 1013904223, 16777619];

/** A vector seen as lanes; every view shares the 16 bytes. */
class Vector {
  constructor(bytes = new Uint8Array(16)) {
    this.u8 = bytes;
    this.i8 = new Int8Array(bytes.buffer);
    this.u16 = new Uint16Array(bytes.buffer);
    this.i16 = new Int16Array(bytes.buffer);
    this.u32 = new Uint32Array(bytes.buffer);
    this.i32 = new Int32Array(bytes.buffer);
    this.f32 = new Float32Array(bytes.buffer);
  }
  static of(lanes, count, value) {
    const made = new Vector();
    for (let i = 0; i < count; i++) made[lanes][i] = value(i);
    return made;
  }
}
const bytes = (value) => Vector.of("u8", 16, value);
const shorts = (value) => Vector.of("i16", 8, value);
const words = (value) => Vector.of("i32", 4, value);
const floats = (value) => Vector.of("f32", 4, value);
const clamp = (low, high, value) => Math.min(high, Math.max(low, value));
const popcount = (byte) => byte.toString(2).replaceAll("0", "").length;
const nearest = (x) => {
  const floor = Math.floor(x);
  const up = x - floor > 0.5 || (x - floor === 0.5 && floor % 2 !== 0);
  return up ? floor + 1 : floor === 0 && Object.is(Math.sign(x), -1) ? -0 : floor;
};
const pairs = (a, b, i) => a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1];
const { fround } = Math;

// Splats are a third of the bytes of constant vectors, and every page downloads them.
const splat32 = (value) => `(i32x4.splat (i32.const ${value}))`;
const splat8 = (value) => `(i8x16.splat (i32.const ${value}))`;
const splatReal = (value) => `(f32x4.splat (f32.const ${value}))`;
/** $f: the operand as floats around ±2048 with halves among them. */
const real =
  "(f32x4.mul (f32x4.convert_i32x4_s (i32x4.shr_s (local.get $a) (i32.const 12))) (f32x4.splat (f32.const 0.0078125)))";
const realOf = ({ i32 }) => floats((i) => fround((i32[i] >> 12) / 128));
const [a, b] = ["(local.get $a)", "(local.get $b)"];
const both = (first, second) => `(v128.xor ${first} ${second})`;
const xor = (x, y) => words((i) => x.i32[i] ^ y.i32[i]);

/** Per tier: name, its text over the operands $a and $b, and what it gives. */
const instructions = {
  simd128: [
    ["i8x16.popcnt", `(i8x16.popcnt ${a})`, ({ u8 }) => bytes((i) => popcount(u8[i]))],
    [
      "i8x16.swizzle",
      `(i8x16.swizzle ${a} (v128.and ${b} ${splat8(0x1f)}))`,
      ({ u8 }, { u8: at }) => bytes((i) => u8[at[i] & 0x1f] ?? 0),
    ],
    [
      "i32x4.dot_i16x8_s",
      `(i32x4.dot_i16x8_s ${a} ${b})`,
      ({ i16: x }, { i16: y }) => words((i) => pairs(x, y, i) | 0),
    ],
    [
      "i16x8.extmul_i8x16_s",
      both(`(i16x8.extmul_low_i8x16_s ${a} ${b})`, `(i16x8.extmul_high_i8x16_s ${b} ${a})`),
      ({ i8: x }, { i8: y }) =>
        xor(
          shorts((i) => x[i] * y[i]),
          shorts((i) => x[i + 8] * y[i + 8]),
        ),
    ],
    [
      "i16x8.extadd_pairwise_i8x16",
      both(`(i16x8.extadd_pairwise_i8x16_s ${a})`, `(i16x8.extadd_pairwise_i8x16_u ${b})`),
      ({ i8 }, { u8 }) =>
        xor(
          shorts((i) => i8[2 * i] + i8[2 * i + 1]),
          shorts((i) => u8[2 * i] + u8[2 * i + 1]),
        ),
    ],
    [
      "i32x4.extadd_pairwise_i16x8",
      both(`(i32x4.extadd_pairwise_i16x8_s ${a})`, `(i32x4.extadd_pairwise_i16x8_u ${b})`),
      ({ i16 }, { u16 }) =>
        xor(
          words((i) => i16[2 * i] + i16[2 * i + 1]),
          words((i) => u16[2 * i] + u16[2 * i + 1]),
        ),
    ],
    [
      "i8x16.narrow_i16x8",
      both(`(i8x16.narrow_i16x8_s ${a} ${b})`, `(i8x16.narrow_i16x8_u ${b} ${a})`),
      ({ i16: x }, { i16: y }) => {
        const lane = (first, second, i) => (i < 8 ? first[i] : second[i - 8]);
        return xor(
          bytes((i) => clamp(-128, 127, lane(x, y, i))),
          bytes((i) => clamp(0, 255, lane(y, x, i))),
        );
      },
    ],
    [
      "i16x8.narrow_i32x4_s",
      `(i16x8.narrow_i32x4_s (i32x4.shr_s ${a} (i32.const 14)) ${b})`,
      ({ i32: x }, { i32: y }) => shorts((i) => clamp(-32768, 32767, i < 4 ? x[i] >> 14 : y[i - 4])),
    ],
    [
      "u8x16 saturating add and sub",
      both(`(i8x16.add_sat_u ${a} ${b})`, `(i8x16.sub_sat_u ${a} ${b})`),
      ({ u8: x }, { u8: y }) =>
        xor(
          bytes((i) => Math.min(255, x[i] + y[i])),
          bytes((i) => Math.max(0, x[i] - y[i])),
        ),
    ],
    [
      "lane shifts",
      both(`(i16x8.shr_u ${a} (i32.const 4))`, `(i8x16.shr_s ${b} (i32.const 3))`),
      ({ u16 }, { i8 }) =>
        xor(
          shorts((i) => u16[i] >> 4),
          bytes((i) => i8[i] >> 3),
        ),
    ],
    [
      "i8x16.bitmask",
      `(i32x4.splat (i8x16.bitmask (i8x16.lt_s ${a} ${b})))`,
      ({ i8: x }, { i8: y }) => {
        const mask = [...x].reduce((bits, value, i) => bits | ((value < y[i] ? 1 : 0) << i), 0);
        return words(() => mask);
      },
    ],
    ["f32x4.nearest", `(f32x4.nearest ${real})`, (x) => floats((i) => nearest(realOf(x).f32[i]))],
    [
      "i32x4.trunc_sat_f32x4_s",
      `(i32x4.trunc_sat_f32x4_s (f32x4.mul ${real} (f32x4.convert_i32x4_s ${b})))`,
      (x, { i32 }) =>
        words((i) => clamp(-(2 ** 31), 2 ** 31 - 1, Math.trunc(fround(realOf(x).f32[i] * fround(i32[i]))))),
    ],
    [
      "f32x4 arithmetic",
      `(f32x4.add (f32x4.mul ${real} (f32x4.convert_i32x4_s ${b})) (f32x4.div ${real} (f32x4.sqrt (f32x4.abs (f32x4.convert_i32x4_s (v128.or ${b} ${splat32(1)}))))))`,
      (x, { i32 }) =>
        floats((i) => {
          const f = realOf(x).f32[i];
          const root = fround(Math.sqrt(Math.abs(fround(i32[i] | 1))));
          return fround(fround(f * fround(i32[i])) + fround(f / root));
        }),
    ],
    [
      "f32x4.pmin and pmax",
      `(f32x4.pmin (f32x4.pmax ${real} ${splatReal(-100)}) ${splatReal(50)})`,
      (x) => floats((i) => clamp(-100, 50, realOf(x).f32[i])),
    ],
  ],
  relaxed: [
    [
      "i8x16.relaxed_swizzle",
      `(i8x16.relaxed_swizzle ${a} (v128.and ${b} ${splat8(0x0f)}))`,
      ({ u8 }, { u8: at }) => bytes((i) => u8[at[i] & 0x0f]),
    ],
    [
      "i16x8.relaxed_dot_i8x16_i7x16_s",
      `(i16x8.relaxed_dot_i8x16_i7x16_s ${a} (v128.and ${b} ${splat8(0x7f)}))`,
      ({ i8: x }, { u8: y }) =>
        shorts((i) =>
          pairs(
            x,
            y.map((v) => v & 0x7f),
            i,
          ),
        ),
    ],
    [
      "i32x4.relaxed_dot_i8x16_i7x16_add_s",
      `(i32x4.relaxed_dot_i8x16_i7x16_add_s ${a} (v128.and ${b} ${splat8(0x7f)}) (local.get $h))`,
      ({ i8: x }, { u8 }, h) => {
        const y = u8.map((v) => v & 0x7f);
        return words((i) => (h.i32[i] + pairs(x, y, 2 * i) + pairs(x, y, 2 * i + 1)) | 0);
      },
    ],
  ],
};

/** `probe(which)`: 64 rounds of one instruction; every fourth round on bytes of -128 and 127 alone. */
const moduleText = (list) => {
  const functions = `
    (func $next (param $s v128) (result v128)
      (i32x4.add (i32x4.mul (local.get $s) ${splat32(multiplier)}) (v128.const i32x4 ${[0, 1, 2, 3].map((i) => increment + i).join(" ")})))
    (func $operand (param $s v128) (param $i i32) (result v128) (local $v v128)
      (local.set $v (v128.xor (local.get $s) (i32x4.shr_u (local.get $s) (i32.const 15))))
      (if (i32.eqz (i32.and (local.get $i) (i32.const 3)))
        (then (local.set $v (v128.xor (i8x16.shr_s (local.get $v) (i32.const 7)) ${splat8(0x7f)}))))
      (local.get $v))`;
  const next = (name) =>
    `(local.set $s (call $next (local.get $s))) (local.set ${name} (call $operand (local.get $s) (local.get $i)))`;
  const choices = list.map(
    ([, text], k) => `(if (i32.eq (local.get $which) (i32.const ${k})) (then (local.set $r ${text})))`,
  );
  const lane = (i) => `(i32x4.extract_lane ${i} (local.get $h))`;
  return `(module ${functions} (func (export "probe") (param $which i32) (result i32)
    (local $i i32) (local $s v128) (local $a v128) (local $b v128) (local $r v128) (local $h v128)
    (local.set $i (i32.const ${rounds}))
    (loop $again
      ${next("$a")} ${next("$b")}
      ${choices.join("\n")}
      (local.set $h (i32x4.add (i32x4.mul (local.get $h) ${splat32(fold)}) (local.get $r)))
      (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (i32.xor (i32.xor ${lane(0)} (i32.rotl ${lane(1)} (i32.const 7))) (i32.xor (i32.rotl ${lane(2)} (i32.const 14)) (i32.rotl ${lane(3)} (i32.const 21))))))`;
};

/** The same in plain JavaScript. */
function hashOf(model) {
  let s = new Vector();
  let h = new Vector();
  const operand = (round) => {
    const state = s;
    s = words((i) => (Math.imul(state.i32[i], multiplier) + increment + i) | 0);
    const mixed = words((i) => s.i32[i] ^ (s.u32[i] >>> 15));
    return round % 4 === 0 ? bytes((i) => (mixed.i8[i] >> 7) ^ 0x7f) : mixed;
  };
  for (let round = rounds; round > 0; round--) {
    const [x, y] = [operand(round), operand(round)];
    const r = model(x, y, h);
    const before = h;
    h = words((i) => (Math.imul(before.i32[i], fold) + r.i32[i]) | 0);
  }
  const rotated = (value, by) => (value << by) | (value >>> ((32 - by) % 32));
  return h.i32[0] ^ rotated(h.i32[1], 7) ^ rotated(h.i32[2], 14) ^ rotated(h.i32[3], 21);
}

export function writeTierProbes() {
  const entries = Object.entries(instructions).map(([tier, list]) => {
    const module = binaryen.parseText(moduleText(list));
    module.setFeatures(binaryen.Features.SIMD128 | (tier === "relaxed" ? binaryen.Features.RelaxedSIMD : 0));
    if (!module.validate()) throw new Error(`the probe of ${tier} is no valid module`);
    const base64 = Buffer.from(module.emitBinary()).toString("base64");
    module.dispose();
    const checks = list.map(([name, , model]) => `      ["${name}", ${hashOf(model)}],\n`).join("");
    return `  ${tier}: {\n    module:\n      "${base64}",\n    checks: [\n${checks}    ],\n  },\n`;
  });
  const text = `// Generated by scripts/tier-probes.mjs. Do not edit; \`pnpm generate\` writes it anew.
import type { Probe } from "../kernels/tiers.ts";

/** What an engine must answer to get a tier: \`probe(i)\` of the module is the hash of check i. */
export const tierProbes: { readonly simd128: Probe; readonly relaxed: Probe } = {
${entries.join("")}};
`;
  writeFileSync(join(root, "packages", "core", "src", "generated", "tier-probes.ts"), text);
}

await whenMain(import.meta.url, writeTierProbes);
