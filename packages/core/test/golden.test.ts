import { availableTiers, loadModel, readPacked, readSafetensors, readSource, Tensor, writePacked } from "lowbit";
import { beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../src/file/digest.ts";
import { golden, goldenGraph, packedGraph, ternaryGraph } from "../src/testing/golden.ts";
import { RandomData } from "../src/testing/random-data.ts";
import { runReference } from "../src/testing/reference.ts";

/** SHA-256 of the outputs' bytes, joined; cut to 16 digits. */
const digestOf = (outputs: Record<string, Tensor>): string =>
  sha256Hex(
    Object.values(outputs)
      .map(({ data }) => sha256Hex(new Uint8Array(data.buffer)))
      .join(),
  ).slice(0, 16);

/** Made once per version of the format by `writePacked(golden())`; a file of a released version never changes. */
describe("the golden file of format version 1", () => {
  let bytes: Uint8Array<ArrayBuffer>;
  beforeAll(async () => {
    bytes = await readSource(new URL("golden/format-v1.safetensors", import.meta.url));
  });

  it("is what this version writes", () => expect(sha256Hex(writePacked(golden()))).toBe(sha256Hex(bytes)));

  it("reads as the graph it was made from", () => expect(readPacked(bytes)).toEqual(golden()));

  const image = new Tensor("f32", [3, 8, 8, 1], new RandomData(7).floats(192));
  const recorded = "cd83934113543579";

  it("is computed by the reference to the recorded outputs", () => {
    expect(digestOf(runReference(goldenGraph(), { image }))).toBe(recorded);
  });

  it.each(availableTiers())("gives the recorded outputs (%s)", async (tier) => {
    using model = await loadModel(bytes, { tier });
    expect(model.labels).toEqual(golden().graph.labels);
    expect(digestOf(await model.run({ image }))).toBe(recorded);
  });
});

describe("the golden file of format version 2", () => {
  let bytes: Uint8Array<ArrayBuffer>;
  beforeAll(async () => {
    bytes = await readSource(new URL("golden/format-v2.safetensors", import.meta.url));
  });

  it("is what this version writes in base 3", () =>
    expect(sha256Hex(writePacked({ graph: ternaryGraph() }, { pack: "base3" }))).toBe(sha256Hex(bytes)));

  it("reads as the graph it was made from", () => expect(readPacked(bytes).graph).toEqual(ternaryGraph()));

  it.each(availableTiers())("gives the outputs of the same graph in two-bit codes (%s)", async (tier) => {
    const x = new Tensor("f32", [3, 35], new RandomData(8).floats(105));
    using model = await loadModel(bytes, { tier });
    expect(digestOf(await model.run({ x }))).toBe(digestOf(runReference(ternaryGraph(), { x })));
  });
});

describe("the golden file of format version 3", () => {
  let bytes: Uint8Array<ArrayBuffer>;
  beforeAll(async () => {
    bytes = await readSource(new URL("golden/format-v3.safetensors", import.meta.url));
  });

  it("is what this version writes as small as it can, and has every packing", () => {
    expect(sha256Hex(writePacked({ graph: packedGraph() }, { pack: "smallest" }))).toBe(sha256Hex(bytes));
    const text = readSafetensors(bytes).metadata.get("lowbit")!;
    const used = [...text.matchAll(/"packing":"([^"]*)"/g)].map(([, packing]) => packing);
    expect([...new Set(used)].sort()).toEqual(["huffman", "sparse", "sparse-huffman"]);
  });

  it("reads as the graph it was made from", () => expect(readPacked(bytes).graph).toEqual(packedGraph()));

  it.each([
    ["bits", "1d03383e89627ea2"],
    ["huffman", "d71be724f7494026"],
    ["sparse", "010040c2cf1c497a"],
    ["sparse-huffman", "96fd46a6f370ae17"],
  ] as const)("%s gives the recorded bytes", (pack, digest) => {
    expect(sha256Hex(writePacked({ graph: packedGraph() }, { pack })).slice(0, 16)).toBe(digest);
  });
});
