/** AQLM's steps in plain TypeScript: what `gram.additive` must give, number for number. */

const { fround } = Math;

/** Of a layer w [rows, K] with its Gram matrix h and codebooks [count, entries, dimension]. */
export function naiveAdditive(h: number[][], w: Float32Array, dimension: number, count: number, entries: number) {
  const columns = h.length;
  const rows = w.length / columns;
  const width = (columns / dimension) * count;
  /** Place of number d of the entry that a code names: row, column k and codebook m. */
  const place = (codes: Uint8Array, row: number, k: number, m: number): number =>
    (m * entries + codes[row * width + Math.floor(k / dimension) * count + m]!) * dimension + (k % dimension);
  const all = (count: number) => Array.from({ length: count }, (_, i) => i);
  /** v H for v [rows][K]. */
  const pulls = (v: number[][]): number[][] =>
    v.map((v) => all(columns).map((j) => all(columns).reduce((sum, i) => sum + v[i]! * h[i]![j]!, 0)));
  const left = (codes: Uint8Array, codebooks: Float32Array): number[][] =>
    all(rows).map((row) =>
      all(columns).map((k) => {
        let sum = 0;
        for (let m = 0; m < count; m++) sum = fround(sum + codebooks[place(codes, row, k, m)]!);
        return w[row * columns + k]! - sum;
      }),
    );

  /** Per number of the codebooks, what stands at its places of `values` [rows][K]. */
  function gathered(codes: Uint8Array, values: number[][]): number[] {
    const sums = new Array<number>(count * entries * dimension).fill(0);
    for (let row = 0; row < rows; row++)
      for (let group = 0; group < columns; group += dimension)
        for (let m = 0; m < count; m++)
          for (let k = group; k < group + dimension; k++) sums[place(codes, row, k, m)]! += values[row]![k]!;
    return sums;
  }

  const spread = (codes: Uint8Array, codebooks: ArrayLike<number>): number[][] =>
    all(rows).map((row) =>
      all(columns).map((k) => all(count).reduce((sum, m) => sum + codebooks[place(codes, row, k, m)]!, 0)),
    );

  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, a, i) => sum + a * b[i]!, 0);

  return {
    fit(codes: Uint8Array, codebooks: Float32Array, steps: number): Float32Array {
      if (steps === 0) return codebooks;
      const found = [...codebooks];
      const diagonal = gathered(
        codes,
        all(rows).map(() => all(columns).map((k) => h[k]![k]!)),
      );
      const scaled = (rest: readonly number[]): number[] =>
        rest.map((rest, i) => (diagonal[i]! > 0 ? rest / diagonal[i]! : 0));
      const target = spread(codes, found).map((row, n) => row.map((value, k) => w[n * columns + k]! - value));
      let rest = gathered(codes, pulls(target));
      let along = scaled(rest);
      let power = dot(rest, along);
      for (let step = 0; step < steps; step++) {
        const image = gathered(codes, pulls(spread(codes, along)));
        const bend = dot(along, image);
        if (!(bend > 0 && power > 0)) break;
        const size = power / bend;
        for (const [i, a] of along.entries()) found[i]! += size * a;
        rest = rest.map((rest, i) => rest - size * image[i]!);
        const next = dot(rest, scaled(rest));
        const kept = next / power;
        along = scaled(rest).map((z, i) => z + kept * along[i]!);
        power = next;
      }
      return Float32Array.from(found);
    },

    error(codes: Uint8Array, codebooks: Float32Array): number {
      const e = left(codes, codebooks);
      const p = pulls(e);
      return e.flat().reduce((sum, e, i) => sum + e * p.flat()[i]!, 0);
    },

    search(start: Uint8Array, codebooks: Float32Array, beam: number): Uint8Array {
      if (beam === 0) return start;
      const p = pulls(left(start, codebooks));
      const number = (m: number, entry: number, d: number): number => codebooks[(m * entries + entry) * dimension + d]!;
      const found = p.map((pull, row) => {
        let paths = [{ cost: 0, codes: [...start.subarray(row * width, row * width + width)], pull }];
        for (let step = 0; step < width; step++) {
          const [column, m] = [Math.floor(step / count) * dimension, step % count];
          const block = (d: number, j: number): number => h[column + d]![column + j]!;
          const candidates = paths.flatMap((path, index) => {
            const same = (other: readonly number[]) => other.every((code, i) => i === step || code === path.codes[i]);
            if (paths.slice(0, index).some(({ codes }) => same(codes))) return [];
            const own = path.codes[step]!;
            const base = all(dimension).map(
              (d) =>
                path.pull[column + d]! + all(dimension).reduce((sum, j) => sum + block(d, j) * number(m, own, j), 0),
            );
            const scores = all(entries).map((entry) => {
              let score = 0;
              for (let d = 0; d < dimension; d++)
                for (let j = 0; j < dimension; j++)
                  score += (block(d, j) / 2) * number(m, entry, d) * number(m, entry, j);
              return base.reduce((score, base, d) => score - base * number(m, entry, d), score);
            });
            const from = path.cost - scores[own]!;
            return scores.map((score, entry) => ({ cost: from + score, path, entry, own }));
          });
          // A stable sort: the earlier of equal ones stays ahead.
          paths = candidates
            .sort((a, b) => a.cost - b.cost)
            .slice(0, beam)
            .map(({ cost, path, entry, own }) => {
              const pull = [...path.pull];
              for (let d = 0; d < dimension && entry !== own; d++) {
                const change = number(m, entry, d) - number(m, own, d);
                for (let j = 0; j < columns; j++) pull[j]! -= change * h[column + d]![j]!;
              }
              return { cost, codes: path.codes.with(step, entry), pull };
            });
        }
        return paths[0]!.codes;
      });
      return Uint8Array.from(found.flat());
    },
  };
}
