// For bundlers: the README's example, then the digests; both are shown in the document's title.
import { outputs } from "./outputs.js";

try {
  await import("./example.js");
  document.title = JSON.stringify(await outputs(new URL("model.safetensors", document.baseURI)));
} catch (error) {
  document.title = JSON.stringify({ error: `${error}\n${error?.stack}` });
}
