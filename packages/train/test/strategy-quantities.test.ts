import {
  admmShift,
  admmTernary,
  binary,
  dorefa,
  kmeans,
  lab,
  lcTernary,
  pow2,
  quantize,
  stochasticBinary,
  ternary,
  ttq,
  uniform,
} from "lowbit/quantize";
import { beforeAll, describe, expect, it } from "vitest";
import { np, startEngine } from "../src/autograd.ts";
import { RecipeError } from "../src/errors.ts";
import { clipped } from "../src/estimators/gradients.ts";
import { dense } from "../src/layers/dense.ts";
import { Model } from "../src/model.ts";
import { extragradient } from "../src/optimizers/extragradient.ts";
import { sgd } from "../src/optimizers/sgd.ts";
import { constantRate } from "../src/schedule.ts";
import { admm } from "../src/strategies/admm.ts";
import { bitwise, bitwiseSign } from "../src/strategies/bitwise.ts";
import { codebookTuning } from "../src/strategies/codebook.ts";
import { distillation } from "../src/strategies/distillation.ts";
import { inq } from "../src/strategies/inq.ts";
import { type Lc, lc } from "../src/strategies/lc.ts";
import { dorefaTraining, lsqTraining, ttqTraining } from "../src/strategies/learned-levels.ts";
import { compileForward } from "../src/strategies/pass.ts";
import { proximalNewton } from "../src/strategies/proximal-newton.ts";
import { distance } from "../src/strategies/pull.ts";
import { unitSigns } from "../src/strategies/quantized.ts";
import { straightThroughTraining } from "../src/strategies/straight-through.ts";
import type { Strategy, View } from "../src/strategies/strategy.ts";
import { floatsOf } from "../src/strategies/view.ts";
import { type HostTensor, toArrays } from "../src/values.ts";
import {
  distanceAtEnd,
  holdsAtLast,
  near,
  pretrained,
  smallNetwork,
  ste,
  train,
  transposed,
  validation,
} from "./strategy-fixtures.ts";

/**
 * Each strategy's own quantity. `holds` says whether it is there; it must be for the strategy, and must not be for plain straight-through
 * training in its place.
 */
beforeAll(startEngine);

/** SGD with Nesterov's look-ahead, long enough for a constraint to be met. */
const CONSTRAINED = { optimizer: sgd({ momentum: 0.9, nesterov: true }), peakRate: 0.05, epochs: 24 };

describe("proximal Newton", () => {
  it("has α = ‖d ∘ w‖₁ / ‖d‖₁ with d the root of Adam's second moment, which is not mean|w|", async () => {
    const holds = async (strategy: () => Strategy) => {
      const gaps: { weighted: number; plain: number }[] = [];
      const look = async (view: View, step: number, own: Strategy) => {
        if (step !== 20) return;
        const slot = view.slots[0]!;
        const { data } = view.latent(slot);
        const d = view.second(slot).data.map((v) => Math.sqrt(v) + 1e-8);
        const used = (await own.weightsFor!(step + 1, view)).weights![slot.name]!.data;
        const sum = (values: Float32Array) => values.reduce((total, x) => total + x, 0);
        for (let row = 0; row < 8; row++) {
          const part = (values: Float32Array) => values.subarray(row * 12, (row + 1) * 12);
          const alpha = Math.abs(part(used)[0]!);
          const weighted = sum(part(data).map((w, i) => Math.abs(w) * part(d)[i]!)) / sum(part(d));
          const plain = sum(part(data).map(Math.abs)) / 12;
          gaps.push({ weighted: Math.abs(alpha / weighted - 1), plain: Math.abs(alpha / plain - 1) });
        }
      };
      await train(strategy, { look });
      return gaps.every(({ weighted }) => weighted < 1e-4) && gaps.filter(({ plain }) => plain > 1e-3).length > 4;
    };
    expect(await holds(() => proximalNewton({ quantizer: lab() }))).toBe(true);
    expect(await holds(() => ste(binary()))).toBe(false);
  });
});

describe("ADMM", () => {
  it("brings ‖W - G‖ / ‖W‖ to 0", async () => {
    const strategy = () => admm({ quantizer: admmTernary(), rho: 0.1, growth: 1.3 });
    const own = await distanceAtEnd(strategy, CONSTRAINED);
    expect(own.apart).toBeLessThan(0.01);
    expect(own.log.at(-1)!.validation).toBeGreaterThan(0.9);
    expect((await distanceAtEnd(() => ste(admmTernary()), CONSTRAINED)).apart).toBeGreaterThan(0.2);
  });

  it("does so by the paper's extragradient W-steps too", async () => {
    const recipe = { optimizer: extragradient(), peakRate: 0.1, epochs: 80 };
    const strategy = () => admm({ quantizer: admmTernary(), rho: 0.3, growth: 1.12, every: 12 });
    const own = await distanceAtEnd(strategy, recipe);
    expect(own.apart).toBeLessThan(0.01);
    expect(own.log.at(-1)!.validation).toBeGreaterThan(0.9);
    expect((await distanceAtEnd(() => ste(admmTernary()), recipe)).apart).toBeGreaterThan(0.1);
  });
});

