/** What a record says of the machine. */
import { arch, cpus, platform, release, totalmem } from "node:os";
import type { Machine } from "./record.ts";

/** Lower case, digits and single hyphens. */
export const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/\((r|tm)\)/g, " ")
    .replace(/\b(cpu|processor|with|gen)\b|@.*$|\d+-core/g, " ")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60) || "machine";

/** @param name overrides the model and the number of cores */
export function thisMachine(name?: string): Machine {
  const list = cpus();
  const cpu = list[0]?.model.trim() || arch();
  const cores = Math.max(1, list.length);
  return {
    name: name === undefined ? `${slug(cpu)}-${cores}-${cores === 1 ? "core" : "cores"}` : slug(name),
    cpu,
    cores,
    memoryGB: Math.round(totalmem() / 1e8) / 10,
    os: `${platform()} ${release()}, ${arch()}`,
  };
}
