/** What the actions of `lowbit search` share: their options, the index, and words on what is scored again. */
import { numberOption } from "../shared/command.ts";
import { UsageError } from "../shared/errors.ts";
import { naming, readInput } from "../shared/files.ts";
import { optionalPeer } from "../shared/peer.ts";

export type Search = typeof import("@lowbit/search");
export type Loaded = Awaited<ReturnType<Search["loadIndex"]>>;

export const loadSearch = () => optionalPeer("@lowbit/search", "searching needs", () => import("@lowbit/search"));

export const open = async (search: Search, path: string): Promise<Loaded> => {
  const bytes = await readInput(path);
  return naming(path, () => search.loadIndex(bytes as Uint8Array<ArrayBuffer>));
};

/** As the command line gives them. */
export interface Options {
  readonly file: string;
  readonly output: string | undefined;
  readonly index: string | undefined;
  readonly faiss: string | undefined;
  readonly metric: string | undefined;
  readonly queries: string | undefined;
  readonly scores: string | undefined;
  readonly base: string | undefined;
  readonly k: string | undefined;
  readonly rescored: string | undefined;
  readonly nprobe: string | undefined;
  readonly "ef-search": string | undefined;
  readonly "ef-construction": string | undefined;
  readonly seed: string | undefined;
  readonly encoder: string | undefined;
  readonly field: string | undefined;
  readonly words: string | undefined;
  readonly json: boolean | undefined;
}

export const need = (value: string | undefined, action: string, name: string): string => {
  if (value === undefined) throw new UsageError(`search ${action}: ${name} is missing; see lowbit search --help`);
  return value;
};

/** What a search is asked for, and a word on what is scored again. */
export function searching(search: Search, index: Loaded, options: Options) {
  const k = numberOption("k", options.k, 1, true) ?? 10;
  const spec = search.parseSpec(index.spec);
  const rescored = numberOption("rescored", options.rescored, 1, true) ?? search.defaultRescored(spec, k);
  const nprobe = numberOption("nprobe", options.nprobe, 1, true);
  const efSearch = numberOption("ef-search", options["ef-search"], 1, true);
  const note = spec.rescore ? `, ${rescored} scored again` : "";
  return {
    k,
    note,
    rescored: spec.rescore ? rescored : 0,
    settings: { rescored, ...(nprobe && { nprobe }), ...(efSearch && { efSearch }) },
  };
}