describe("LC", () => {
  it("raises μ by its factor, and brings ‖w - Δ(Θ)‖ / ‖w‖ to 0", async () => {
    let made: Lc | undefined;
    const path: number[] = [];
    const strategy = () => {
      made = lc({ quantizer: lcTernary(), mu: 0.1, growth: 1.3 });
      return made;
    };
    await train(strategy, { ...CONSTRAINED, look: () => path.push(made!.residual) });
    expect(made!.mu).toBeCloseTo(0.1 * 1.3 ** 24, 3);
    expect(made!.residual).toBeLessThan(0.01);
    expect(path[5]!).toBeGreaterThan(10 * made!.residual);
    expect((await distanceAtEnd(() => ste(lcTernary()), CONSTRAINED)).apart).toBeGreaterThan(0.2);
  });
});

describe("INQ", () => {
  it("never moves the part that is frozen, and freezes the shares of its schedule", async () => {
    const kept: { values: number[]; shares: number[] } = { values: [], shares: [] };
    const holds = async (strategy: () => Strategy) => {
      let first: Float32Array | undefined;
      let largest: number[] = [];
      let same = true;
      const look = async (view: View, step: number, own: Strategy) => {
        const slot = view.slots[0]!;
        const given = await own.weightsFor!(step + 1, view);
        const used = given.weights![slot.name]!.data;
        if (first === undefined) {
          first = used.slice();
          largest = [...used.keys()].sort((a, b) => Math.abs(first![b]!) - Math.abs(first![a]!)).slice(0, 48);
        }
        same &&= largest.every((i) => used[i] === first![i]);
        const mask = given.constants?.[`mask/${slot.name}`]?.data;
        if (mask) kept.shares.push(mask.reduce((sum, m) => sum + m, 0) / mask.length);
        if (step + 1 !== view.steps) return;
        const exported = await floatsOf(slot, (await own.export(view))[slot.name]!);
        same &&= largest.every((i) => exported.data[i] === first![i]);
        kept.values = [...exported.data];
      };
      await train(strategy, { look, epochs: 6, initial: await pretrained() });
      return same;
    };
    expect(await holds(() => inq({ bits: 5 }))).toBe(true);
    expect([...new Set(kept.shares)]).toEqual([0.5, 0.75, 0.875, 1]);
    for (const value of kept.values) if (value !== 0) expect(Number.isInteger(Math.log2(Math.abs(value)))).toBe(true);
    expect(await holds(() => ste(pow2({ bits: 5 })))).toBe(false);
  });
});

describe("BinaryConnect", () => {
  it("draws +1 with probability (w + 1) / 2, clipped, anew at each step", async () => {
    const data = Float32Array.of(-1.5, -1, -0.6, -0.2, 0, 0.3, 0.5, 0.9, 1, 2);
    const slot = new Model([dense("layer", { from: [10], outputs: 1 })]).slots[0]!;
    const view = { slots: [slot], seed: 3, latent: () => ({ shape: [1, 10], data }) } as never;
    const steps = 1500;
    const holds = async (strategy: Strategy) => {
      const up = new Float64Array(data.length);
      let both = 0;
      for (let step = 0; step < steps; step++) {
        const used = (await strategy.weightsFor!(step, view)).weights![slot.name]!.data;
        expect(used.every((w) => Math.abs(w) === 1)).toBe(true);
        for (const [i, w] of used.entries()) up[i]! += w > 0 ? 1 : 0;
        both += used[3]! > 0 && used[5]! > 0 ? 1 : 0;
      }
      const expected = (p: number, count: number) => Math.abs(count - p * steps) <= 5 * Math.sqrt(p * (1 - p) * steps);
      // Two weights of one tensor are drawn independently.
      return (
        data.every((w, i) => expected(Math.min(1, Math.max(0, (w + 1) / 2)), up[i]!)) && expected(0.4 * 0.65, both)
      );
    };
    const drawn = { quantizer: stochasticBinary(), estimator: clipped, exported: unitSigns() };
    expect(await holds(straightThroughTraining(drawn))).toBe(true);
    expect(await holds(ste(unitSigns()))).toBe(false);
  });
});

