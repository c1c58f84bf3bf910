import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeCheckpoint, encodeCheckpoint } from "../src/checkpoint.ts";
import { readCheckpoint } from "../src/checkpoint-file.ts";
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

describe("readCheckpoint", () => {
  it("tells a missing checkpoint from an unreadable one", async () => {
    expect(await readCheckpoint(join(tmpdir(), "lowbit-no-such-checkpoint"))).toBeUndefined();
    await expect(readCheckpoint(tmpdir())).rejects.toThrow(/EISDIR/);
  });
});
