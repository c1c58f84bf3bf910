// Turns the functions that a panic ends in into bare traps, and blanks the source locations that they were given, with their texts. The module's host
// learns of a panic by the trap; text, hooks and file names reach nobody, are a sixth of the module, and would put the builder's paths into it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import binaryen from "binaryen";
import { root } from "./setup/paths.mjs";

/** Functions of Rust's own libraries that never return, or that only these call. */
const diverging =
  /^<?(core|alloc|std|__rustc)\b.*(panic|unwrap_failed|expect_failed|slice_index_fail|len_mismatch_fail|raw_vec::handle_error|alloc_error|capacity_overflow|rust_begin_unwind)/;

/** What our crates would write: literals of several words. */
const ours = ["crates/kernels/src", "crates/wasm/src"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith(".rs"))
    .flatMap((name) => readFileSync(join(root, folder, name), "utf8").match(/(?<=")[^"\\\n]{7,}(?=")/g) ?? [])
    .filter((text) => /^[\w`]+ [ -~]+$/.test(text)),
);

/** What Rust's own libraries would write, and ours. Whole texts only, so that a table of numbers is not taken for one. */
const texts = [
  "slice index starts at ",
  "index out of bounds: the len is ",
  " but the index is ",
  "range start index ",
  "range end index ",
  " out of range for slice of length ",
  "min > max. min = ",
  "assertion `left ",
  " right` failed",
  "assertion failed: step != 0",
  "cannot access a Thread Local Storage value during or after destruction: ",
  "copy_from_slice: source slice length (",
  ") does not match destination slice length (",
  "chunk size must be non-zero",
  "internal error: entered unreachable code",
  "capacity overflow",
  "attempt to divide by zero",
  "attempt to calculate the remainder with a divisor of zero",
  "RefCell already mutably borrowed",
  "RefCell already borrowed",
  "AccessError",
  Array.from({ length: 100 }, (_, i) => String(i).padStart(2, "0")).join(""),
  "0123456789abcdef",
  "0123456789ABCDEF",
  ...ours,
].map((text) => Buffer.from(text));

/** What writes text: only panics do. Tables of methods keep it alive. */
const formatting = /^<?core(\[\w+\])?::(fmt|str::count)\b| as core(\[\w+\])?::fmt::\w+>::/;

/** Rewrites `file`, which must still have its names; whatever becomes unused is left for wasm-opt to drop. */
export function trapOnPanic(file) {
  const module = binaryen.readBinary(readFileSync(file));
  module.setFeatures(binaryen.Features.All);
  const all = Array.from({ length: module.getNumFunctions() }, (_, i) =>
    binaryen.getFunctionInfo(module.getFunctionByIndex(i)),
  );
  const found = all.filter(
    ({ name, module: importedFrom }) => !importedFrom && (diverging.test(name) || formatting.test(name)),
  );
  for (const { name, params, results } of found) {
    module.removeFunction(name);
    module.addFunction(name, params, results, [], module.unreachable());
  }
  const bytes = Buffer.from(module.emitBinary());
  module.dispose();
  for (const segment of dataSegments(bytes)) {
    blankLocations(segment);
    blankTexts(segment);
  }
  writeFileSync(file, bytes);
}

/** `{ address, data }` of every segment at a constant address; `data` is a view into `bytes`. */
function dataSegments(bytes) {
  let at = 8;
  const leb = (signed = false) => {
    let [value, shift, byte] = [0, 0, 0];
    do {
      byte = bytes[at++];
      value |= (byte & 127) << shift;
      shift += 7;
    } while (byte & 128);
    return signed && shift < 32 && byte & 64 ? value | (-1 << shift) : value;
  };
  while (at < bytes.length) {
    const id = bytes[at++];
    const size = leb();
    if (id !== 11) {
      at += size;
      continue;
    }
    return Array.from({ length: leb() }, () => {
      // 0: active in memory 0, `i32.const address; end`.
      if (leb() !== 0 || bytes[at++] !== 0x41) throw new Error("the module has data that is not at a constant address");
      const address = leb(true) >>> 0;
      at++;
      const length = leb();
      at += length;
      return { address, data: bytes.subarray(at - length, at) };
    });
  }
  return [];
}

/** Blanks every `core::panic::Location` (pointer to a file name, its length, line, column) and the file names they point to. */
function blankLocations({ address, data }) {
  const names = [];
  for (let at = 0; at + 16 <= data.length; at += 4) {
    const [pointer, length, line, column] = [0, 4, 8, 12].map((offset) => data.readUInt32LE(at + offset));
    const start = pointer - address;
    if (start < 0 || length < 4 || length > 300 || start + length > data.length || line > 99_999 || column > 999)
      continue;
    if (!/^[\x21-\x7e]+\.rs$/.test(data.toString("latin1", start, start + length))) continue;
    data.fill(0, at, at + 16);
    names.push([start, start + length]);
  }
  for (const [start, end] of names) data.fill(0, start, end);
}

/** Blanks the texts of panics, which nothing reads any more. */
function blankTexts({ data }) {
  for (const text of texts)
    for (let at = data.indexOf(text); at >= 0; at = data.indexOf(text, at)) data.fill(0, at, at + text.length);
}
