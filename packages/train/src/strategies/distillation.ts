import { nn } from "../autograd.ts";
import type { Model } from "../model.ts";
import type { HostTensors } from "../values.ts";
import { prefixed } from "./saved.ts";
import type { Strategy } from "./strategy.ts";

export interface DistillationOptions {
  /** A trained network of the same input and classes. */
  readonly teacher: Model;
  /** Its parameters and statistics by full name. */
  readonly tensors: HostTensors;
  /** How the student's weights become low-bit. */
  readonly strategy: Strategy;
  /** T: both sides' logits are divided by it. Default 4. */
  readonly temperature?: number;
  /** γ, what the teacher counts beside the labels, which count 1. Default 1. */
  readonly weight?: number;
}

const TEACHER = "teacher/";

/**
 * Knowledge distillation (Hinton, Vinyals, Dean 2015; low-bit students: Apprentice, Mishra, Marr 2018, scheme B and C): added to the loss of another strategy is
 *
 *   γ T² · cross-entropy(softmax(teacher / T), softmax(student / T)),
 *
 * the teacher being a float network in evaluation that runs in the same compiled step.
 */
export function distillation(options: DistillationOptions): Strategy {
  const { teacher, tensors, strategy, temperature = 4, weight = 1 } = options;
  const constants = prefixed(TEACHER, tensors);
  return Object.create(strategy, {
    name: { value: `distillation:${temperature}:${weight}:${strategy.name}` },
    weightsFor: {
      value: async (...step: Parameters<NonNullable<Strategy["weightsFor"]>>) => {
        const given = (await strategy.weightsFor?.(...step)) ?? {};
        return { ...given, constants: { ...given.constants, ...constants } };
      },
    },
    penalty: {
      value: (...[scope, outcome]: Parameters<NonNullable<Strategy["penalty"]>>) => {
        const own = Object.fromEntries(
          Object.keys(tensors).map((name) => [name, scope.constants[TEACHER + name]!.ref]),
        );
        const context = { training: false, statistics: own, batchStatistics: {} };
        const soft = nn.softmax(teacher.forward(outcome.x.ref, own, context).div(temperature), -1);
        const student = nn.logSoftmax(outcome.logits.ref.div(temperature), -1);
        const missed = student
          .mul(soft)
          .sum(-1)
          .mean()
          .mul(-weight * temperature * temperature);
        const before = strategy.penalty?.(scope, outcome);
        return before === undefined ? missed : missed.add(before);
      },
    },
  } satisfies PropertyDescriptorMap) as Strategy;
}
