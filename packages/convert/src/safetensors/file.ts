/** A safetensors file, its tensors read one at a time. */
import {
  type Constant,
  type PlainConstant,
  readSafetensorsHeader,
  type SafetensorsDType,
  safetensorsHeaderEnd,
  type TensorPlace,
} from "lowbit";
import type { StoredFloat } from "lowbit/quantize";
import { ModelFileError } from "../errors.ts";
import type { Source } from "../source/source.ts";
import { type TensorFile, type TensorInfo, tensorOf } from "../tensors/file.ts";
import { plainConstant, widenedConstant } from "../tensors/plain.ts";

/** Element types that a Graph has too. */
const PLAIN: { readonly [D in SafetensorsDType]?: PlainConstant["dtype"] } = {
  F32: "f32",
  F16: "f16",
  I8: "int8",
  U8: "uint8",
  I16: "int16",
  U16: "uint16",
  I32: "int32",
  U32: "uint32",
  I64: "int64",
  U64: "uint64",
  BOOL: "bool",
};

/** Floats that become f32; each is one but for F64, which is rounded. */
const WIDENED: { readonly [D in SafetensorsDType]?: StoredFloat } = {
  BF16: "bf16",
  F8_E4M3: "f8_e4m3",
  F8_E5M2: "f8_e5m2",
  F64: "f64",
};

/** Bytes that are read at first: heads of some thousand tensors. */
const FIRST = 2 ** 18;

/** @throws FormatError for a damaged file, ModelFileError for one without tensors */
export async function openSafetensors(source: Source): Promise<TensorFile> {
  const first = await source.read(0, Math.min(FIRST, source.size));
  const end = safetensorsHeaderEnd(first, source.size);
  const head = end <= first.length ? first.subarray(0, end) : await source.read(0, end);
  const { metadata, tensors } = readSafetensorsHeader(head, source.size);
  if (tensors.size === 0) throw new ModelFileError("safetensors", "tensors", "at least one", 0);
  const bytesOf = ({ begin, end }: TensorPlace) => source.read(begin, end - begin);
  const infoOf = ([name, { dtype, shape, begin, end }]: readonly [string, TensorPlace]): [string, TensorInfo] => [
    name,
    { name, type: dtype, shape, bytes: end - begin, kind: /F/.test(dtype) ? "floats" : "integers" },
  ];
  return {
    format: "safetensors",
    name: source.name,
    size: source.size,
    metadata,
    tensors: new Map([...tensors].map(infoOf)),
    readBytes: async (name) => bytesOf(tensorOf(tensors, source.name, name)),
    async read(name) {
      const place = tensorOf(tensors, source.name, name);
      checkReadable(name, place.dtype);
      return safetensorsConstant(name, place, await bytesOf(place));
    },
    beside: (name) => source.beside(name),
    close: () => source.close(),
  };
}

function checkReadable(name: string, type: SafetensorsDType): void {
  if (type in PLAIN || type in WIDENED) return;
  const supported = [...Object.keys(PLAIN), ...Object.keys(WIDENED)].join(", ");
  throw new ModelFileError(`safetensors: tensor "${name}"`, "element type", supported, type);
}

/** @throws ModelFileError for a type that is not supported, and for booleans other than 0 and 1 */
async function safetensorsConstant(
  name: string,
  { dtype: type, shape }: Pick<TensorPlace, "dtype" | "shape">,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Constant> {
  const stored = WIDENED[type];
  return stored
    ? widenedConstant(stored, shape, bytes)
    : plainConstant(`safetensors: tensor "${name}"`, PLAIN[type]!, shape, bytes);
}
