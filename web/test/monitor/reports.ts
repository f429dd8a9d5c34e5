/** Reports for tests and pictures. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReportData } from '../../src/report/data.ts';
import * as scenes from './scenes.ts';

/** A run of seven devices with failures. */
export function report(changes: Partial<ReportData> = {}): ReportData {
  const { devices, ...finished } = scenes.finished();
  const now = finished.started + finished.elapsed;
  const snapshot = {
    ...finished,
    now,
    exitWords: 'All other items are done; 2 items failed.',
    devices: devices.map((device) => ({ ...device, since: now - 100 })),
    failures: scenes.failing().failures,
  };
  const samples = scenes.history(scenes.busy(), 126).samples.map((sample, at) => ({
    ...sample,
    time: snapshot.started + 1 + at,
  }));
  return {
    ingredients: {
      function: '9f3c12ab44d0e17c',
      engine: 'Node.js 20.19.1',
      system: 'linux (x86_64)',
    },
    summary: {
      status: 1,
      items: 1000,
      advice: '',
      computed: 998,
      earlier: 0,
      seconds: snapshot.elapsed,
      perSecond: 7.92,
      computeSeconds: 1790,
      coreSeconds: 2150,
      idleCoreSeconds: 360,
      timesOneCore: 14.2,
      failed: 2,
      failedItems: [305, 401],
      failedAttempts: 11,
      lentAgain: 7,
      copies: 1,
    },
    snapshot,
    history: { interval: 1, samples },
    idle: [
      { cause: 'end', seconds: 160 },
      { cause: 'network', seconds: 120 },
      { cause: 'input', seconds: 70 },
      { cause: 'aside', seconds: 10 },
    ],
    stays: Object.fromEntries(
      snapshot.devices.map(({ id }, at) => {
        const from = snapshot.started + at * 8;
        const parts: [number, number][] = [
          [from, from + 30],
          [from + 42, now],
        ];
        return [id, at % 3 === 1 ? parts : [[from, id === '7' ? now - 40 : now]]];
      }),
    ),
    ...changes,
  };
}

/** A run of two seconds on one machine. */
export function shortReport(): ReportData {
  const { snapshot, history, summary, stays } = report();
  const [machine] = snapshot.devices;
  const now = snapshot.started + 2.4;
  const figures = { failed: 0, failedItems: [], failedAttempts: 0, lentAgain: 0, copies: 0 };
  return report({
    snapshot: {
      ...snapshot,
      now,
      elapsed: 2.4,
      exitWords: 'All items are done.',
      progress: { ...snapshot.progress, done: 12, computed: 12, total: 12 },
      failures: { items: 0, attempts: 0, lentAgain: 0, copies: 0, last: [] },
      devices: [{ ...machine, items: 12, share: 1, since: snapshot.started }],
    },
    history: { ...history, samples: history.samples.slice(0, 2) },
    summary: {
      ...summary,
      ...figures,
      status: 0,
      items: 12,
      computed: 12,
      seconds: 2.4,
      perSecond: 5,
    },
    stays: { 1: [[stays['1'][0][0], now]] },
  });
}

/** A run of a day and a half. */
export function longReport(): ReportData {
  const { snapshot, history, summary, stays } = report();
  const longer = (time: number) => snapshot.started + (time - snapshot.started) * 1000;
  const [seconds, now] = [snapshot.elapsed * 1000, longer(snapshot.now)];
  const later = (parts: [number, number][]) =>
    parts.map((part) => part.map(longer) as [number, number]);
  return report({
    snapshot: { ...snapshot, now, elapsed: seconds },
    history: {
      interval: 1000,
      samples: history.samples.map((sample) => ({ ...sample, time: longer(sample.time) })),
    },
    summary: { ...summary, seconds, perSecond: 0.00792 },
    stays: Object.fromEntries(Object.entries(stays).map(([id, parts]) => [id, later(parts)])),
  });
}

/** Writes a report to `file`, as a master does. */
export function write(pages: string, file: string, data: ReportData) {
  const page = readFileSync(join(pages, 'report.html'), 'utf8');
  const json = JSON.stringify(data).replace(/</g, '\\u003c');
  writeFileSync(
    file,
    page.replace('"the data of the run"', () => json),
  );
}
