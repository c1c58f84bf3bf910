/**
 * The ONNX protobuf schema, typed: entry `@lowbit/convert/onnx`, for code that reads or writes `.onnx` files itself.
 *
 * ```ts
 * import { create, ModelProtoSchema, toBinary } from "@lowbit/convert/onnx";
 * const bytes = toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n, … }));
 * ```
 */
export { create, fromBinary, toBinary } from "@bufbuild/protobuf";
export * from "./generated/onnx_pb.ts";
