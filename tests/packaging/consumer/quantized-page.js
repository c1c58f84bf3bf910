// The digests of quantized files in the document's title.
import { quantized } from "./quantized.js";

try {
  const onnx = new Uint8Array(await (await fetch(new URL("float.onnx", document.baseURI))).arrayBuffer());
  document.title = JSON.stringify(await quantized(onnx));
} catch (error) {
  document.title = JSON.stringify({ error: String(error?.stack ?? error) });
}
