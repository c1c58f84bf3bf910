import { createModel, readPacked, Tensor } from "lowbit";
import type { Dataset } from "./data/dataset.ts";
import { classesOf } from "./evaluate.ts";
import type { Agreement } from "./record.ts";

/** Samples per run of the packed file. */
const BATCH = 250;

/** Differing answers that are listed. */
const LISTED = 100;

/** Logits of a packed file on the core's kernels, one row an answer. @param shape of one sample, where the file has another than the data */
export async function packedLogits(
  bytes: Uint8Array<ArrayBuffer>,
  data: Dataset,
  input: string,
  shape?: readonly number[],
): Promise<Float32Array> {
  const { graph } = readPacked(bytes);
  const dtype = graph.values.get(input)!.dtype as "f32" | "int32";
  using model = await createModel(graph);
  let all: Float32Array | undefined;
  for (let start = 0; start < data.count; start += BATCH) {
    const end = Math.min(start + BATCH, data.count);
    const x = data.range(start, end);
    const values = dtype === "int32" ? Int32Array.from(x.data) : x.data;
    const sizes = shape === undefined ? [...x.shape] : [end - start, ...shape];
    const { logits } = await model.run({ [input]: new Tensor(dtype, sizes, values) });
    const part = logits!.data as Float32Array;
    const row = part.length / (end - start);
    all ??= new Float32Array(data.count * row);
    all.set(part, start * row);
  }
  return all ?? new Float32Array(0);
}

/** Compares the classes that two sets of logits [answers, classes] give. */
export function agreementOf(trained: Float32Array, packed: Float32Array, answers: number): Agreement {
  const classes = packed.length / answers;
  const [ours, theirs] = [classesOf(trained, classes), classesOf(packed, classes)];
  const apart = [...ours.keys()].filter((answer) => ours[answer] !== theirs[answer]);
  const logit = (answer: number, k: number) => trained[answer * classes + k]!;
  return {
    answers,
    equal: answers - apart.length,
    differing: apart.slice(0, LISTED).map((answer) => {
      const [own, other] = [ours[answer]!, theirs[answer]!];
      return { answer, trained: own, packed: other, margin: logit(answer, own) - logit(answer, other) };
    }),
  };
}
