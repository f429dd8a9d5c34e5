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

/** Writes a report to `file`, as a master does. */
export function write(pages: string, file: string, data: ReportData) {
  const page = readFileSync(join(pages, 'report.html'), 'utf8');
  const json = JSON.stringify(data).replace(/</g, '\\u003c');
  writeFileSync(
    file,
    page.replace('"the data of the run"', () => json),
  );
}
