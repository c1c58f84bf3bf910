/** What a user keeps beside the vectors, through everything that can happen to an index. */
import { createHash } from "node:crypto";
import { DigestError, FormatError, InputError, readSafetensors, writeSafetensors } from "lowbit";
import { describe, expect, it } from "vitest";
import { Index, loadIndex, type Payload, saveIndex } from "../src/index.ts";
import { clustered, rowOf } from "./vectors.ts";

const [n, d] = [300, 16];
const base = clustered(n, d, 5);
const first = (count: number) => ({ shape: [count, d], data: base.data.slice(0, count * d) });
/** None for every fifth. */
const payloadOf = (i: number): Payload | undefined =>
  i % 5 === 4 ? undefined : { word: `ä€😀 ${i}`, tags: [i, null, i % 2 === 0], "": -0.5 };
const payloads = Array.from({ length: n }, (_, i) => payloadOf(i));

describe("payloads", () => {
  it.each(["Flat", "IVF4,SQ8", "HNSW8,SQ8", "Binary,RSQ8"])(
    "of %s come back with hits, and from a file",
    async (spec) => {
      using index = await Index.build(base, spec, { payloads, about: { encoder: "none" } });
      using again = await loadIndex(saveIndex(index));
      expect(again.about).toEqual({ encoder: "none" });
      for (const each of [index, again]) {
        for (const q of [0, 4, 17]) {
          const [hit] = each.search(rowOf(base, q), 1);
          expect(hit).toEqual({ id: q, score: expect.any(Number), ...(payloads[q] && { payload: payloads[q] }) });
        }
        expect(each.payload(8)).toEqual(payloads[8]);
        expect(each.payload(9)).toBeUndefined();
      }
      expect(saveIndex(again)).toEqual(saveIndex(index));
    },
  );

  it("stay with their vectors when others are replaced, removed, given back and merged", async () => {
    using index = await Index.build(first(40), "Flat", { ids: names(0, 40), payloads: payloads.slice(0, 40) });
    await index.add(first(2), { ids: ["v3", "new"], payloads: ["other", undefined] });
    index.remove(["v0", "v1"]);
    expect(index.payload("v3")).toBe("other");
    expect(() => index.payload("v0")).toThrow(InputError);
    const expected = (each: Index) => {
      for (let i = 2; i < 40; i++) expect(each.payload(`v${i}`)).toEqual(i === 3 ? "other" : payloadOf(i));
      expect(each.payload("new")).toBeUndefined();
    };
    expected(index);
    index.compact();
    expected(index);
    using more = await Index.build(first(5), "Flat", { ids: names(100, 105), payloads: payloads.slice(100, 105) });
    index.merge(more);
    expected(index);
    for (let i = 100; i < 105; i++) expect(index.payload(`v${i}`)).toEqual(payloadOf(i));
    // One without any takes in some, and some take in none.
    using plain = await Index.build(first(5), "Flat", { ids: names(200, 205) });
    index.merge(plain);
    expect(index.payload("v202")).toBeUndefined();
    plain.merge(more);
    expect(plain.payload("v202")).toBeUndefined();
    expect(plain.payload("v103")).toEqual(payloadOf(103));
  });

  it("are what a filter may ask for", async () => {
    using index = await Index.build(base, "Flat", { payloads });
    const even = (payload: Payload | undefined) => (payload as { tags: Payload[] } | undefined)?.tags[2] === true;
    const hits = index.search(rowOf(base, 1), n, { filter: (_, payload) => even(payload()) });
    expect(hits.map(({ id }) => id as number).sort((a, b) => a - b)).toEqual(
      payloads.flatMap((payload, i) => (even(payload) ? [i] : [])),
    );
  });

  it.each([
    ["a bigint", 1n],
    ["a function", () => 1],
    ["a cycle", Object.assign([], { 0: {} }) as unknown[]],
  ])("that are %s are refused before anything is added", async (name, bad) => {
    if (name === "a cycle") (bad as unknown[])[0] = bad;
    using index = await Index.build(first(3), "Flat");
    await expect(index.add(first(2), { payloads: [1, bad as Payload] })).rejects.toThrow(/payload.*JSON value/);
    await expect(index.add(first(2), { payloads: [1] })).rejects.toThrow(/payloads, expected 2, got 1/);
    expect(index.size).toBe(3);
    expect(index.payload(0)).toBeUndefined();
  });

  it("without any, an index has the file it always had", async () => {
    using index = await Index.build(first(3), "Flat");
    const { tensors, metadata } = readSafetensors(saveIndex(index));
    expect([...tensors.keys()].filter((name) => name.startsWith("payload"))).toEqual([]);
    expect(metadata.get("lowbit_index")).not.toContain("about");
  });

  it.each([
    ["ends that fall", (ends: Uint32Array) => ends.set([9], 0), FormatError],
    ["an end behind the text", (ends: Uint32Array) => ends.set([1e9], 2), FormatError],
    ["text that is left over", (ends: Uint32Array) => ends.fill(0), FormatError],
  ])("of a file with %s are refused by name", async (_, spoil, type) => {
    using index = await Index.build(first(3), "Flat", { payloads: ["a", "b", { c: 1 }] });
    await expect(
      loadIndex(altered(saveIndex(index), "payload_ends", (b) => spoil(new Uint32Array(b.buffer)))),
    ).rejects.toThrow(type);
    const spoiled = altered(saveIndex(index), "payloads", (bytes) => bytes.fill(0xff, 0, 3));
    using odd = await loadIndex(spoiled);
    expect(() => odd.payload(0)).toThrow(FormatError);
    expect(odd.payload(1)).toBe("b");
    const plain = saveIndex(index).slice();
    plain[plain.length - 1]! ^= 1;
    await expect(loadIndex(plain)).rejects.toThrow(DigestError);
  });
});

const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `v${from + i}`);
const sha256 = (data: Uint8Array | string) => createHash("sha256").update(data).digest("hex");

/** The file with other bytes in a tensor, and digests that say so. */
function altered(
  file: Uint8Array<ArrayBuffer>,
  name: string,
  change: (bytes: Uint8Array) => void,
): Uint8Array<ArrayBuffer> {
  const { metadata, tensors } = readSafetensors(file);
  const tensor = tensors.get(name)!;
  const bytes = tensor.bytes.slice();
  change(bytes);
  const index = JSON.parse(metadata.get("lowbit_index")!);
  index.sha256[name] = sha256(bytes);
  const text = JSON.stringify(index);
  return writeSafetensors(
    new Map([...tensors, [name, { ...tensor, bytes }]]),
    new Map([
      ["lowbit_index", text],
      ["lowbit_digest", sha256(text)],
    ]),
  );
}