describe("strategies with learned levels compute with what they export", () => {
  it.each([1, 2] as const)("DoReFa-Net of %d bits: levels of the paper", async (bits) => {
    const holds = (strategy: () => Strategy) =>
      holdsAtLast(strategy, ({ computed, exported, latent }) => {
        const mean = latent.reduce((sum, w) => sum + Math.abs(w), 0) / latent.length;
        const levels = bits === 1 ? [-mean, mean] : [-1, -1 / 3, 1 / 3, 1];
        const used = [...new Set(exported)].sort((a, b) => a - b);
        return near(computed, exported) && near(used, levels);
      });
    expect(await holds(() => dorefaTraining({ bits }))).toBe(true);
    expect(await holds(() => ste(dorefa({ bits: 2 })))).toBe(false);
    expect(await holds(() => ste(binary()))).toBe(false);
  });

  it("trained ternary quantization: two levels that have left the means they start at, and are no least squares", async () => {
    const holds = (strategy: () => Strategy) =>
      holdsAtLast(strategy, async ({ computed, exported, constant, latent }, parameter, view) => {
        if (constant.decoding.kind !== "table") return false;
        const [positive, negative] = [parameter("positive"), parameter("negative")];
        const { codebook: squares } = await quantize({ shape: view.slots[0]!.shape, data: latent }, ttq());
        return (
          near(computed, exported) &&
          near(constant.decoding.codebook, [-negative, 0, positive]) &&
          Math.abs(positive - negative) > 0.01 &&
          Math.abs(positive - squares![2]!) > 0.01 &&
          Math.abs(negative + squares![0]!) > 0.01
        );
      });
    expect(await holds(() => ttqTraining())).toBe(true);
    expect(await holds(() => ste(ttq()))).toBe(false);
  });

  it.each([2, 4] as const)("learned step size of %d bits: a step that has left its start", async (bits) => {
    const most = 2 ** (bits - 1) - 1;
    const start = (data: Float32Array) =>
      (2 * data.reduce((sum, w) => sum + Math.abs(w), 0)) / data.length / Math.sqrt(most);
    const first = (await pretrained())["first.weight"]!.data;
    const holds = (strategy: () => Strategy) =>
      holdsAtLast(
        strategy,
        ({ computed, exported, constant, latent }, parameter) => {
          const step = constant.scale?.[0] ?? Number.NaN;
          return (
            near(computed, exported) &&
            step === parameter("step") &&
            Math.abs(step / start(first) - 1) > 0.01 &&
            Math.abs(step / start(latent) - 1) > 0.01
          );
        },
        { initial: { "first.weight": { shape: [12, 8], data: first } } },
      );
    expect(await holds(() => lsqTraining({ bits }))).toBe(true);
    expect(await holds(() => ste(uniform({ bits, per: "tensor" })))).toBe(false);
  });
});

describe("Bitwise networks", () => {
  it("compute with tanh in the first phase and with signs in the second", async () => {
    const model = new Model([
      dense("a", { from: [3], outputs: 2 }),
      bitwiseSign("act"),
      dense("b", { from: [2], outputs: 2 }),
    ]);
    const parameters = {
      "a.weight": { shape: [3, 2], data: Float32Array.of(0.5, -1, 0.2, 0.8, -0.3, 0.1) },
      "b.weight": { shape: [2, 2], data: Float32Array.of(0.4, -0.6, -0.9, 0.7) },
    };
    const x = [0.4, -1.2, 0.9];
    const run = async (strategy: Strategy, step: number) => {
      const view = {
        slots: model.slots,
        seed: 1,
        steps: 10,
        latent: (s: { name: "a.weight" }) => transposed(parameters[s.name]),
      } as never;
      const given = (await strategy.weightsFor?.(step, view)) ?? {};
      return compileForward(model, strategy, {
        training: true,
        statistics: {},
        parameters: toArrays(parameters),
        given: {
          weights: toArrays(given.weights ?? {}),
          constants: toArrays(given.constants ?? {}),
          seed: np.array([7], { dtype: np.uint32 }).reshape([]),
        },
      })
        .run(np.array([x]))
        .js() as number[][];
    };
    const by = (f: (v: number) => number) => {
      const [a, b] = [parameters["a.weight"].data.map(f), parameters["b.weight"].data.map(f)];
      const hidden = [0, 1].map((j) => f(x.reduce((s, v, i) => s + v * a[2 * i + j]!, 0)));
      return [0, 1].map((k) =>
        expect.closeTo(
          hidden.reduce((s, v, j) => s + v * b[2 * j + k]!, 0),
          5,
        ),
      );
    };
    expect((await run(bitwise(), 0))[0]).toEqual(by(Math.tanh));
    expect((await run(bitwise(), 5))[0]).toEqual(by((v) => (v >= 0 ? 1 : -1)));
    expect((await run(ste(binary()), 0))[0]).not.toEqual(by(Math.tanh));
  });
});

