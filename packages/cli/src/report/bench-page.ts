/** The report of a benchmark record: everything in it comes from the record, and the record's commands say how to get another. */

import type { BenchRecord } from "@lowbit/bench";
import { type BenchRow, benchRows, enginesOf, isPeer, shortVersion, timesAsFast } from "./bench-figures.ts";
import {
  BENCH_STYLE,
  byPlatform,
  engineColour,
  limitShares,
  limitWords,
  platformColour,
  platformsRun,
  speedByShape,
  timesOverPeers,
} from "./bench-plots.ts";
import { formatTimes, significant } from "./format.ts";
import { type Column, facts, figure, type Html, html, page, table } from "./page.ts";

/** The platform that the drawings show: the one with most peers, and of those the one that most users have. */
function mainPlatform(record: BenchRecord, rows: readonly BenchRow[]): string {
  const order = ["chromium", "node24", "page", "firefox", "node20"];
  const peers = (platform: string) =>
    enginesOf(
      rows.filter((row) => row.platform === platform),
      isPeer,
    ).length;
  const rank = (platform: string) => (order.includes(platform) ? order.indexOf(platform) : order.length);
  const [first = ""] = platformsRun(record).sort((a, b) => peers(b) - peers(a) || rank(a) - rank(b));
  return first;
}

const key = (entries: readonly (readonly [name: string, colour: string])[]): Html =>
  html`<p class="key">${entries.map(([name, colour]) => html`<span><i style="background: ${colour}"></i>${name}</span>`)}</p>`;

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** A tile a peer: the geometric mean over the cases that both did. */
function tiles(rows: readonly BenchRow[], peers: readonly string[]): Html {
  const figures = peers.map((peer) => {
    const ratios = rows.flatMap((row) => timesAsFast(row, peer) ?? []);
    return { peer, mean: geometricMean(ratios), count: ratios.length };
  });
  return html`<div class="tiles">${figures.map(
    ({ peer, mean, count }) =>
      html`<div class="tile"><b>${formatTimes(mean)}</b><span>as fast as ${peer}, geometric mean of ${count} cases</span></div>`,
  )}</div>`;
}

/** All figures of a family, on all platforms. */
function familyTable(rows: readonly BenchRow[]): Html {
  const flat = rows.flatMap((row) => row.engines.map((each) => ({ row, each })));
  type Line = (typeof flat)[number];
  const columns: Column<Line>[] = [
    { title: "shape", cell: ({ row, each }) => (each === row.engines[0] ? row.shape : "") },
    { title: "platform", cell: ({ row, each }) => (each === row.engines[0] ? row.platform : "") },
    { title: "engine", cell: ({ each }) => each.engine },
    { title: "median ms", numeric: true, cell: ({ each }) => significant(each.medianMs) },
    { title: "quartiles", numeric: true, cell: ({ each }) => `${significant(each.q1Ms)} – ${significant(each.q3Ms)}` },
    { title: "min", numeric: true, cell: ({ each }) => significant(each.minMs) },
    { title: "G/s", numeric: true, cell: ({ each }) => significant(each.gmacs) },
    {
      title: "lowbit ×",
      numeric: true,
      cell: ({ row, each }) => (each === row.ours ? "" : formatTimes(each.medianMs / row.ours.medianMs)),
    },
    {
      title: "of limit",
      numeric: true,
      cell: ({ each }) => (each.ofLimit === undefined ? "" : `${Math.round(each.ofLimit * 100)} %`),
    },
  ];
  return table(columns, flat, ({ row, each }) => (each === row.ours ? "ours" : isPeer(each.engine) ? "peer" : ""));
}

function family(record: BenchRecord, name: string, rows: readonly BenchRow[], main: string): Html {
  const { title = name, unit = "MAC" } = record.families.find((each) => each.name === name) ?? {};
  const shown = rows.filter(({ platform }) => platform === main);
  const engines = enginesOf(shown, (engine) => engine !== "naive");
  return html`<h3>${title}</h3>
${
  shown.length === 0
    ? html`<p class="note">Not run on ${main}.</p>`
    : html`${key(engines.map((engine) => [engine, engineColour(engine)] as const))}
${figure(speedByShape(shown, unit), `${name}, ${main}, one thread unless the name ends in a number. Whiskers: quartiles. In brackets: how many times as fast lowbit's best is.`)}`
}
<details><summary>All figures of ${name}, every platform</summary>${familyTable(rows)}</details>`;
}

/** What each machine code could do at best: columns are platforms. */
function limitsTable({ platforms }: BenchRecord): Html {
  const run = platforms.flatMap(({ name, info }) => (info ? [{ name, limits: info.limits }] : []));
  const names = [...new Set(run.flatMap(({ limits }) => Object.keys(limits)))];
  return table(
    [
      { title: "limit", cell: (limit) => limitWords(limit) },
      { title: "unit", cell: (limit) => (limit.startsWith("read") ? "GB/s" : "G instructions/s") },
      ...run.map(({ name, limits }) => ({
        ...{ title: name, numeric: true },
        cell: (limit: string) => (limits[limit] === undefined ? "–" : significant(limits[limit])),
      })),
    ],
    names,
  );
}

