// node command.js [tier]: prints the digests of the model's outputs as JSON.
import { outputs } from "./outputs.js";

const tier = (globalThis.Deno ? Deno.args : process.argv.slice(2))[0];
console.log(JSON.stringify(await outputs("model.safetensors", tier ? { tier } : {})));
