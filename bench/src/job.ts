/** What a platform is asked to do, and what it tells while it does it: JSON between the driver and a child process or a page. */
import type { Absent } from "./engine.ts";
import type { Limits } from "./limits.ts";
import type { Effort, Outcome } from "./run.ts";

export interface Job {
  readonly platform: string;
  /** Ids, in order. */
  readonly cases: readonly string[];
  /** As `--peers` has it. */
  readonly peers: string;
  readonly threads: readonly number[];
  readonly effort: Effort;
}

/** What a platform says of itself. */
export interface PlatformInfo {
  /** "Node 24.21.0, V8 13.6", or a browser's user agent. */
  readonly version: string;
  /** Whether shared memory is to be had. */
  readonly isolated: boolean;
  /** Logical processors that it sees. */
  readonly processors: number;
  readonly tiers: readonly string[];
  readonly limits: Limits;
}

export type Event =
  | {
      readonly type: "start";
      readonly info: PlatformInfo;
      readonly versions: Readonly<Record<string, string>>;
      readonly absent: readonly Absent[];
    }
  /** Case `index` (from 0) of `count` begins. */
  | { readonly type: "case"; readonly case: string; readonly index: number; readonly count: number }
  | {
      readonly type: "outcomes";
      readonly case: string;
      readonly outcomes: readonly Outcome[];
      readonly limits?: Limits;
    }
  | { readonly type: "end" }
  /** Nothing more will come. */
  | { readonly type: "error"; readonly message: string };
