import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeCheckpoint, encodeCheckpoint, readCheckpoint, writeAtomically } from "../src/checkpoint.ts";
import { CheckpointError } from "../src/errors.ts";

const checkpoint = {
  metadata: { run: "r", log: "[]" },
  tensors: {
    b: { shape: [2, 2], data: Float32Array.of(1, -0, 3.5, 1e-40) },
    a: { shape: [1], data: Float32Array.of(7) },
  },
};

describe("checkpoint bytes", () => {
  it("come back as they went, also out of a larger buffer", () => {
    const bytes = encodeCheckpoint(checkpoint);
    const shifted = Buffer.concat([Buffer.alloc(3), bytes]).subarray(3);
    expect(decodeCheckpoint(bytes)).toEqual(checkpoint);
    expect(decodeCheckpoint(shifted)).toEqual(checkpoint);
    expect(decodeCheckpoint(shifted).tensors.a?.data.buffer.byteLength).toBe(4);
  });

  it("are refused by name when cut anywhere", () => {
    const bytes = encodeCheckpoint(checkpoint);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeCheckpoint(bytes.subarray(0, length))).toThrow(CheckpointError);
    }
  });

  it("are refused when the header says more than the file holds", () => {
    const text = Buffer.from(encodeCheckpoint(checkpoint)).toString("latin1");
    const damaged = Buffer.from(text.replace("[2,2]", "[9,2]"), "latin1");
    expect(() => decodeCheckpoint(damaged)).toThrow(/b does not fit/);
    const huge = encodeCheckpoint(checkpoint);
    new DataView(huge.buffer).setBigUint64(0, 1n << 40n, true);
    expect(() => decodeCheckpoint(huge)).toThrow(CheckpointError);
  });
});

describe("writeAtomically", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "lowbit-checkpoint-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("replaces a file whole and leaves nothing beside it", async () => {
    const path = join(folder, "file");
    await writeFile(path, "old");
    await writeAtomically(path, "new");
    expect(await readFile(path, "utf8")).toBe("new");
    expect(await readdir(folder)).toEqual(["file"]);
  });

  it("leaves nothing behind when the target cannot be replaced", async () => {
    await expect(writeAtomically(folder, "bytes")).rejects.toThrow();
    await expect(writeAtomically(join(folder, "missing", "file"), "bytes")).rejects.toThrow(/ENOENT/);
    expect(await readdir(folder)).toEqual([]);
  });

  it("tells a missing checkpoint from an unreadable one", async () => {
    expect(await readCheckpoint(join(folder, "none"))).toBeUndefined();
    await expect(readCheckpoint(folder)).rejects.toThrow(/EISDIR/);
  });
});
