/** Every source of engines: a new one is one file and one line. The modules load when they are opened. */
import type { EngineSource } from "../engine.ts";

export const sources: readonly EngineSource[] = [];
