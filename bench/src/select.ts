/** Which cases and engines take part. */
import type { Case } from "./case.ts";
import type { EngineSource } from "./engine.ts";

/** A comma-separated list; a part matches anywhere, or as a whole where it holds `*`. */
export function matcher(filter: string | undefined): (name: string) => boolean {
  const parts = (filter ?? "").split(",").filter(Boolean);
  if (parts.length === 0) return () => true;
  const tests = parts.map((part) => {
    if (!part.includes("*")) return (name: string) => name.includes(part);
    const pattern = part.split("*").map((text) => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    const expression = new RegExp(`^${pattern.join(".*")}$`);
    return (name: string) => expression.test(name);
  });
  return (name) => tests.some((test) => test(name));
}

export interface Selection {
  readonly quick: boolean;
  /** Of case ids. */
  readonly filter?: string | undefined;
}

/** Refuses a filter that no case matches; where none of its cases is a quick one, `quick` means them all. */
export function selectCases(cases: readonly Case[], { quick, filter }: Selection): readonly Case[] {
  const matches = matcher(filter);
  const named = cases.filter(({ id }) => matches(id));
  if (named.length === 0) throw new Error(`no case matches ${filter}`);
  const some = named.filter((each) => each.quick);
  return quick && some.length > 0 ? some : named;
}

/** `all`, `none`, or a comma-separated list of sources or engines (`litert,onnxruntime-web:fp32`). Ours always take part. */
export function selectSources(sources: readonly EngineSource[], peers: string): readonly EngineSource[] {
  if (peers === "all") return sources;
  const names = peers === "none" ? [] : peers.split(",").filter(Boolean);
  return sources.filter(
    ({ kind, name }) => kind === "ours" || names.some((each) => each === name || each.startsWith(`${name}:`)),
  );
}

/** Of the engines of the chosen sources, those that a list names by source or by engine. */
export function selectsEngine(peers: string, ours: ReadonlySet<string>): (engine: string) => boolean {
  if (peers === "all" || peers === "none") return () => true;
  const names = peers.split(",");
  return (engine) => {
    const source = engine.split(":")[0] as string;
    return ours.has(source) || names.includes(source) || names.includes(engine);
  };
}
