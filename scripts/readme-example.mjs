// The example of the README, which the size budgets and the packaging tests use as it stands there: the first TypeScript
// block that imports from "lowbit".
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./setup/paths.mjs";

export function readmeExample() {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/^```(?:ts|typescript|js|javascript)\n([\s\S]*?)^```/gm)].map(([, code]) => code);
  const example = blocks.find((code) => code.includes('from "lowbit"'));
  if (!example) throw new Error('README.md has no TypeScript block that imports from "lowbit"');
  return example;
}
