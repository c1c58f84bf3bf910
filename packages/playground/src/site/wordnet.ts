/** WordNet's definitions, from its data files (wndb(5WN)): the words of a synset, its part of speech, its gloss without the examples of use, and how often it was met. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** n noun, v verb, a adjective, r adverb. */
export type PartOfSpeech = "n" | "v" | "a" | "r";

export interface Definition {
  readonly pos: PartOfSpeech;
  /** In WordNet's order, the most usual first. */
  readonly words: readonly string[];
  readonly gloss: string;
  readonly examples: readonly string[];
  /** Times that its senses were met in the texts that WordNet's authors marked. */
  readonly uses: number;
}

const FILES: readonly (readonly [file: string, pos: PartOfSpeech])[] = [
  ["data.noun", "n"],
  ["data.verb", "v"],
  ["data.adj", "a"],
  ["data.adv", "r"],
];

/** Numbers of parts of speech in sense keys; s is an adjective that stands beside another. */
const SENSE_TYPES: Readonly<Record<string, number>> = { n: 1, v: 2, a: 3, r: 4, s: 5 };

/** What a gloss says, and its examples: between semicolons, in quotation marks, perhaps with who wrote it behind a dash. */
export function splitGloss(text: string): { readonly gloss: string; readonly examples: readonly string[] } {
  // Semicolons inside of quotation marks part nothing.
  const parts = text.match(/(?:"[^"]*"?|[^;"])+/g)?.map((part) => part.trim()) ?? [];
  const [said, examples]: [string[], string[]] = [[], []];
  for (const part of parts) {
    const quoted = /^"([^"]*)/.exec(part)?.[1];
    if (quoted !== undefined) examples.push(quoted);
    // A writer's name, where the semicolon stands in front of the dash.
    else if (part !== "" && !(part.startsWith("-") && examples.length > 0)) said.push(part);
  }
  // Few glosses are nothing but a quotation.
  return said.length > 0 ? { gloss: said.join("; "), examples } : { gloss: examples.join("; "), examples: [] };
}

/** Uses by sense key: `lemma%type:file:id`, without the head that adjectives have behind it. */
export function parseCounts(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [key, , count] = line.split(" ");
    const sense = /^[^:]*:\d+:\d+/.exec(key ?? "")?.[0];
    if (sense) counts.set(sense, (counts.get(sense) ?? 0) + Number(count));
  }
  return counts;
}

/**
 * One data file.
 * @throws Error with file and offset for a line that is no synset
 */
export function parseSynsets(
  text: string,
  { file, pos, counts }: { readonly file: string; readonly pos: PartOfSpeech; readonly counts: Map<string, number> },
): Definition[] {
  const definitions: Definition[] = [];
  for (const line of text.split("\n")) {
    // The licence stands in front, each line with two spaces.
    if (line === "" || line.startsWith("  ")) continue;
    const bar = line.indexOf(" | ");
    const [offset = "", lexFile = "", type = "", count = "", ...rest] = line.slice(0, Math.max(0, bar)).split(" ");
    const n = Number.parseInt(count, 16);
    const { gloss, examples } = splitGloss(line.slice(bar + 3));
    if (!/^\d{8}$/.test(offset) || !(type in SENSE_TYPES) || !(n >= 1 && rest.length > 2 * n) || gloss === "")
      throw new Error(`${file}: expected a synset, got "${line.slice(0, 60)}"`);
    const words: string[] = [];
    let uses = 0;
    for (let i = 0; i < n; i++) {
      // Adjectives say where they may stand: (a), (p) or (ip).
      const word = rest[2 * i]!.replace(/\((?:a|p|ip)\)$/, "");
      words.push(word.replaceAll("_", " "));
      const id = String(Number.parseInt(rest[2 * i + 1]!, 16)).padStart(2, "0");
      uses += counts.get(`${word.toLowerCase()}%${SENSE_TYPES[type]}:${lexFile}:${id}`) ?? 0;
    }
    definitions.push({ pos, words, gloss, examples, uses });
  }
  return definitions;
}

/**
 * All definitions of a folder of WordNet 3.0, those met most often first, others in its own order: the first few thousand are what people ask for.
 * @throws Error where a file is missing or damaged
 */
export async function readWordNet(folder: string): Promise<Definition[]> {
  const read = (file: string) => readFile(join(folder, file), "utf8");
  const counts = parseCounts(await read("cntlist.rev"));
  const files = await Promise.all(
    FILES.map(async ([file, pos]) => parseSynsets(await read(file), { file, pos, counts })),
  );
  return files.flat().sort((a, b) => b.uses - a.uses);
}

/** The licence, as the head of each data file has it. */
export async function readLicense(folder: string): Promise<string> {
  const head = (await readFile(join(folder, "data.adv"), "utf8")).split("\n").filter((line) => /^ {2}\d+ /.test(line));
  return head.map((line) => line.replace(/^ {2}\d+ /, "").trim()).join("\n");
}
