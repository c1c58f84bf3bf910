// A worker under a Content-Security-Policy: evaluating strings must fail here, or the test would prove nothing.
import { outputs } from "./outputs.js";

function evaluates() {
  try {
    return new Function("return true")();
  } catch {
    return false;
  }
}

try {
  const found = await outputs(new URL("/model.safetensors", location.origin));
  postMessage({ ...found, evaluates: evaluates(), isolated: crossOriginIsolated });
} catch (error) {
  postMessage({ error: `${error}\n${error?.stack}` });
}
