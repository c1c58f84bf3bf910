/** The suite as a page for any device of the network: each visit that is started is a record of its own. */
import { allCases } from "./cases/index.ts";
import { Collector } from "./collect.ts";
import type { Event, Job } from "./job.ts";
import { slug } from "./machine.ts";
import type { BenchRecord } from "./record.ts";
import { efforts } from "./run.ts";
import { selectCases } from "./select.ts";
import { type Serving, serve } from "./server.ts";

export interface ServeOptions {
  /** `127.0.0.1` for this machine alone; absent: all of its addresses. */
  readonly host?: string | undefined;
  /** Absent: 8080; 0: a free one. */
  readonly port?: number | undefined;
  readonly filter?: string | undefined;
  readonly peers?: string | undefined;
  readonly threads?: readonly number[] | undefined;
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly revision?: string | undefined;
  /** After every case that a device has run. */
  readonly onRecord: (record: BenchRecord) => void | Promise<void>;
  readonly onNote?: (note: string) => void;
}

/** A page sends its own name; nothing of it gets further than these characters. */
const SESSION = /^page-[0-9]{1,40}$/;
/** Records are kept in memory while they grow. */
const MOST_SESSIONS = 100;

/** @returns the port, and a way to end it. */
export async function serveSuite(options: ServeOptions): Promise<Serving> {
  const { filter, peers = "all", threads = [2], command, versions, revision, onRecord, onNote } = options;
  const select = (quick: boolean) => selectCases(allCases(), { quick, filter }).map(({ id }) => id);
  const suites = { quick: select(true), full: select(false) };
  const sessions = new Map<string, Collector>();

  function job(session: string, query: URLSearchParams): Job | undefined {
    if (!SESSION.test(session) || sessions.has(session) || sessions.size >= MOST_SESSIONS) return undefined;
    const suite = query.get("suite") === "full" ? "full" : "quick";
    const name = slug(query.get("machine") ?? "");
    const machine = { name, cpu: "as the page was told", cores: 1, os: "unknown" };
    const collector = new Collector(machine, command, versions);
    if (revision !== undefined) collector.record.revision = revision;
    sessions.set(session, collector);
    onNote?.(`${name}: started`);
    return { platform: "page", cases: suites[suite], peers, threads, effort: efforts[suite] };
  }

  async function event(session: string, sent: Event): Promise<boolean> {
    const collector = sessions.get(session);
    if (!collector) return false;
    const { record } = collector;
    collector.add("page", sent);
    if (sent.type === "start")
      record.machine = { ...record.machine, cores: sent.info.processors, os: sent.info.version.slice(0, 200) };
    if (sent.type === "outcomes") await onRecord(record);
    if (sent.type === "end") onNote?.(`${record.machine.name}: done, ${record.results.length} times`);
    if (sent.type === "error") onNote?.(`${record.machine.name}: ${sent.message}`);
    return true;
  }

  return serve({ job, event }, options.host ?? "0.0.0.0", options.port ?? 8080);
}
