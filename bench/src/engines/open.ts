/** Opens the sources; what cannot be had is named with its reason. */
import type { Absent, Engine, EngineSource, Host } from "../engine.ts";

export interface Opened {
  readonly engines: readonly Engine[];
  readonly absent: readonly Absent[];
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message || error.name : String(error));

/** @param filter of engine names; a source none of whose engines pass is still opened, for its names are known only then */
export async function openEngines(
  sources: readonly EngineSource[],
  host: Host,
  filter: (engine: string) => boolean = () => true,
): Promise<Opened> {
  const engines: Engine[] = [];
  const absent: Absent[] = [];
  // One after another: runtimes that load side by side would compete for the same globals.
  for (const source of sources) {
    let opened: readonly (Engine | Absent)[];
    try {
      opened = await source.open(host);
    } catch (error) {
      opened = [{ name: source.name, absent: messageOf(error) }];
    }
    for (const each of opened)
      if ("absent" in each) absent.push(each);
      else if (filter(each.name)) engines.push(each);
      else each.dispose?.();
  }
  return { engines, absent };
}
