// Packs every package, installs the tarballs by npm into an empty folder outside the checkout, and puts the README's
// example and a model beside them. Tests see the paths by `inject("packaging")`.
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { readmeExample } from "../../scripts/readme-example.mjs";
import { npmInto, pnpm } from "../../scripts/setup/node.mjs";
import { root } from "../../scripts/setup/paths.mjs";

/** The packed file that the example names. */
const modelName = /["'`](?:[^"'`]*\/)?([\w.-]+\.safetensors)["'`]/;

async function pack(folder, into) {
  const before = new Set(readdirSync(into));
  await pnpm(["pack", "--pack-destination", into], { cwd: folder, timeout: 120 });
  return join(
    into,
    readdirSync(into).find((file) => !before.has(file)),
  );
}

export async function setup({ provide }) {
  const folder = mkdtempSync(join(tmpdir(), "lowbit-packaging-"));
  const packed = join(folder, "tarballs");
  const consumer = join(folder, "consumer");
  mkdirSync(packed);
  const tarballs = {};
  for (const name of readdirSync(join(root, "packages"))) {
    const { name: title, private: isPrivate } = JSON.parse(
      readFileSync(join(root, "packages", name, "package.json"), "utf8"),
    );
    if (!isPrivate) tarballs[title] = await pack(join(root, "packages", name), packed);
  }
  await npmInto(consumer, Object.values(tarballs), "packaging-install");
  writeFileSync(
    join(consumer, "package.json"),
    JSON.stringify({ ...JSON.parse(readFileSync(join(consumer, "package.json"), "utf8")), type: "module" }),
  );
  const example = readmeExample();
  const model = modelName.exec(example)?.[0].slice(1, -1);
  if (!model) throw new Error("the README's example names no .safetensors file");
  writeFileSync(join(consumer, "example.js"), example);
  cpSync(join(root, "tests", "packaging", "consumer"), consumer, { recursive: true });
  for (const place of [model, "model.safetensors"]) {
    mkdirSync(join(consumer, place, ".."), { recursive: true });
    copyFileSync(join(root, "models", basename(model)), join(consumer, place));
  }
  copyFileSync(join(root, "models", "mnist-cnn-float.onnx"), join(consumer, "float.onnx"));
  provide("packaging", { folder, consumer, tarballs, model });
  return () => rmSync(folder, { recursive: true, force: true });
}
