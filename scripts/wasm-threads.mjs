// Makes a module of a tier that several threads can instantiate over one memory: docs/decisions/2026-11-25-threads.md.
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

/** Binaryen's name for the only memory. */
const memoryName = "0";

/** Pages of the largest shared memory: 4 GiB. The host may give it less. */
const maxPages = 65_536;

/**
 * Rewrites `file`, a module for one thread, with:
 * - its memory imported as `env.memory` and shared;
 * - its data in passive segments, which the export `memory_init` copies to their places: the first thread calls it, the others find them there;
 * - its stack pointer exported as `stack_pointer`: every thread but the first is given a stack of its own.
 */
export function shareMemory(file) {
  const module = binaryen.readBinary(readFileSync(file));
  module.setFeatures(binaryen.Features.All);
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
  if (!module.validate()) throw new Error(`${file} would not be valid`);
  writeFileSync(file, module.emitBinary());
  module.dispose();
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
