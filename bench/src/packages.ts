/** Finds files of installed packages, whatever their exports say: from here upwards, then from where the command was given. */
import { existsSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const roots = [dirname(fileURLToPath(import.meta.url)), process.cwd()];

/** Splits `@scope/name/path/in/it` and `name/path/in/it`. */
export function splitPath(path: string): [name: string, rest: string] {
  const parts = path.split("/");
  const count = path.startsWith("@") ? 2 : 1;
  return [parts.slice(0, count).join("/"), parts.slice(count).join("/")];
}

/** The folder of an installed package, or undefined. */
export function packageFolder(name: string): string | undefined {
  for (const root of roots)
    for (let folder = root; ; folder = dirname(folder)) {
      const found = join(folder, "node_modules", name);
      if (existsSync(join(found, "package.json"))) return found;
      if (dirname(folder) === folder) break;
    }
  return undefined;
}

/** @throws Error "not installed: npm install <package>" */
export function packageFile(path: string): string {
  const [name, rest] = splitPath(path);
  const folder = packageFolder(name);
  if (folder === undefined) throw new Error(`not installed: npm install ${name}`);
  const file = resolve(folder, rest);
  if (!file.startsWith(folder + sep)) throw new Error(`${path} leaves its package`);
  return file;
}
