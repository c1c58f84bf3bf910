// A hand-written file of more than 600 lines says in its first lines why it is one file ("Why so long: ...").
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";

const limit = 600;
const headLines = 20;
const reason = /Why so long: \S/;

const isHandWritten = (file) =>
  /\.(rs|ts|tsx|mjs|js|html|css)$/.test(file) && !/(^|\/)(generated|dist|node_modules|target)\//.test(file);

/** Tracked files and new ones that git does not ignore. */
const files = () =>
  execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  }).split("\n");

export function checkLengths() {
  const long = files()
    .filter(isHandWritten)
    .flatMap((file) => {
      let lines;
      try {
        lines = readFileSync(join(root, file), "utf8").split("\n");
      } catch {
        return []; // Deleted, but not yet committed.
      }
      return lines.length <= limit || reason.test(lines.slice(0, headLines).join("\n"))
        ? []
        : [`${file}: ${lines.length} lines`];
    });
  if (long.length > 0) throw new Error(`over ${limit} lines, and no "Why so long:" in the head:\n${long.join("\n")}`);
}

await whenMain(import.meta.url, checkLengths);
