import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createModel, DisposedError, loadKernels, loadModel, writePacked } from "lowbit";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { binaryCnn } from "../src/testing/random-graphs.ts";

let collect: () => void;
beforeAll(() => {
  setFlagsFromString("--expose-gc");
  collect = runInNewContext("gc");
});

/** Whether `reference` is collected within a few turns. */
async function isCollected(reference: WeakRef<object>): Promise<boolean> {
  for (let turn = 0; turn < 20 && reference.deref(); turn++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    collect();
  }
  return reference.deref() === undefined;
}

describe("memory goes back", () => {
  it("of an instance that was disposed, though the object is kept", async () => {
    const kernels = await loadKernels();
    const memory = new WeakRef(kernels.exports.memory.buffer);
    kernels.dispose();
    expect(await isCollected(memory)).toBe(true);
    expect(kernels.ended).toBe(true);
  });

  it("of a model that ran and was disposed, though the object is kept", async () => {
    const { graph, feed } = binaryCnn(3);
    const made: WebAssembly.Memory[] = [];
    const instantiate = vi.spyOn(WebAssembly, "instantiate").mockImplementation((async (
      module: WebAssembly.Module,
      imports: WebAssembly.Imports,
    ) => {
      const instance = new WebAssembly.Instance(module, imports);
      made.push(instance.exports.memory as WebAssembly.Memory);
      return instance;
    }) as never);
    const model = await createModel(graph);
    instantiate.mockRestore();
    await model.run(feed);
    expect(made).toHaveLength(1);
    const memory = new WeakRef(made.pop()!.buffer);
    model.dispose();
    expect(await isCollected(memory)).toBe(true);
    await expect(model.run(feed)).rejects.toThrow(DisposedError);
  });

  it("of the file, once its model is loaded", async () => {
    const { graph, feed } = binaryCnn(3);
    let bytes: Uint8Array<ArrayBuffer> | undefined = writePacked({ graph });
    const file = new WeakRef(bytes.buffer);
    const model = await loadModel(bytes);
    bytes = undefined;
    expect(await isCollected(file)).toBe(true);
    expect(Object.keys(await model.run(feed))).toEqual(graph.outputs);
    model.dispose();
  });
});
