// What both commands do first: set up whatever is missing, and build. This module and what it imports at once use nothing
// but Node's own modules, for on a fresh clone there is nothing else; what needs packages is imported once they are there.
import { setup } from "./setup/index.mjs";
import { tail } from "./setup/run.mjs";

/** @returns {Promise<boolean>} whether the build went well; a failure of the set-up ends the process */
export async function prepare({ tests }) {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) {
    console.error(`lowbit needs Node 20 or newer; this is Node ${process.versions.node}.`);
    process.exit(1);
  }
  await setup({ tests });
  console.log("Build");
  const { buildWasm } = await import("./build-wasm.mjs");
  const { buildPackages } = await import("./build-packages.mjs");
  try {
    await buildWasm();
    await buildPackages();
    return true;
  } catch (error) {
    console.error(error.output ? `${error.message}\n${tail(error.output, 60)}` : error.message);
    return false;
  }
}
