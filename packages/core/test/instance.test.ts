import {
  availableTiers,
  createModel,
  DisposedError,
  InstanceDeadError,
  KernelError,
  KernelInstance,
  loadKernels,
  OutOfMemoryError,
  OutOfRangeError,
  TierError,
  tiers,
} from "lowbit";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../src/file/digest.ts";
import { GemmF32 } from "../src/kernels/gemm-f32.ts";
import * as families from "../src/testing/random-graphs.ts";

/**
 * A stand-in for the built module that traps on demand:
 * memory_alloc gives 1024 (0 above 4096 bytes), memory_free gives 0, object_drop is `unreachable`.
 */
const trapping = new WebAssembly.Module(
  Uint8Array.from(
    atob(
      "AGFzbQEAAAABEANgAX8Bf2AAAX9gAn9/AX8DBQQBAAIABQMBAAEHQwUGbWVtb3J5AgALZXJyb3JfYmxvY2sAAAxtZW1vcnlfYWxsb2MAAQttZW1vcnlfZnJlZQACC29iamVjdF9kcm9wAAMKHgQEAEEQCw4AQQBBgAggAEGAIEsbCwQAQQALAwAACw==",
    ),
    (character) => character.charCodeAt(0),
  ),
);

describe("KernelInstance", () => {
  it("gives out 64-byte aligned memory and takes it back", async () => {
    using kernels = await loadKernels();
    const pointers = [1, 63, 64, 65, 1000].map((bytes) => [kernels.alloc(bytes), bytes] as const);
    for (const [pointer] of pointers) expect(pointer % 64).toBe(0);
    expect(kernels.bytesInUse).toBe(1193);
    for (const [pointer, bytes] of pointers) kernels.free(pointer, bytes);
    expect(kernels.bytesInUse).toBe(0);
  });

  it("refuses a second free and a free of another size", async () => {
    using kernels = await loadKernels();
    const pointer = kernels.alloc(100);
    expect(() => kernels.free(pointer, 99)).toThrow(KernelError);
    kernels.free(pointer, 100);
    expect(() => kernels.free(pointer, 100)).toThrow(KernelError);
  });

  it.each([2 ** 31, 2 ** 32, 2 ** 40, Number.NaN])(
    "refuses to allocate %d bytes by name, and lives on",
    async (bytes) => {
      using kernels = await loadKernels();
      expect(() => kernels.alloc(bytes)).toThrow(OutOfMemoryError);
      expect(kernels.alloc(64)).toBeGreaterThan(0);
    },
  );

  it("keeps the memory of two instances apart", async () => {
    using first = await loadKernels();
    using second = await loadKernels();
    const [a, b] = [first.upload(Uint8Array.of(1, 2, 3)), second.upload(Uint8Array.of(4, 5, 6))];
    expect([...first.u8(a, 3)]).toEqual([1, 2, 3]);
    expect([...second.u8(b, 3)]).toEqual([4, 5, 6]);
  });

  it("turns a kernel's error numbers into words", async () => {
    using kernels = await loadKernels();
    const make = () => new GemmF32(kernels, { n: 0, k: 4, weights: new Float32Array(0) });
    expect(make).toThrow(OutOfRangeError);
    expect(make).toThrow(/^gemm_f32: .+, expected 1, got 0$/);
    expect(kernels.bytesInUse).toBe(0);
  });

  it("ends at a trap: every later call throws InstanceDeadError with the trap as its cause", async () => {
    const kernels = await KernelInstance.create(trapping, "scalar");
    const pointer = kernels.alloc(8);
    expect(() => kernels.exports.object_drop(1)).toThrow(InstanceDeadError);
    expect(kernels.ended).toBe(true);
    for (const call of [
      () => kernels.alloc(8),
      () => kernels.u8(pointer, 8),
      () => kernels.exports.error_block(),
      () => kernels.exports.object_drop(1),
    ])
      expect(call).toThrow(InstanceDeadError);
    try {
      kernels.alloc(8);
    } catch (error) {
      expect((error as InstanceDeadError).cause).toBeInstanceOf(WebAssembly.RuntimeError);
      expect((error as InstanceDeadError).code).toBe("instance-dead");
    }
  });

  it("reports exhausted memory without ending", async () => {
    using kernels = await KernelInstance.create(trapping, "scalar");
    expect(() => kernels.alloc(5000)).toThrow(OutOfMemoryError);
    expect(kernels.ended).toBe(false);
  });

  it("throws DisposedError after dispose, which may be called twice", async () => {
    const kernels = await loadKernels();
    kernels.dispose();
    kernels.dispose();
    expect(() => kernels.alloc(8)).toThrow(DisposedError);
    expect(() => kernels.exports.error_block()).toThrow(DisposedError);
  });
});

describe("tiers", () => {
  it("are listed lowest first and begin with scalar", () => {
    const available = availableTiers();
    expect(available[0]).toBe("scalar");
    expect(tiers.filter((tier) => available.includes(tier))).toEqual(available);
  });

  it("take the highest by itself", async () => {
    using kernels = await loadKernels();
    expect(kernels.tier).toBe(availableTiers().at(-1));
  });

  it("refuse an unknown name, naming those that run", async () => {
    const wanted = "avx" as "scalar";
    await expect(loadKernels({ tier: wanted })).rejects.toThrow(TierError);
    await expect(loadKernels({ tier: wanted })).rejects.toThrow(/expected one of scalar.*, got avx$/);
  });

  it.skipIf(availableTiers().includes("relaxed"))("refuse relaxed where this engine lacks it", async () => {
    await expect(loadKernels({ tier: "relaxed" })).rejects.toThrow(TierError);
  });

  it.each(Object.entries(families))("give one SHA-256 of the outputs of %s", async (_, make) => {
    const digests = await Promise.all(
      availableTiers().map(async (tier) => {
        const parts: string[] = [];
        for (let seed = 100; seed < 120; seed++) {
          const { graph, feed } = make(seed);
          using model = await createModel(graph, { tier });
          for (const { data } of Object.values(await model.run(feed)))
            parts.push(sha256Hex(new Uint8Array(data.buffer)));
        }
        return sha256Hex(parts.join());
      }),
    );
    expect(new Set(digests).size).toBe(1);
  });
});
