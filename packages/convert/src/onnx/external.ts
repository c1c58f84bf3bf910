/**
 * External data of ONNX files: tensors whose bytes are in files beside the model.
 *
 * Each names a `location` (relative to the model's folder), an `offset` and a `length`. They are read by range into the tensor's `raw_data`, so that what follows sees one kind of
 * tensor. A location that leaves the folder is refused by its name, and so are tensors that together take more than twice what the files hold (many views of one range).
 */
import { ModelFileError } from "../errors.ts";
import type { Source } from "../source/source.ts";
import { type GraphProto, type ModelProto, type TensorProto, TensorProto_DataLocation } from "./generated/onnx_pb.ts";

/**
 * @param source the .onnx file, whose neighbours are read
 * @throws ModelFileError for an entry that makes no sense, FileError for a file that is not there or outside the folder
 */
export async function readExternalData(model: ModelProto, source: Source): Promise<void> {
  const tensors = [...tensorsOf(model)].filter(isExternal);
  const files = new Map<string, Source>();
  try {
    let left = 0;
    for (const tensor of tensors) {
      const { op, location, offset, length } = entryOf(tensor);
      let file = files.get(location);
      if (file === undefined) {
        file = await source.beside(location);
        files.set(location, file);
        left += 2 * file.size;
      }
      const bytes = length ?? file.size - offset;
      if (bytes < 0 || offset + bytes > file.size)
        throw new ModelFileError(
          op,
          `data in "${location}"`,
          `at most ${file.size} bytes`,
          `${bytes} from ${offset} on`,
        );
      left -= bytes;
      if (left < 0) throw new ModelFileError(op, "external data", "no more than twice the files' bytes", "more");
      tensor.rawData = await file.read(offset, bytes);
      tensor.dataLocation = TensorProto_DataLocation.DEFAULT;
      tensor.externalData = [];
    }
  } finally {
    for (const file of files.values()) await file.close();
  }
}

const isExternal = (tensor: TensorProto): boolean =>
  tensor.dataLocation === TensorProto_DataLocation.EXTERNAL || tensor.externalData.length > 0;

/** Initializers, and tensors in attributes of nodes, those of inner graphs and functions among them. */
function* tensorsOf({ graph, functions }: ModelProto): Generator<TensorProto> {
  if (graph) yield* ofGraph(graph);
  for (const { node } of functions) yield* ofNodes(node);
}

function* ofGraph({ initializer, node }: GraphProto): Generator<TensorProto> {
  yield* initializer;
  yield* ofNodes(node);
}

function* ofNodes(nodes: GraphProto["node"]): Generator<TensorProto> {
  for (const { attribute } of nodes)
    for (const { t, tensors, g, graphs } of attribute) {
      if (t) yield t;
      yield* tensors;
      if (g) yield* ofGraph(g);
      for (const graph of graphs) yield* ofGraph(graph);
    }
}

function entryOf({ name, externalData }: TensorProto) {
  const op = `onnx: tensor "${name}"`;
  const entries = new Map(externalData.map(({ key, value }) => [key, value]));
  const location = entries.get("location");
  if (!location) throw new ModelFileError(op, "location of its external data", "a file's name", "none");
  const size = (key: string): number | undefined => {
    const text = entries.get(key);
    if (text === undefined) return undefined;
    if (!/^\d{1,15}$/.test(text))
      throw new ModelFileError(op, `${key} of its external data`, "a number of bytes", text);
    return Number(text);
  };
  return { op, location, offset: size("offset") ?? 0, length: size("length") };
}
