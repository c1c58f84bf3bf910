/** `lowbit search text` and `ask`: an index of texts, which keeps them, and the texts that mean what some words say. */
import { dirname, join, relative, resolve } from "node:path";
import { numberOption } from "../shared/command.ts";
import { FileError, UsageError } from "../shared/errors.ts";
import { checkOutput, naming, writeOutput } from "../shared/files.ts";
import { printJson } from "../shared/json.ts";
import { createProgress } from "../shared/progress.ts";
import { loadSearch, need, type Options, open, searching } from "./common.ts";
import { readDocuments } from "./documents.ts";
import { openEncoder } from "./encoder.ts";

/** Learns nothing, so it takes any number of texts; 0.95 of the nearest at a seventh of the bytes. */
const DEFAULT_SPEC = "RaBitQ4";

export async function text(options: Options): Promise<void> {
  const output = need(options.output, "text", "-o IDX");
  const folder = need(options.encoder, "text", "--encoder FOLDER, a sentence encoder from Hugging Face");
  await checkOutput(output, [options.file]);
  const search = await loadSearch();
  const spec = options.index ?? DEFAULT_SPEC;
  search.parseSpec(spec);
  const seed = numberOption("seed", options.seed, 0, true) ?? 0;
  const field = options.field ?? "text";
  const { texts, ...kept } = await readDocuments(options.file, field);
  const progress = createProgress(options.json);
  const started = performance.now();
  const { encoder, path, sha256 } = await openEncoder(folder, progress);
  using owned = encoder;
  progress.stage("encoding", texts.length);
  const vectors = await owned.encode(texts, { onProgress: (done) => progress.update(done) });
  progress.end();
  const data = new Float32Array(texts.length * owned.size);
  for (const [i, vector] of vectors.entries()) data.set(vector, i * owned.size);
  // The encoder's place is told from the index's, so that both can move together.
  const about = { encoder: relative(dirname(resolve(output)), resolve(path)), encoder_sha256: sha256, field };
  const shape = [texts.length, owned.size];
  using index = await naming(options.file, () =>
    search.Index.build({ shape, data }, spec, { metric: "cosine", seed, about, ...kept }),
  );
  const file = search.saveIndex(index);
  await writeOutput(output, file);
  const seconds = (performance.now() - started) / 1000;
  const { size: count, bytesPerVector, dimension } = index;
  if (options.json) printJson({ count, dimension, spec: index.spec, bytesPerVector, bytes: file.length, seconds });
  else
    console.log(
      `${output}: ${count} texts as ${index.spec}, ${bytesPerVector} bytes a vector, ${file.length} bytes with the texts, ${seconds.toFixed(1)} s`,
    );
}

export async function ask(options: Options): Promise<void> {
  const words = need(options.words, "ask", "the words, after the index");
  if (words.trim() === "") throw new UsageError("search ask: expected words, got none");
  const search = await loadSearch();
  using index = await open(search, options.file);
  const { encoder: place, encoder_sha256: wanted, field = "text" } = index.about;
  if (place === undefined && options.encoder === undefined)
    throw new FileError(options.file, "does not say what encoder made its vectors; --encoder names it");
  const progress = createProgress(options.json);
  const from = options.encoder ?? join(dirname(options.file), place!);
  const { encoder, path, sha256 } = await openEncoder(from, progress);
  using owned = encoder;
  if (wanted !== undefined && sha256 !== wanted)
    throw new FileError(path, `expected the encoder that made ${options.file}, SHA-256 ${wanted}, got ${sha256}`);
  const { k, note, rescored, settings } = searching(search, index, options);
  const started = performance.now();
  const [query] = await owned.encode([words]);
  const encoded = performance.now();
  const hits = await naming(options.file, () => index.search(query!, k, settings));
  const [encodeMs, searchMs] = [encoded - started, performance.now() - encoded];
  if (options.json) {
    printJson({ hits, k, rescored, encodeMs, searchMs });
    return;
  }
  for (const { id, score, payload } of hits) {
    const found = (payload as Record<string, unknown> | undefined)?.[field];
    console.log(`${score.toFixed(3)}  ${id}${typeof found === "string" ? `  ${found}` : ""}`);
  }
  console.error(
    `${hits.length} of ${index.size}${note}; ${encodeMs.toFixed(1)} ms to encode, ${searchMs.toFixed(2)} ms to search`,
  );
}
