// node threads-command.js [tier]: prints what two threads gave. It disposes of nothing, and must end all the same.
import { threads } from "./threads.js";

const tier = (globalThis.Deno ? Deno.args : process.argv.slice(2))[0];
console.log(JSON.stringify(await threads("model.safetensors", tier ? { tier } : {})));
