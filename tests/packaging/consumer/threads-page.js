// For bundlers: what two threads gave, or why there are none, in the document's title.
import { threads } from "./threads.js";

try {
  document.title = JSON.stringify(await threads(new URL("model.safetensors", document.baseURI)));
} catch (error) {
  document.title = JSON.stringify({ name: error.name, error: `${error}\n${error?.stack}` });
}
