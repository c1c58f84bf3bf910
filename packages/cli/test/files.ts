/** Files for the tests: the committed network and images, and what can be wrong with them. */

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBinary, type ModelProto, ModelProtoSchema, toBinary } from "@lowbit/convert/onnx";

const committed = (name: string) => fileURLToPath(new URL(`../../../models/${name}`, import.meta.url));

/** A float CNN in ONNX, 28 x 28 digits. */
export const FLOAT = committed("mnist-cnn-float.onnx");
/** 500 digits: x [500, 1, 28, 28] and y [500], bytes. */
export const DIGITS = committed("mnist-calibration.npz");

/** A new empty folder; the system's temporary folder is cleaned by the system. */
export const newFolder = (): string => mkdtempSync(join(tmpdir(), "lowbit-cli-"));

/** The float network with something changed, as a file in `folder`. */
export function changedModel(folder: string, name: string, change: (model: ModelProto) => void): string {
  const model = fromBinary(ModelProtoSchema, readFileSync(FLOAT));
  change(model);
  return written(folder, name, toBinary(ModelProtoSchema, model));
}

/** Writes bytes as a file in `folder`. */
export function written(folder: string, name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** A copy of a file with one bit flipped. @param at position in bytes, from the end where negative */
export function flipped(folder: string, name: string, source: string, at: number): string {
  const bytes = readFileSync(source);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  return written(folder, name, bytes);
}
