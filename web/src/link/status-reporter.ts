/**
 * Reports the link's state to the page from time to time, because a report for every item would
 * keep the page busy.
 */

import type { LogEntry } from '../messages.ts';
import { News, Phase } from '../page-messages.ts';
import type { FromLink, LinkStatus } from '../page-messages.ts';

const EVERY_MS = 500;
const LOG_LINES = 200;

export class StatusReporter {
  private reportedAt = -Infinity;
  private lastReport = '';
  private entries: LogEntry[] = [];
  private brokenBy = '';

  constructor(private readonly post: (message: FromLink) => void) {}

  /** Records that this device cannot load the function; later reports say only so. */
  broken(message: string): void {
    this.brokenBy = message;
  }

  log(entries: LogEntry[]): void {
    this.entries = this.entries.concat(entries).slice(-LOG_LINES);
  }

  /** Reports a changed status when a report is due. The caller calls `update` often. */
  update(status: LinkStatus, now: number): void {
    if (this.brokenBy && (status.phase === Phase.Joined || status.phase === Phase.Refused))
      status = { ...status, phase: Phase.Broken, text: this.brokenBy };
    const phase = `${status.phase}${status.text}${status.path}`;
    const changed = !this.lastReport.startsWith(phase + '\n');
    if (!changed && now - this.reportedAt < EVERY_MS) return;
    const all = `${phase}\n${status.done} ${status.errors} ${status.held} ${status.busy} ${status.lost}`;
    this.reportedAt = now;
    if (all !== this.lastReport) this.post({ type: News.Status, status });
    this.lastReport = all;
    if (this.entries.length > 0) this.post({ type: News.Log, entries: this.entries.splice(0) });
  }
}
