/** GGUF blocks on WASM kernels; see crates/kernels/src/blocks. */
import { type BlockCodes, type BlockType, blockLayouts } from "../quantize/blocks/layout.ts";
import type { KernelInstance } from "./instance.ts";
import { Parameters } from "./kernel-object.ts";
import { copyF32, copyU8, staged } from "./stage.ts";

/** Codes, scales and offsets that an export writes behind its own parameters. */
export function blockCodes(
  instance: KernelInstance,
  type: BlockType,
  weights: number,
  groups: number,
  parameters: (parameters: Parameters) => Parameters,
  run: (pointer: number, words: number) => number,
): BlockCodes {
  return staged(instance, (stage) => {
    const codes = stage.reserve(weights);
    const scale = stage.reserve(4 * groups);
    const offset = blockLayouts[type].decoding === "offset" ? stage.reserve(4 * groups) : 0;
    parameters(new Parameters(instance)).i32(codes, scale, offset, groups).call(run);
    return {
      codes: copyU8(instance, codes, weights),
      scale: copyF32(instance, scale, groups),
      ...(offset === 0 ? {} : { offset: copyF32(instance, offset, groups) }),
    };
  });
}

export function writeBlocks(instance: KernelInstance, type: BlockType, coded: BlockCodes): Uint8Array | number {
  const { number, weights, bytes } = blockLayouts[type];
  const { codes, scale, offset } = coded;
  return staged(instance, (stage) => {
    const length = (codes.length / weights) * bytes;
    const blocks = stage.reserve(length);
    const parameters = new Parameters(instance).i32(number).array(codes).array(scale).array(offset);
    const position = parameters.i32(blocks, length).call(instance.exports.blocks_write);
    return position === scale.length ? copyU8(instance, blocks, length) : position;
  });
}

export function readBlocks(instance: KernelInstance, type: BlockType, bytes: Uint8Array): BlockCodes {
  const { number, weights, group, bytes: size } = blockLayouts[type];
  const count = (bytes.length / size) * weights;
  const { blocks_read } = instance.exports;
  return blockCodes(instance, type, count, count / group, (p) => p.i32(number).array(bytes), blocks_read);
}
