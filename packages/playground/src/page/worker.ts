/** Everything that takes time: loading, encoding, searching, measuring. One thing at a time; of questions only the last that came. */
import { Dictionary } from "./dictionary.ts";
import type { Report, Request } from "./protocol.ts";

const report = (message: Report): void => self.postMessage(message);
const fail = (what: string, error: unknown): void =>
  report({ kind: "failed", what, message: error instanceof Error ? error.message : String(error) });

let asked: Extract<Request, { kind: "ask" }> | undefined;
let wanted: string | undefined;
let wake = (): void => {};

self.onmessage = ({ data }: MessageEvent<Request>) => {
  if (data.kind === "ask") asked = data;
  else wanted = data.spec;
  wake();
};

/** Lets messages come in. */
const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
const waiting = (): boolean => asked !== undefined || wanted !== undefined;

async function serve(dictionary: Dictionary): Promise<void> {
  const measured = new Set<string>();
  let last: { id: number; text: string } | undefined;
  let compared = false;
  for (;;) {
    await breathe();
    if (wanted !== undefined) {
      const spec = wanted;
      wanted = undefined;
      await dictionary.use(spec).catch((error) => fail(spec, error));
      // The same question, answered by the other index.
      asked ??= last && { kind: "ask", ...last };
    } else if (asked) {
      const { id, text } = asked;
      asked = undefined;
      last = { id, text };
      await dictionary.ask(id, text).then(report, (error) => fail("question", error));
    } else if (!measured.has(dictionary.spec)) {
      const { spec } = dictionary;
      let whole = true;
      const between = async () => {
        await breathe();
        whole = !waiting();
        return whole;
      };
      await dictionary.measure(between).catch((error) => fail("measuring", error));
      if (whole) measured.add(spec);
    } else if (!compared) {
      compared = true;
      await dictionary.compare().catch((error) => fail("exact answers", error));
      asked ??= last && { kind: "ask", ...last };
      // Files come while questions are answered.
      dictionary.keepAll().catch((error) => fail("keeping", error));
    } else {
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (waiting()) resolve();
      });
    }
  }
}

Dictionary.open(new URL(".", self.location.href).href, report).then(serve, (error) => fail("loading", error));
