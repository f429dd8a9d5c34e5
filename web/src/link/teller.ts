/**
 * Reports the link's state to the page from time to time, because a report for every item would
 * keep the page busy.
 */

import type { LogEntry } from '../messages.ts';
import type { Account, FromLink } from '../page-messages.ts';

const EVERY_MS = 500;
const LOG_LINES = 200;

export class Teller {
  private toldAt = -Infinity;
  private told = '';
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

  /** Reports `account` if it changed and is due. The caller calls `tell` often. */
  tell(account: Account, now: number): void {
    if (this.brokenBy && (account.phase === 'joined' || account.phase === 'refused'))
      account = { ...account, phase: 'broken', text: this.brokenBy };
    const phase = account.phase + account.text;
    const changed = !this.told.startsWith(phase + '\n');
    if (!changed && now - this.toldAt < EVERY_MS) return;
    const all = `${phase}\n${account.done} ${account.errors} ${account.held} ${account.busy}`;
    this.toldAt = now;
    if (all !== this.told) this.post({ type: 'account', account });
    this.told = all;
    if (this.entries.length > 0) this.post({ type: 'log', entries: this.entries.splice(0) });
  }
}
