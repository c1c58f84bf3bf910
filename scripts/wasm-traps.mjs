// Turns the functions that a panic ends in into bare traps. The module's host learns of a panic by the trap; its text, the
// code that would format it and the hooks around it reach nobody, and they are a tenth of the module.
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

/** Functions of Rust's own libraries that never return, or that only these call. */
const diverging =
  /^<?(core|alloc|std|__rustc)\b.*(panic|unwrap_failed|expect_failed|slice_index_fail|len_mismatch_fail|raw_vec::handle_error|alloc_error|capacity_overflow|rust_begin_unwind)/;

/** Rewrites `file`, which must still have its names; whatever becomes unused is left for wasm-opt to drop. */
export function trapOnPanic(file) {
  const module = binaryen.readBinary(readFileSync(file));
  module.setFeatures(binaryen.Features.All);
  const all = Array.from({ length: module.getNumFunctions() }, (_, i) =>
    binaryen.getFunctionInfo(module.getFunctionByIndex(i)),
  );
  const found = all.filter(({ name, module: importedFrom }) => !importedFrom && diverging.test(name));
  for (const { name, params, results } of found) {
    module.removeFunction(name);
    module.addFunction(name, params, results, [], module.unreachable());
  }
  writeFileSync(file, module.emitBinary());
  module.dispose();
}
