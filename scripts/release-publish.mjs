// `pnpm release:publish`: the crates, the border after the kernels that it depends on; the npm packages; the tags.
// A crate whose version is already there is left alone, so that a release that broke off can be taken up again.
import { whenMain } from "./main-module.mjs";
import { pnpm, pnpmEnv } from "./setup/node.mjs";
import { run } from "./setup/run.mjs";
import { nativeTool } from "./setup/rust.mjs";

async function publishCrate(name) {
  try {
    await run(nativeTool("cargo"), ["publish", "-p", name], { live: true, timeout: 1200 });
  } catch (error) {
    if (!/already (exists|uploaded)/.test(error.output ?? "")) throw error;
    console.log(`${name}: this version is already published`);
  }
}

await whenMain(import.meta.url, async () => {
  for (const crate of ["lowbit-kernels", "lowbit-wasm"]) await publishCrate(crate);
  await pnpm(["-r", "publish", "--access", "public"], { live: true, timeout: 600 });
  await run("changeset", ["tag"], { env: pnpmEnv(), live: true });
});
