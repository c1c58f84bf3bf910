import {
  DisposedError,
  FormatError,
  InputError,
  imageToTensor,
  loadModel,
  Tensor,
  UnsupportedError,
  writePacked,
} from "lowbit";
import { loadModelIn, serveModels } from "lowbit/worker";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as errors from "../src/errors.ts";
import { goldenGraph } from "../src/testing/golden.ts";
import { RandomData } from "../src/testing/random-data.ts";
import { errorFields, reviveError } from "../src/worker/protocol.ts";

const bytes = writePacked({ graph: goldenGraph() });
const image = () => new Tensor("f32", [2, 8, 8, 1], new RandomData(4).floats(128));

describe("a model behind a message port", () => {
  const { port1, port2 } = new MessageChannel();
  beforeAll(() => serveModels(port1));
  afterAll(() => {
    port1.close();
    port2.close();
  });

  it("gives what the same model gives here, described alike", async () => {
    using local = await loadModel(bytes);
    await using remote = await loadModelIn(port2, bytes);
    const wanted = await local.run({ image: image() });
    const got = await remote.run({ image: image() });
    expect(got).toEqual(wanted);
    expect(Object.values(got)[0]).toBeInstanceOf(Tensor);
    expect(remote.inputs).toEqual(local.inputs);
    expect(remote.outputs).toEqual(local.outputs);
    expect(remote.labels).toEqual(local.labels);
    expect(remote.tier).toBe(local.tier);
    const { nodes } = await remote.profile({ image: image() }, { runs: 2 });
    expect(nodes.map(({ node }) => node)).toEqual((await local.profile()).nodes.map(({ node }) => node));
    expect(
      imageToTensor({ width: 8, height: 8, data: new Uint8Array(64) }, remote.inputs[0]!.preprocessing!).shape,
    ).toEqual([1, 8, 8, 1]);
  });

  it("copies the feed, or moves it where asked", async () => {
    await using remote = await loadModelIn(port2, new Blob([bytes]));
    const kept = image();
    await remote.run({ image: kept });
    expect(kept.data.length).toBe(128);
    const moved = image();
    await remote.run({ image: moved.data }, { transfer: true });
    expect(moved.data.length).toBe(0);
  });

  it("reports progress from the other side", async () => {
    const seen: number[] = [];
    const url = `data:;base64,${btoa(String.fromCharCode(...bytes))}`;
    await using remote = await loadModelIn(port2, url, { onProgress: (loaded) => void seen.push(loaded) });
    expect(remote.labels.length).toBe(5);
    // It travels on a port of its own, so it may arrive after the model.
    await vi.waitFor(() => expect(seen.at(-1)).toBe(bytes.length));
  });

  it("throws the errors of the other side with their classes, codes and numbers", async () => {
    await expect(loadModelIn(port2, new Uint8Array(3))).rejects.toThrow(FormatError);
    await using remote = await loadModelIn(port2, bytes);
    const error = await remote.run({} as never).catch((reason) => reason);
    expect(error).toBeInstanceOf(InputError);
    expect(error).toMatchObject({ name: "InputError", code: "input", op: "run", expected: "image" });
  });

  it("throws the signal's reason", async () => {
    const controller = new AbortController();
    const loading = loadModelIn(port2, bytes, { signal: controller.signal });
    controller.abort(new Error("stop"));
    await expect(loading).rejects.toThrow("stop");
  });

  it("throws DisposedError after dispose", async () => {
    const remote = await loadModelIn(port2, bytes);
    await remote.dispose();
    await remote.dispose();
    await expect(remote.run({ image: image() })).rejects.toThrow(DisposedError);
  });
});

describe("errors on the way", () => {
  it("keep the list of nodes", () => {
    const revived = reviveError(structuredClone(errorFields(new UnsupportedError("createModel", ["a", "b"]))));
    expect(revived).toBeInstanceOf(UnsupportedError);
    expect((revived as UnsupportedError).nodes).toEqual(["a", "b"]);
  });

  it("keep the class, whichever of ours it is", () => {
    for (const [name, { prototype }] of Object.entries(errors)) {
      const error: unknown = reviveError({ name, message: "", fields: {} });
      expect(Object.getPrototypeOf(error), name).toBe(prototype);
    }
  });

  it("of other kinds stay errors", () => {
    expect(reviveError(errorFields(new TypeError("x")))).toMatchObject({ name: "TypeError", message: "x" });
    expect(reviveError(errorFields("text")).message).toBe("text");
  });
});
