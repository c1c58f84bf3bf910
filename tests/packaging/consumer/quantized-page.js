// The digests of quantized files in the document's title; posted too where whoever opened the page asks for it by `?auto`, as a driver does that reads no titles.
import { quantized } from "./quantized.js";

try {
  const onnx = new Uint8Array(await (await fetch(new URL("float.onnx", document.baseURI))).arrayBuffer());
  document.title = JSON.stringify(await quantized(onnx));
} catch (error) {
  document.title = JSON.stringify({ error: `${error}\n${error?.stack}` });
}
if (new URL(document.URL).searchParams.has("auto")) await fetch("result", { method: "POST", body: document.title });
