/** Results as a table for people and as JSON for those who compare later. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import type { Run } from './measure.ts';

export interface VariantResult {
  readonly name: string;
  readonly title: string;
  readonly runs: readonly Run[];
}

export interface ShapeResult {
  readonly shape: string;
  readonly title: string;
  readonly answerBytes: number;
  readonly results: readonly VariantResult[];
}

/** The middle run, and how far the others are from it. */
function spread(values: readonly number[]): { median: number; deviation: number } {
  const sorted = values.toSorted((left, right) => left - right);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const [lowest = 0, highest = 0] = [sorted[0], sorted.at(-1)];
  return { median, deviation: median === 0 ? 0 : Math.max(highest - median, median - lowest) / median };
}

export function formatTable({ title, answerBytes, results }: ShapeResult): string {
  const header = [
    'variant',
    'CPU µs/request',
    'lowest',
    'requests/s',
    'p50 ms',
    'p99 ms',
    'RSS MB',
    'failures',
  ];
  const rows = results.map((result) => {
    const { runs } = result;
    const figure = (pick: (run: Run) => number, digits = 0) => {
      const { median, deviation } = spread(runs.map(pick));
      return `${median.toFixed(digits)} ±${(deviation * 100).toFixed(0)}%`;
    };
    return [
      result.title,
      figure((run) => run.cpuMicrosPerRequest),
      lowestCpu(runs).toFixed(0),
      figure((run) => run.requestsPerSecond),
      spread(runs.map((run) => run.p50Ms)).median.toFixed(2),
      spread(runs.map((run) => run.p99Ms)).median.toFixed(2),
      spread(runs.map((run) => run.rssMb)).median.toFixed(0),
      String(runs.reduce((sum, run) => sum + run.failures, 0)),
    ];
  });
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const lines = all.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  lines.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
  return `${title} (${answerBytes} bytes)\n\n${lines.join('\n')}\n\n${formatRatios(results)}`;
}

/** What else a machine does only adds to what a request costs. */
function lowestCpu(runs: readonly Run[]): number {
  return Math.min(...runs.map((run) => run.cpuMicrosPerRequest));
}

/** DESIGN's bars are ratios of requests per second within one run; CPU is compared at its lowest. */
function formatRatios(results: readonly VariantResult[]): string {
  const rate = (name: string) => {
    const result = results.find((candidate) => candidate.name === name);
    return result && spread(result.runs.map((run) => run.requestsPerSecond)).median;
  };
  const cpu = (name: string) => {
    const result = results.find((candidate) => candidate.name === name);
    return result && lowestCpu(result.runs);
  };
  const lines: string[] = [];
  for (const own of ['executor', 'gateway', 'gateway-http', 'supergraph']) {
    for (const peer of ['bare', 'stock', 'hive', 'hive-rust']) {
      const [ours, theirs, ourCpu, theirCpu] = [rate(own), rate(peer), cpu(own), cpu(peer)];
      if (!ours || !theirs || !ourCpu || !theirCpu) continue;
      const cpuRatio = `${(theirCpu / ourCpu).toFixed(2)} × for each CPU second`;
      lines.push(`${own} against ${peer}: ${(ours / theirs).toFixed(2)} × requests/s, ${cpuRatio}`);
    }
  }
  return lines.join('\n');
}

/** Writes results/<name>.json; the machine is part of a figure. */
export function writeResults(name: string, shapes: readonly object[]): string {
  const folder = new URL('results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file = new URL(`${name}.json`, folder);
  const [cpu] = cpus();
  const machine = {
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
  };
  const content = { at: new Date().toISOString(), node: process.version, machine, shapes };
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
  return file.pathname;
}
