import { readDigits } from "./digits.ts";
import type { Job, Report, Result } from "./protocol.ts";

const [WIDTH, HEIGHT] = [720, 260];

/** Losses are drawn up to here, that of guessing among ten. */
const MOST = Math.log(10);

/** An SVG whose curve grows by one point a step. */
function lossCurve(container: Element): { add(share: number, loss: number): void } {
  const label = (y: number, text: string) =>
    `<line x1="0" x2="${WIDTH}" y1="${y}" y2="${y}"/><text x="4" y="${y - 4}">${text}</text>`;
  const at = (loss: number) => HEIGHT * (1 - Math.min(1, loss / MOST));
  const lines = [0.5, 1, 1.5, 2].map((loss) => label(at(loss), String(loss))).join("");
  container.innerHTML = `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Loss, step by step">${lines}<path/></svg><p role="status"></p>`;
  const path = container.querySelector("path")!;
  let points = "";
  // Single batches jump about; the curve is their running mean.
  let smooth: number | undefined;
  return {
    add(share, loss) {
      smooth = smooth === undefined ? loss : 0.9 * smooth + 0.1 * loss;
      points += `${points === "" ? "M" : "L"}${(share * WIDTH).toFixed(1)} ${at(smooth).toFixed(1)}`;
      path.setAttribute("d", points);
    },
  };
}

/** Trains in a worker of its own, drawing into `container`; gives what the packed file came to. */
export async function trainDigits(
  container: Element,
  { epochs, seed }: { epochs: number; seed: number },
): Promise<Result> {
  const curve = lossCurve(container);
  const status = container.querySelector("[role=status]")!;
  status.textContent = "Reading digits …";
  const digits = await readDigits();
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  let epochLine = "";
  try {
    return await new Promise<Result>((resolve, reject) => {
      worker.onerror = (event) => reject(new Error(event.message));
      worker.onmessage = ({ data }: MessageEvent<Report>) => {
        if (data.kind === "error") reject(new Error(data.message));
        if (data.kind === "epoch")
          epochLine = `after epoch ${data.entry.epoch}: ${(100 * data.entry.validation).toFixed(1)} % of the test digits`;
        if (data.kind === "step") {
          curve.add(data.done / data.steps, data.loss);
          status.textContent = `Step ${data.done} of ${data.steps}, loss ${data.loss.toFixed(3)}; ${epochLine}`;
        }
        if (data.kind !== "result") return;
        status.textContent = `Packed: ${data.bytes} bytes, ${(100 * data.top1).toFixed(1)} % of the test digits right, as the training graph says on ${data.equal} of ${data.answers}; ${data.seconds.toFixed(0)} s.`;
        resolve(data);
      };
      worker.postMessage({ ...digits, epochs, seed } satisfies Job);
    });
  } finally {
    worker.terminate();
  }
}
