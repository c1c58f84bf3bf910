/** A thread of `lowbit quantize`: quantizes the layers that it is sent. */

import { type LayerTask, quantizeLayer } from "@lowbit/convert";
import type { Calibration } from "lowbit/quantize";
import { serveTasks } from "../shared/pool-thread.ts";

export interface QuantizeTask {
  readonly task: LayerTask;
  /** Of the layer, where its scheme looks at them. */
  readonly inputs: Calibration | undefined;
}

/** Serves layers until the thread is ended. */
export const serve = (): void => serveTasks<QuantizeTask>(({ task, inputs }) => quantizeLayer(task, inputs));
