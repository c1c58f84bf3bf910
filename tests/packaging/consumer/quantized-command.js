// node quantized-command.js: prints the digests of quantized files as JSON.
import { readFileSync } from "node:fs";
import { quantized } from "./quantized.js";

console.log(JSON.stringify(await quantized(readFileSync("float.onnx"))));
