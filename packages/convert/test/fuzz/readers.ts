/** Every reader of files, with files for it and how they are hurt: what scripts/fuzz-readers.mjs and a short test run. */
import { createHash } from "node:crypto";
import { type RawTensor, readPacked, readSafetensors, Tensor, writeSafetensors } from "lowbit";
import type { RandomData } from "../../../core/src/testing/random-data.ts";
import { codedCnn, integerCnn } from "../../../core/src/testing/random-graphs.ts";
import {
  importFrom,
  importHuggingFace,
  importModel,
  openTensorFile,
  readIdx,
  readNpy,
  readNpz,
  runPasses,
  writeModel,
  writeNpy,
  writeNpz,
} from "../../src/index.ts";
import { create, TensorProto_DataLocation, TensorProtoSchema } from "../../src/onnx/schema.ts";
import { readFile } from "../support/data.ts";
import { type Mutate, mutateBytes, mutateJson, mutateSafetensors } from "../support/edits.ts";
import { bertFiles, type Files, llamaFiles } from "../support/hf-folders.ts";
import { larqCases } from "../support/larq-cases.ts";
import { binaryCnn, floatCnn, ternaryCnn } from "../support/networks.ts";
import { MORE_TESTS, readNodeTests } from "../support/node-tests.ts";
import { DataType, OnnxBuilder } from "../support/onnx.ts";
import { tfliteCases } from "../support/tflite-cases.ts";
import { transformer } from "../support/transformer-network.ts";

export interface FuzzedReader {
  readonly name: string;
  readonly files: () => readonly Uint8Array[];
  readonly mutate: Mutate;
  readonly read: (bytes: Uint8Array) => unknown;
  /** Bytes of buffers that an input may take beside twice its own: memory of kernels, inflated data. */
  readonly beside?: number;
}

const MIB = 2 ** 20;

/** All tensors of a file, one after another. */
async function readTensors(bytes: Uint8Array): Promise<void> {
  const file = await openTensorFile(bytes as Uint8Array<ArrayBuffer>);
  for (const name of file.tensors.keys()) await file.read(name);
}

const digest = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

/** A packed file whose text is changed behind its digest, so that the digest does not stop what else is checked; else as any file. */
const mutatePacked: Mutate = (source, random) => {
  if (random.below(4) === 0) return mutateSafetensors(source, random);
  const { metadata, tensors } = readSafetensors(source as Uint8Array<ArrayBuffer>);
  const hurt = new Map<string, RawTensor>();
  let text = metadata.get("lowbit")!;
  for (const [name, tensor] of tensors) {
    if (random.below(2) === 0) {
      hurt.set(name, tensor);
      continue;
    }
    const bytes = tensor.bytes.slice();
    for (let edits = random.between(0, 3); edits > 0 && bytes.length > 0; edits--)
      bytes[random.below(bytes.length)] = random.below(256);
    text = text.replaceAll(digest(tensor.bytes), digest(bytes));
    hurt.set(name, { ...tensor, bytes });
  }
  for (let edits = random.between(0, 2); edits > 0; edits--) text = mutateJson(text, random);
  return writeSafetensors(
    hurt,
    new Map([
      ["lowbit", text],
      ["lowbit_digest", digest(text)],
    ]),
  );
};

const plain = (): Uint8Array =>
  writeSafetensors(
    new Map<string, RawTensor>([
      ["a.weight", { dtype: "F32", shape: [4, 6], bytes: new Uint8Array(96).fill(1) }],
      ["b.weight", { dtype: "BF16", shape: [3, 5], bytes: new Uint8Array(30).fill(2) }],
      ["c.mask", { dtype: "BOOL", shape: [7], bytes: new Uint8Array(7).fill(1) }],
      ["d.codes", { dtype: "F8_E4M3", shape: [9], bytes: new Uint8Array(9).fill(3) }],
    ]),
    new Map([["format", "pt"]]),
  );

const arrays = (): Map<string, Tensor> =>
  new Map<string, Tensor>([
    [
      "x",
      new Tensor(
        "f32",
        [3, 5],
        Float32Array.from({ length: 15 }, (_, i) => i),
      ),
    ],
    ["y", new Tensor("int64", [3], BigInt64Array.of(0n, 1n, 2n))],
  ]);

const index = (): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify({ metadata: { total_size: 96 }, weight_map: { "a.weight": "a.safetensors" } }),
  );

