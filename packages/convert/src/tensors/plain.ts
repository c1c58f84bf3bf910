/** Bytes of plain elements as constants. */
import { arrayOf, bytesOf, type PlainConstant } from "lowbit";
import { type StoredFloat, widenFloats } from "lowbit/quantize";
import { ModelFileError } from "../errors.ts";
import { floats } from "../graph/constants.ts";

/** @throws ModelFileError for booleans other than 0 and 1 */
export function plainConstant(
  op: string,
  dtype: PlainConstant["dtype"],
  shape: readonly number[],
  bytes: Uint8Array<ArrayBuffer>,
): PlainConstant {
  if (dtype === "bool" && bytes.some((byte) => byte > 1))
    throw new ModelFileError(op, "booleans", "0 or 1", "another byte");
  const size = bytesOf[dtype];
  // A file may place tensors where a view of their elements cannot begin.
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return { kind: "plain", dtype, shape, data: new arrayOf[dtype](buffer, byteOffset, bytes.length / size) };
}

export const widenedConstant = async (
  stored: StoredFloat,
  shape: readonly number[],
  bytes: Uint8Array,
): Promise<PlainConstant> => floats(shape, await widenFloats(bytes, stored));
