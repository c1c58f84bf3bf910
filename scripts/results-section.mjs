// docs/results.md is made of sections, each printed by a command and kept between two marks of its name.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./setup/paths.mjs";

/** Puts `text` between the marks of its name; a section that is not there yet comes last. */
export function writeSection(name, command, text) {
  const file = join(root, "docs", "results.md");
  const [begin, end] = [`<!-- ${name}: ${command} -->`, `<!-- /${name} -->`];
  const old = existsSync(file) ? readFileSync(file, "utf8") : "# Results\n";
  const at = old.indexOf(begin);
  const section = `${begin}\n${text}\n${end}`;
  if (at < 0) writeFileSync(file, `${old.trimEnd()}\n\n${section}\n`);
  else writeFileSync(file, `${old.slice(0, at)}${section}${old.slice(old.indexOf(end) + end.length)}`);
}
