/**
 * Collects the function's console output: sends batches, counts repeated texts and limits floods.
 */

import { shorten } from './convert.ts';
import type { LogEntry, LogLevel } from '../messages.ts';

const FLUSH_MS = 100;
const KEPT_PER_SECOND = 1000;

/** Most characters of one message, so that one short frame holds the message. */
const MESSAGE_LENGTH = 16_384;

export class Logs {
  private entries: LogEntry[] = [];
  private byText = new Map<string, LogEntry>();
  private flushedAt = -Infinity;
  private secondAt = -Infinity;
  private keptThisSecond = 0;
  private lost = 0;

  constructor(
    private readonly now: () => number,
    private readonly send: (entries: LogEntry[]) => void,
    private readonly later: (run: () => void, ms: number) => void,
  ) {}

  /**
   * Adds a line; returns whether the line has a new entry, and was neither counted as a
   * repetition nor dropped.
   */
  add(level: LogLevel, text: string, id?: number): boolean {
    const now = this.now();
    const kept = !this.count(level, text) && this.keep(level, text, id, now);
    // A function that never yields its thread prevents timers, so output must also leave from
    // here: the first line at once.
    if (now - this.flushedAt >= FLUSH_MS) this.flush();
    return kept;
  }

  flush(): void {
    if (this.entries.length === 0) return;
    this.flushedAt = this.now();
    const entries = this.entries;
    this.entries = [];
    this.byText.clear();
    while (entries.length > 0) this.send(entries.splice(0, fitting(entries)));
  }

  private count(level: LogLevel, text: string): boolean {
    const same = this.byText.get(level + text);
    if (!same) return false;
    same.count = (same.count || 1) + 1;
    return true;
  }

  private keep(level: LogLevel, text: string, id: number | undefined, now: number): boolean {
    if (now - this.secondAt >= 1000) this.nextSecond(now);
    if (this.keptThisSecond >= KEPT_PER_SECOND) {
      if (this.lost++ === 0) this.later(() => this.nextSecond(this.now()), 1000);
      return false;
    }
    this.keptThisSecond++;
    const entry: LogEntry = { level, text: shorten(text) };
    if (id !== undefined) entry.id = id;
    this.byText.set(level + text, entry);
    this.push(entry);
    return true;
  }

  private nextSecond(now: number): void {
    this.secondAt = now;
    this.keptThisSecond = 0;
    if (this.lost === 0) return;
    const count = this.lost;
    this.lost = 0;
    this.push({ level: 'warn', text: `${count} more lines were not kept`, count });
  }

  private push(entry: LogEntry): void {
    if (this.entries.length === 0) this.later(() => this.flush(), FLUSH_MS);
    this.entries.push(entry);
  }
}

/** The number of entries that fit into one message, at least one. */
function fitting(entries: LogEntry[]): number {
  let length = 0;
  const end = entries.findIndex(
    ({ text }, i) => (length += text.length + 50) > MESSAGE_LENGTH && i > 0,
  );
  return end < 0 ? entries.length : end;
}