/** A product whose weights are in a file beside it. */
function externalModel(): Uint8Array {
  const net = new OnnxBuilder();
  net.input("x", ["n", 2]);
  const entries = { location: "w.bin", offset: "16", length: "24" };
  net.initializer(
    create(TensorProtoSchema, {
      ...{ name: "w", dataType: DataType.FLOAT, dims: [2n, 3n], dataLocation: TensorProto_DataLocation.EXTERNAL },
      externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
    }),
  );
  net.node("MatMul", "y", ["x", "w"]);
  return net.build(["y"]);
}

const mutateText: Mutate = (source, random: RandomData) =>
  random.below(3) === 0
    ? mutateBytes(source, random)
    : new TextEncoder().encode(mutateJson(new TextDecoder().decode(source), random));

/** A model's folder, of which one file is hurt. */
const folderReader = (name: string, folder: Files, hurt: string): FuzzedReader => ({
  name,
  files: () => [folder[hurt]!],
  mutate: mutateText,
  read: (bytes) => importHuggingFace((file) => (file === hurt ? bytes : folder[file])),
});

export const READERS: readonly FuzzedReader[] = [
  {
    name: "onnx",
    // Seeds whose files are small: most of their bytes are structure, not weights.
    files: () => [floatCnn(3), floatCnn(5), binaryCnn(1), ternaryCnn(2)].map(({ file }) => file),
    mutate: mutateBytes,
    read: (bytes) => runPasses(importModel(bytes, { format: "onnx" })),
  },
  {
    name: "tflite",
    files: () => tfliteCases().map(({ file }) => file),
    mutate: mutateBytes,
    read: (bytes) => runPasses(importModel(bytes, { format: "tflite" })),
  },
  {
    name: "larq",
    files: () => larqCases().map(({ file }) => file),
    mutate: mutateBytes,
    read: (bytes) => runPasses(importModel(bytes, { format: "tflite" })),
  },
  {
    name: "external",
    files: () => [externalModel()],
    mutate: mutateBytes,
    read: (bytes) =>
      importFrom(bytes as Uint8Array<ArrayBuffer>, { format: "onnx", files: { "w.bin": new Uint8Array(40) } }),
  },
  {
    name: "transformer",
    files: () => [transformer(1), transformer(4)].map(({ file }) => file),
    mutate: mutateBytes,
    read: (bytes) => runPasses(importModel(bytes, { format: "onnx" })),
  },
  {
    name: "control",
    files: () =>
      readNodeTests(readFile(MORE_TESTS))
        .filter(({ name }) => /^ours_(loop|scan|lstm|gru|einsum_(diagonal|three|dense_heads)|nonzero)/.test(name))
        .map(({ model }) => model),
    mutate: mutateBytes,
    read: (bytes) => runPasses(importModel(bytes, { format: "onnx" })),
  },
  folderReader("hf-decoder", llamaFiles(), "config.json"),
  folderReader("hf-encoder", bertFiles(), "config.json"),
  folderReader("hf-index", llamaFiles(), "model.safetensors.index.json"),
  { name: "safetensors", files: () => [plain()], mutate: mutateSafetensors, read: readTensors, beside: 64 * MIB },
  {
    name: "shards",
    files: () => [index()],
    mutate: mutateText,
    read: (bytes) =>
      importFrom(bytes as Uint8Array<ArrayBuffer>, { files: { "a.safetensors": plain() as Uint8Array<ArrayBuffer> } }),
    beside: 64 * MIB,
  },
  {
    name: "gguf",
    files: () => [readFile("packages/convert/test/golden/types.gguf")],
    mutate: mutateBytes,
    read: readTensors,
    beside: 64 * MIB,
  },
  {
    name: "packed",
    files: () =>
      [codedCnn(1), codedCnn(4), integerCnn(2)].map(({ graph }) => writeModel(graph, {}, { pack: "smallest" })),
    mutate: mutatePacked,
    read: (bytes) => readPacked(bytes as Uint8Array<ArrayBuffer>),
    beside: 4 * MIB,
  },
  {
    name: "npy",
    files: () => [...arrays().values()].map(writeNpy),
    mutate: mutateBytes,
    read: (bytes) => readNpy(bytes),
  },
  {
    name: "npz",
    files: () => [writeNpz(arrays())],
    mutate: mutateBytes,
    read: (bytes) => readNpz(bytes),
    beside: 4 * MIB,
  },
  {
    name: "idx",
    files: () => [Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8)],
    mutate: mutateBytes,
    read: (bytes) => readIdx(bytes, "idx"),
    beside: 4 * MIB,
  },
];
