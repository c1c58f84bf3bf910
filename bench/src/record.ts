/**
 * A record: what was measured on one machine on one day, with everything that is needed to believe it. Committed as
 * `bench/record/<machine>/<date>.json`; every table and plot is made from it.
 */
import * as v from "valibot";

const text = v.pipe(v.string(), v.maxLength(2000));
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(120));
const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));
const hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/));

const LimitsSchema = v.record(name, positive);

export const PlatformInfoSchema = v.object({
  version: text,
  isolated: v.boolean(),
  processors: v.pipe(v.number(), v.integer(), v.minValue(1)),
  tiers: v.array(name),
  limits: LimitsSchema,
});

const AbsentSchema = v.object({ name, absent: text });

/** A time that counts: its answer was right. */
export const ResultSchema = v.object({
  case: name,
  engine: name,
  platform: name,
  medianMs: positive,
  minMs: positive,
  q1Ms: positive,
  q3Ms: positive,
  rounds: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Processes that timed it, of which this is the fastest; absent: one. */
  processes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(2))),
  iterations: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Billions of the family's unit of work a second: multiply-adds, looked-up codes, compared bits. */
  gmacs: positive,
  checksum: hex,
  /** Of our kernels: the share of the measured limit that binds the case there, and the limit's name. */
  ofLimit: v.optional(positive),
  limit: v.optional(name),
});

export const UntimedSchema = v.object({
  case: name,
  engine: name,
  platform: name,
  /** The answer was wrong, or there was an error instead of one. */
  kind: v.picklist(["wrong", "failed"]),
  reason: text,
  checksum: v.optional(hex),
});

export const RecordSchema = v.object({
  format: v.literal(1),
  machine: v.object({
    name: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,79}$/, "a machine's name is made of a-z, 0-9 and -")),
    cpu: text,
    cores: v.pipe(v.number(), v.integer(), v.minValue(1)),
    memoryGB: v.optional(positive),
    os: text,
  }),
  /** ISO 8601, UTC, of the first and the last command. */
  started: v.pipe(v.string(), v.isoTimestamp()),
  ended: v.pipe(v.string(), v.isoTimestamp()),
  /** What was typed. */
  commands: v.array(text),
  /** Of lowbit and of each engine. */
  versions: v.record(name, text),
  /** Git revision of the checkout, where it was one; `+` where files were changed. */
  revision: v.optional(text),
  platforms: v.array(
    v.object({ name, info: v.optional(PlatformInfoSchema), absent: v.array(AbsentSchema), skipped: v.optional(text) }),
  ),
  /** Of the cases below, in the order of reports. */
  families: v.array(v.object({ name, title: text, unit: name })),
  results: v.array(ResultSchema),
  untimed: v.array(UntimedSchema),
  /** What engines do not do, whatever the platform. */
  skipped: v.array(v.object({ engine: name, reason: text, cases: v.array(name) })),
});

export type BenchRecord = v.InferOutput<typeof RecordSchema>;
export type Result = v.InferOutput<typeof ResultSchema>;
export type Untimed = v.InferOutput<typeof UntimedSchema>;
export type PlatformRecord = BenchRecord["platforms"][number];
export type Machine = BenchRecord["machine"];

const outcomeOf = <T extends v.ObjectEntries>(entries: T) => {
  const { platform: _, ...rest } = entries as T & { platform?: unknown };
  return rest as Omit<T, "platform">;
};

/** What platforms send; a page on another machine is not to be trusted with more. */
export const EventSchema = v.variant("type", [
  v.object({
    type: v.literal("start"),
    info: PlatformInfoSchema,
    versions: v.record(name, text),
    absent: v.array(AbsentSchema),
  }),
  v.object({ type: v.literal("case"), case: name, index: v.number(), count: v.number() }),
  v.object({
    type: v.literal("outcomes"),
    case: name,
    limits: v.optional(LimitsSchema),
    outcomes: v.array(
      v.variant("kind", [
        v.object({ kind: v.literal("timed"), ...outcomeOf(ResultSchema.entries) }),
        v.object(outcomeOf(UntimedSchema.entries)),
        v.object({ kind: v.literal("skipped"), case: name, engine: name, reason: text }),
      ]),
    ),
  }),
  v.object({ type: v.literal("end") }),
  v.object({ type: v.literal("error"), message: v.string() }),
]);

/** @throws Error naming the file's first fault */
export function parseRecord(value: unknown): BenchRecord {
  const parsed = v.safeParse(RecordSchema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new Error(`benchmark record: ${v.getDotPath(issue) ?? "the whole"}: ${issue.message}`);
}

/** One line per result, so that a later record's difference can be read. */
export function formatRecord(record: BenchRecord): string {
  const lists = ["platforms", "families", "results", "untimed", "skipped"] as const;
  const fields = Object.entries(record).map(([key, value]) => {
    const isList = (lists as readonly string[]).includes(key) && (value as readonly object[]).length > 0;
    const text = isList
      ? `[\n    ${(value as readonly object[]).map((each) => JSON.stringify(each)).join(",\n    ")}\n  ]`
      : JSON.stringify(value);
    return `  ${JSON.stringify(key)}: ${text}`;
  });
  return `{\n${fields.join(",\n")}\n}\n`;
}
