/** The loops that everything is checked against, as a contestant: what a case costs without any of our work. */
import { familyOf } from "../cases/index.ts";
import type { EngineSource } from "../engine.ts";
import type { TypedArray } from "../values.ts";

const LIMIT = 2 ** 26;

export const naive: EngineSource = {
  name: "naive",
  kind: "ours",
  open: async () => [
    {
      name: "naive",
      supports: ({ work }) => work.amount <= LIMIT || `the naive loops are timed up to ${LIMIT} MAC`,
      async prepare(of, tensors) {
        const family = familyOf(of);
        let y: TypedArray = new Int32Array(0);
        return {
          run() {
            y = family.result(of, tensors, family.sums(of, tensors));
          },
          answer: () => ({ kind: "exact", data: y }),
          dispose() {},
        };
      },
    },
  ],
};
