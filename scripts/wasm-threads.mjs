// Makes the module of a tier that several threads can instantiate over one memory, out of the same build: docs/decisions/2026-11-25-threads.md.
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

/** Exports that only the module for threads has. */
const forThreads = /^(parallel_|columns_)/;

/** Functions that only those reach, through tables of methods, which wasm-opt leaves alone. */
const methodsForThreads = /^<K as lowbit_wasm::parallel::|\blowbit_wasm::columns::/;

/** Binaryen's name for the only memory. */
const memoryName = "0";

/** Pages of the largest shared memory: 4 GiB. The host may give it less. */
const maxPages = 65_536;

const read = (file) => {
  const module = binaryen.readBinary(readFileSync(file));
  module.setFeatures(binaryen.Features.All);
  return module;
};

const write = (module, file) => {
  if (!module.validate()) throw new Error(`${file} would not be valid`);
  writeFileSync(file, module.emitBinary());
  module.dispose();
};

/**
 * Writes to `single` the module `build` without what only threads call; wasm-opt then drops what only that reached. Both must still have their names.
 */
export function cutThreads(build, single) {
  const module = read(build);
  const names = Array.from(
    { length: module.getNumExports() },
    (_, i) => binaryen.getExportInfo(module.getExportByIndex(i)).name,
  );
  const cut = names.filter((name) => forThreads.test(name));
  for (const name of cut) module.removeExport(name);
  const all = Array.from({ length: module.getNumFunctions() }, (_, i) =>
    binaryen.getFunctionInfo(module.getFunctionByIndex(i)),
  );
  const methods = all.filter(({ name }) => methodsForThreads.test(name));
  for (const { name, params, results } of methods) {
    module.removeFunction(name);
    module.addFunction(name, params, results, [], module.unreachable());
  }
  if (cut.length === 0 || methods.length === 0) throw new Error("nothing of threads is in the module: was it renamed?");
  // The names stay.
  binaryen.setDebugInfo(true);
  write(module, single);
  binaryen.setDebugInfo(false);
}

/**
 * Writes to `threaded` the module `build` with:
 * - its memory imported as `env.memory` and shared;
 * - its data in passive segments, which the export `memory_init` copies to their places: the first thread calls it, the others find them there;
 * - its stack pointer exported as `stack_pointer`: every thread but the first is given a stack of its own.
 */
export function shareMemory(build, threaded) {
  const module = read(build);
  const { i32, memory } = module;
  const segments = Array.from({ length: module.getNumDataSegments() }, (_, i) => {
    const { name, offset, data } = module.getDataSegmentInfo(module.getDataSegmentByIndex(i));
    return { name, at: offset, offset: null, data: new Uint8Array(data), passive: true };
  });
  const { initial } = module.getMemoryInfo();
  // What was exported as `memory` stays exported: the name of the memory inside the module is the same.
  module.setMemory(initial, maxPages, null, segments, true, false, memoryName);
  module.addMemoryImport(memoryName, "env", "memory", true);
  const copies = segments.map(({ name, at, data }) =>
    memory.init(name, i32.const(at), i32.const(0), i32.const(data.length), memoryName),
  );
  module.addFunction("memory_init", binaryen.none, binaryen.none, [], module.block(null, copies));
  module.addFunctionExport("memory_init", "memory_init");
  module.addGlobalExport(stackPointer(module), "stack_pointer");
  write(module, threaded);
}

/** The one global that a build of Rust writes. */
function stackPointer(module) {
  const globals = Array.from({ length: module.getNumGlobals() }, (_, i) =>
    binaryen.getGlobalInfo(module.getGlobalByIndex(i)),
  );
  const mutable = globals.filter((global) => global.mutable);
  if (mutable.length !== 1)
    throw new Error(`${mutable.length} mutable globals in the module: which is the stack pointer?`);
  return mutable[0].name;
}