/** Threads beside one thread of the same tier, on every platform. */
function threadsTable(rows: readonly BenchRow[]): Html | undefined {
  const lines = rows.flatMap((row) =>
    row.engines.flatMap((many) => {
      const [, one, threads] = /^(lowbit:[^:]+):(\d+)$/.exec(many.engine) ?? [];
      const single = row.engines.find(({ engine }) => engine === one);
      return single && threads ? [{ row, many, threads, times: single.medianMs / many.medianMs }] : [];
    }),
  );
  if (lines.length === 0) return undefined;
  return table(
    [
      { title: "case", cell: ({ row }) => row.ours.case },
      { title: "platform", cell: ({ row }) => row.platform },
      { title: "engine", cell: ({ many }) => many.engine },
      { title: "G/s", numeric: true, cell: ({ many }) => significant(many.gmacs) },
      { title: "× one thread", numeric: true, cell: ({ times }) => formatTimes(times) },
    ],
    lines,
  );
}

/** What is not a time, and why. */
function missing(record: BenchRecord): Html {
  const { untimed, skipped, platforms } = record;
  const wrong = untimed.map((each) => ({ ...each, what: each.case }));
  const absent = platforms.flatMap(({ name, absent, skipped: reason }) => [
    ...(reason === undefined ? [] : [{ platform: name, engine: "all", reason }]),
    ...absent.map((each) => ({ platform: name, engine: each.name, reason: each.absent })),
  ]);
  return html`<h2>What has no time</h2>
<p>A wrong answer voids its timing. Engines and platforms that are not to be had are named.</p>
${
  wrong.length === 0
    ? html`<p>No answer was wrong, and nothing failed.</p>`
    : table(
        [
          { title: "case", cell: (each) => each.what },
          { title: "engine", cell: (each) => each.engine },
          { title: "platform", cell: (each) => each.platform },
          { title: "", cell: (each) => each.kind },
          { title: "reason", cell: (each) => each.reason },
        ],
        wrong,
        () => "wrong",
      )
}
${
  absent.length === 0
    ? html``
    : table(
        [
          { title: "platform", cell: (each) => each.platform },
          { title: "engine", cell: (each) => each.engine },
          { title: "reason", cell: (each) => each.reason },
        ],
        absent,
      )
}
<details><summary>Cases that engines do not do</summary>${table(
    [
      { title: "engine", cell: (each) => each.engine },
      { title: "reason", cell: (each) => each.reason },
      { title: "cases", cell: (each) => each.cases.join(", ") },
    ],
    skipped,
  )}</details>`;
}

/** Engines of one package have one version; `native:faiss-pq` is of `native:faiss`. */
function packageVersions(versions: Readonly<Record<string, string>>): [string, string][] {
  const packageOf = (engine: string) => engine.replace(/^(native:[^-]+|[^:]+).*/, "$1");
  const named = Object.entries(versions).map(([engine, version]) => [packageOf(engine), version] as const);
  return [...new Map(named)];
}

/** The whole page. */
export function benchPage(record: BenchRecord): string {
  const { machine, started, ended, versions, commands, revision, families, results } = record;
  const rows = benchRows(record);
  const main = mainPlatform(record, rows);
  const shown = rows.filter(({ platform }) => platform === main);
  const peers = enginesOf(shown, isPeer);
  const run = platformsRun(record);
  const threads = threadsTable(rows);
  const version = (name: string) =>
    shortVersion(record.platforms.find((each) => each.name === name)?.info?.version ?? "");
  return page(
    `lowbit bench, ${machine.cpu}`,
    [
      html`<h1>lowbit bench</h1>
<p class="lead">${machine.cpu}, ${machine.cores} cores, ${started.slice(0, 10)}: ${results.length} times of right answers, ${new Set(results.map((each) => each.case)).size} cases, ${run.length} platforms. Medians of interleaved rounds in one process per family and platform; only ratios within a case and a platform mean anything.</p>`,
      peers.length > 0 ? tiles(shown, peers) : html``,
      facts([
        ["machine", machine.cpu],
        ["name in records", machine.name],
        ["cores", String(machine.cores)],
        ...(machine.memoryGB === undefined ? [] : [["memory", `${machine.memoryGB} GB`] as const]),
        ["system", machine.os],
        ["started, ended (UTC)", `${started.slice(0, 16).replace("T", " ")}, ${ended.slice(0, 16).replace("T", " ")}`],
        ...(revision === undefined ? [] : [["revision", revision] as const]),
        ...packageVersions(versions),
        ...run.map((name) => [name, version(name)] as const),
      ]),
      html`<pre>${commands.join("\n")}</pre>`,
      peers.length > 0
        ? html`<h2>Against other runtimes</h2>
${key(peers.map((peer) => [peer, engineColour(peer)] as const))}
${figure(timesOverPeers(shown, peers), `${main}, one thread: lowbit's fastest tier against each runtime on the same task, timed in the same interleaved rounds. Right of the line lowbit is faster. Int8 and float runtimes do binary and ternary tasks with weights of those values.`)}`
        : html``,
      html`<h2>Share of the machine's limit</h2>
${figure(limitShares(shown), `${main}: the best instruction for the task, or reading memory, whichever is lower; both measured in the same process. 100 % cannot be reached by a kernel that also packs, accumulates and stores.`)}
<details><summary>The measured limits</summary>${limitsTable(record)}</details>`,
      html`<h2>Speed by shape</h2>`,
      ...families
        .map(({ name }) => name)
        .filter((name) => rows.some((row) => row.family === name))
        .map((name) =>
          family(
            record,
            name,
            rows.filter((row) => row.family === name),
            main,
          ),
        ),
      run.length > 1
        ? html`<h2>By platform</h2>
${key(run.map((name) => [name, platformColour(name)] as const))}
${figure(byPlatform(rows), "lowbit's fastest tier on one thread. Platforms ran one after another: differences within about a fifth are the machine's noise.")}`
        : html``,
      threads ? html`<h2>Threads</h2>${threads}` : html``,
      missing(record),
    ],
    BENCH_STYLE,
  );
}
