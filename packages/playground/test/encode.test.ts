/** Encoding that is stopped, killed and damaged, and goes on: with an encoder of a few lines, whose vectors tell their text. */
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type EncodeTexts, encodeAll } from "../src/site/encode.ts";
import { lock } from "../src/site/lock.ts";

const size = 4;
const texts = Array.from({ length: 103 }, (_, i) => `text ${i}`);
/** Of length 1, and another for every text. */
const vectorOf = (text: string): number[] => {
  const angle = Number(text.split(" ")[1]) / 100;
  return [Math.cos(angle), Math.sin(angle), 0, 0];
};
const expected = new Float32Array(texts.flatMap(vectorOf));

let folder: string;
let file: string;
let encoded: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lowbit-encode-"));
  file = join(folder, "vectors.f32");
  encoded = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The slower ones end after those that began later. */
const encoder =
  (ms: number): EncodeTexts =>
  async (some) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    encoded.push(...some);
    return new Float32Array(some.flatMap(vectorOf));
  };
const instant: EncodeTexts = async (some) => {
  encoded.push(...some);
  return new Float32Array(some.flatMap(vectorOf));
};
const run = (options: Partial<Parameters<typeof encodeAll>[0]> = {}) =>
  encodeAll({ file, texts, size, encoders: [encoder(5), encoder(0), encoder(1)], batch: 10, ...options });

describe("encodeAll", () => {
  it("writes rows in the order of texts, whichever thread is first, and tells its progress", async () => {
    const told: number[] = [];
    expect(await run({ onProgress: (done) => told.push(done) })).toEqual(expected);
    expect(told[0]).toBe(0);
    expect(told.at(-1)).toBe(texts.length);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(statSync(file).size).toBe(4 * size * texts.length);
  });

  it("encodes nothing twice: fewer texts are a part of more", async () => {
    expect(await run({ texts: texts.slice(0, 30) })).toEqual(expected.slice(0, 30 * size));
    expect(await run()).toEqual(expected);
    expect(encoded.toSorted()).toEqual(texts.toSorted());
    expect(await run({ texts: texts.slice(0, 7) })).toEqual(expected.slice(0, 7 * size));
    expect(encoded).toHaveLength(texts.length);
  });

  it("is stopped by a signal and goes on", async () => {
    const controller = new AbortController();
    // All as fast as one another: a slow one could hold back its rows until the others have done everything.
    const stopping = run({
      encoders: [instant, instant, instant],
      signal: controller.signal,
      onProgress: (done) => done >= 40 && controller.abort(new Error("stopped")),
    });
    await expect(stopping).rejects.toThrow("stopped");
    const kept = statSync(file).size / (4 * size);
    expect(kept).toBeGreaterThanOrEqual(40);
    expect(kept).toBeLessThan(texts.length);
    encoded = [];
    expect(await run()).toEqual(expected);
    expect(encoded).toHaveLength(texts.length - kept);
  });

  it.each([
    ["torn in a row", () => truncateSync(file, 55 * 4 * size + 7), 55],
    ["grown by zeros", () => appendFileSync(file, new Uint8Array(3 * 4 * size)), 60],
    ["grown by noise", () => appendFileSync(file, new Uint8Array(2 * 4 * size).fill(0xff)), 60],
  ])("what a killed process left %s is cut off", async (_, damage, whole) => {
    await run({ texts: texts.slice(0, 60) });
    damage();
    encoded = [];
    expect(await run()).toEqual(expected);
    expect(encoded).toHaveLength(texts.length - whole);
  });

  it("an encoder's error ends it, with what was whole kept", async () => {
    let calls = 0;
    const failing: EncodeTexts = async (some) => {
      if (++calls === 4) throw new Error("the thread ended");
      return new Float32Array(some.flatMap(vectorOf));
    };
    await expect(run({ encoders: [failing] })).rejects.toThrow("the thread ended");
    expect(statSync(file).size).toBe(30 * 4 * size);
    await expect(run({ encoders: [async () => new Float32Array(3)] })).rejects.toThrow(/expected rows of 4, got 3/);
    expect(await run()).toEqual(expected);
  });

  it("two at once are refused, a lock of a dead process is not", async () => {
    // Whichever comes first.
    const both = await Promise.allSettled([run(), run()]);
    const [won, lost] = both[0].status === "fulfilled" ? both : both.toReversed();
    expect(won).toEqual({ status: "fulfilled", value: expected });
    expect(lost).toMatchObject({ reason: new Error(`${file}: process ${process.pid} is writing it`) });
    expect(existsSync(`${file}.lock`)).toBe(false);
    // Beyond what Linux gives out.
    writeFileSync(`${file}.lock`, "99999999");
    expect(await run()).toEqual(expected);
  });

  it("a lock has one holder, and its number from the first", async () => {
    for (let round = 0; round < 20; round++) {
      const asked = await Promise.allSettled(Array.from({ length: 4 }, () => lock(file)));
      const held = asked.filter((one) => one.status === "fulfilled");
      expect(held).toHaveLength(1);
      await held[0]!.value();
    }
    const holding = lock(file);
    const seen = () => existsSync(`${file}.lock`);
    // Looks without letting go of the thread, so that whoever makes the file cannot fill it meanwhile.
    for (let turn = 0; turn < 1000 && !seen(); turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      for (const end = performance.now() + 2; performance.now() < end && !seen(); );
    }
    expect(readFileSync(`${file}.lock`, "utf8")).toBe(String(process.pid));
    await (await holding)();
    expect(readdirSync(folder)).toEqual([]);
  });
});