describe("codebook tuning", () => {
  it("moves a centroid by the sum of its members' gradients, and no code", async () => {
    const holds = async (strategy: () => Strategy) => {
      const kept: { codes: Float32Array; table: Float32Array; used: Float32Array }[] = [];
      const look = async (view: View, step: number, own: Strategy) => {
        if (step > 1) return;
        const slot = view.slots[0]!;
        const constant = (await own.export(view))[slot.name]!;
        if (constant.kind !== "quantized" || constant.decoding.kind !== "table") return;
        const used = await floatsOf(slot, constant);
        const table = constant.decoding.codebook.slice();
        kept.push({ codes: used.data.map((w) => table.indexOf(w)), table, used: used.data });
      };
      const plain = { optimizer: sgd(), peakRate: 0.1, schedule: constantRate };
      await train(strategy, { ...plain, look, initial: await pretrained() });
      const [before, after] = kept as [(typeof kept)[0], (typeof kept)[0]];
      // The gradients of single weights at ŵ: a float step from there.
      let moved: Float32Array | undefined;
      const from = { ...(await pretrained()) };
      const lookFloat = (view: View, step: number) => {
        if (step === 1) moved = view.latent(view.slots[0]!).data;
        if (step === 0) view.replace(view.slots[0]!, { shape: view.slots[0]!.shape, data: before.used });
      };
      await train(() => ({ name: "float", export: async () => ({}) }), { ...plain, look: lookFloat, initial: from });
      if (!before.codes.every((code, i) => code === after.codes[i])) return false;
      return [...before.table.keys()].every((k) => {
        const sum = before.codes.reduce((total, code, i) => total + (code === k ? moved![i]! - before.used[i]! : 0), 0);
        return Math.abs(after.table[k]! - before.table[k]! - sum) < 2e-2;
      });
    };
    expect(
      await holds(() =>
        codebookTuning({ quantizer: kmeans({ k: 4 }), layers: (slot) => slot.name === "first.weight" }),
      ),
    ).toBe(true);
    expect(await holds(() => ste(kmeans({ k: 4 })))).toBe(false);
  });
});

describe("codebook tuning of tables with a 0", () => {
  it("keeps it, and so what is pruned, while the other entries move", async () => {
    const holds = async (strategy: () => Strategy) => {
      const seen: { zeros: string; levels: number[] }[] = [];
      const look = async (view: View, _step: number, own: Strategy) => {
        const { data } = await floatsOf(view.slots[0]!, (await own.export(view))[view.slots[0]!.name]!);
        const zeros = [...data.keys()].filter((i) => data[i] === 0);
        seen.push({ zeros: zeros.join(), levels: [...new Set(data)].sort((a, b) => a - b) });
      };
      await train(strategy, { look, epochs: 3, initial: await pretrained() });
      const [start, end] = [seen[0]!, seen.at(-1)!];
      const kept = start.zeros.length > 0 && seen.every(({ zeros }) => zeros === start.zeros);
      return kept && start.levels.every((level, i) => (level === 0) === (level === end.levels[i]));
    };
    expect(await holds(() => codebookTuning({ quantizer: ttq() }))).toBe(true);
    expect(await holds(() => ste(ttq()))).toBe(false);
  });

  it.each([pow2({ bits: 3 }), dorefa({ bits: 2 }), admmShift({ shift: 1 })])(
    "refuses a quantizer with scales: $scheme",
    async (quantizer) => {
      const refused = train(() => codebookTuning({ quantizer }), { epochs: 1, initial: await pretrained() });
      await expect(refused).rejects.toThrow(RecipeError);
      await expect(refused).rejects.toThrow(`${quantizer.scheme} gives first.weight scales`);
    },
  );
});

describe("distillation", () => {
  it("brings the student's answers nearer to the teacher's than labels alone do", async () => {
    const tensors = await pretrained();
    const teacher = new Model(smallNetwork());
    const inner = () => ste(ternary());
    const apart = async (strategy: () => Strategy) => {
      const { tensors: own, weights } = await train(strategy, { epochs: 10 });
      const low = Object.fromEntries(
        await Promise.all(
          teacher.slots.map(
            async (slot) => [slot.name, transposed(await floatsOf(slot, weights[slot.name]!))] as const,
          ),
        ),
      );
      const logits = (of: Record<string, HostTensor>) =>
        teacher
          .forward(toArrays({ x: validation.range(0, 60) }).x!, toArrays(of), {
            training: false,
            statistics: {},
            batchStatistics: {},
          })
          .dataSync() as Float32Array;
      return distance(logits({ ...own, ...low }), logits(tensors));
    };
    const student = await apart(() => distillation({ teacher, tensors, strategy: inner(), temperature: 2, weight: 4 }));
    expect(student).toBeLessThan(0.7 * (await apart(inner)));
  });
});
