// Writes src/generated/limits-wasm.ts: loops of one instruction each, whose rates are the limits that a report measures kernels by.
// As hand-written WAT, so that nothing but the instruction, a load and an accumulation is in the loop: eight or twelve independent accumulators
// over a buffer, `reps` times. The relaxed ones are a module of their own, for older engines refuse it whole.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import binaryen from "binaryen";

const file = join(fileURLToPath(import.meta.url), "..", "..", "src", "generated", "limits-wasm.ts");
const chains = 8;
const each = (text, count = chains) => Array.from({ length: count }, (_, i) => text(i)).join("\n");

/** `(func (param p bytes reps))`; `step(i)` adds the 16 bytes at p + 16 i to accumulator i; $x is the block's first vector. */
const vector = (name, step, count = chains) => `
(func (export "${name}") (param $p i32) (param $bytes i32) (param $reps i32) (result i32)
  (local $q i32) (local $end i32) (local $x v128) ${each((i) => `(local $a${i} v128)`, count)}
  (local.set $end (i32.add (local.get $p) (local.get $bytes)))
  (loop $again
    (local.set $q (local.get $p))
    (loop $pass
      (local.set $x (v128.load (local.get $q)))
      ${each((i) => `(local.set $a${i} ${step(`(v128.load offset=${16 * i} (local.get $q))`, `(local.get $a${i})`)})`, count)}
      (local.set $q (i32.add (local.get $q) (i32.const ${16 * count})))
      (br_if $pass (i32.lt_u (local.get $q) (local.get $end))))
    (local.set $reps (i32.sub (local.get $reps) (i32.const 1)))
    (br_if $again (local.get $reps)))
  ${each((i) => (i ? `(local.set $a0 (v128.xor (local.get $a0) (local.get $a${i})))` : ""), count)}
  (i32x4.extract_lane 0 (local.get $a0)))`;

/** i64.popcnt has scalar accumulators of its own. */
const popcnt64 = `
(func (export "popcnt64") (param $p i32) (param $bytes i32) (param $reps i32) (result i32)
  (local $q i32) (local $end i32) ${each((i) => `(local $a${i} i64)`)}
  (local.set $end (i32.add (local.get $p) (local.get $bytes)))
  (loop $again
    (local.set $q (local.get $p))
    (loop $pass
      ${each((i) => `(local.set $a${i} (i64.add (local.get $a${i}) (i64.popcnt (i64.load offset=${8 * i} (local.get $q)))))`)}
      (local.set $q (i32.add (local.get $q) (i32.const ${8 * chains})))
      (br_if $pass (i32.lt_u (local.get $q) (local.get $end))))
    (local.set $reps (i32.sub (local.get $reps) (i32.const 1)))
    (br_if $again (local.get $reps)))
  ${each((i) => (i ? `(local.set $a0 (i64.add (local.get $a0) (local.get $a${i})))` : ""))}
  (i32.wrap_i64 (local.get $a0)))`;

/** As `read`, from four places in turn, 64 bytes each: memory gives more so than from one. */
const places = 4;
const readPlaces = `
(func (export "readPlaces") (param $p i32) (param $bytes i32) (param $reps i32) (result i32)
  (local $q i32) (local $end i32) (local $part i32) (local $place i32) ${each((i) => `(local $a${i} v128)`)}
  (local.set $part (i32.shr_u (local.get $bytes) (i32.const 2)))
  (local.set $end (i32.add (local.get $p) (local.get $part)))
  (loop $again
    (local.set $q (local.get $p))
    (loop $pass
      (local.set $place (local.get $q))
      ${Array.from({ length: 4 * places }, (_, i) => {
        const sum = `$a${i % chains}`;
        const next = "(local.set $place (i32.add (local.get $place) (local.get $part)))";
        const load = `(v128.load offset=${16 * (i % 4)} (local.get $place))`;
        return `(local.set ${sum} (v128.xor (local.get ${sum}) ${load}))${i % 4 === 3 ? next : ""}`;
      }).join("\n")}
      (local.set $q (i32.add (local.get $q) (i32.const 64)))
      (br_if $pass (i32.lt_u (local.get $q) (local.get $end))))
    (local.set $reps (i32.sub (local.get $reps) (i32.const 1)))
    (br_if $again (local.get $reps)))
  ${each((i) => (i ? `(local.set $a0 (v128.xor (local.get $a0) (local.get $a${i})))` : ""))}
  (i32x4.extract_lane 0 (local.get $a0)))`;

const x = "(local.get $x)";
/** Instruction by the name that limits.ts knows it by. */
const simd128 = {
  read: (load, a) => `(v128.xor ${a} ${load})`,
  popcnt8: (load, a) => `(i8x16.add ${a} (i8x16.popcnt ${load}))`,
  swizzle: (load, a) => `(v128.xor (i8x16.swizzle ${a} ${load}) ${x})`,
  dot16: (load, a) => `(i32x4.add ${a} (i32x4.dot_i16x8_s ${load} ${x}))`,
  f32: (load, a) => `(f32x4.add ${a} (f32x4.mul ${load} ${x}))`,
};
const relaxed = {
  relaxedSwizzle: (load, a) => `(v128.xor (i8x16.relaxed_swizzle ${a} ${load}) ${x})`,
  relaxedDot16: (load, a) => `(i16x8.add ${a} (i16x8.relaxed_dot_i8x16_i7x16_s ${load} ${x}))`,
  relaxedDot: (load, a) => `(i32x4.relaxed_dot_i8x16_i7x16_add_s ${load} ${x} ${a})`,
};

function compile(functions) {
  const module = binaryen.parseText(`(module (import "bench" "memory" (memory 1)) ${functions.join("\n")})`);
  module.setFeatures(binaryen.Features.All);
  if (!module.validate()) throw new Error("the loops are no valid module");
  const bytes = module.emitBinary();
  module.dispose();
  return Buffer.from(bytes).toString("base64");
}

/** A dot that adds up itself takes five cycles and two begin in each on an x64 with VNNI: eight of them would wait for each other. */
const counts = { relaxedDot: 12 };
const functions = (steps) => Object.entries(steps).map(([name, step]) => vector(name, step, counts[name]));
writeFileSync(
  file,
  `// Generated by bench/scripts/limits.mjs; do not edit.
/** Exports ${["popcnt64", "readPlaces", ...Object.keys(simd128)].join(", ")}: (pointer, bytes, repetitions) => a number to be ignored. */
export const simd128Loops =
  "${compile([popcnt64, readPlaces, ...functions(simd128)])}";
/** Exports ${Object.keys(relaxed).join(", ")}. */
export const relaxedLoops =
  "${compile(functions(relaxed))}";
`,
);
