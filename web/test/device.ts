/**
 * A device without threads: a dispatcher with a virtual clock, whose cores compute on command.
 */

import { Dispatcher } from '../src/link/dispatcher.ts';
import { resultIds } from '../src/link/results.ts';
import type { JobOptions, ToMaster } from '../src/messages.ts';
import { ResultsCursor, ResultsWriter, ValuesCursor, ValuesWriter } from '../src/frames.ts';
import type { Loan } from '../src/frames.ts';

export class Device {
  now = 10_000;
  readonly cores = new Map<number, Loan[]>();
  readonly said: ToMaster[] = [];
  /** The ids of sent results, in order. */
  readonly answered: Loan[] = [];
  readonly failures: { id: Loan; message: string; kind: string }[] = [];
  readonly ended: number[] = [];
  /** Cores whose present answer is no longer needed. */
  readonly forgotten: number[] = [];
  readonly broken: string[] = [];
  /** The ids in each frame for a core. */
  readonly fed: { core: number; ids: Loan[] }[] = [];
  readonly dispatcher: Dispatcher;
  /** Whether an idle core announces what it begins: with a timeout. */
  private readonly announces: boolean;

  constructor(cores = 1, options: Partial<JobOptions> = {}) {
    this.dispatcher = new Dispatcher({
      makeCore: (core) => this.cores.set(core, []),
      endCore: (core) => (this.ended.push(core), this.cores.delete(core)),
      toCore: (core, frame) => this.give(core, frame),
      forget: (core) => this.forgotten.push(core),
      say: (message) => this.said.push(message),
      results: (frame) => this.take(frame),
      broken: (message) => this.broken.push(message),
    });
    this.dispatcher.lend(cores, this.now);
    const { timeout = null } = options;
    this.announces = timeout !== null;
    this.dispatcher.begin(
      { concurrency: 1, timeout, dom: false, json: false, heartbeat: 1000, ...options },
      this.now,
    );
    this.ready();
  }

  /** All cores have loaded the function. */
  ready(): void {
    for (const core of this.cores.keys()) this.dispatcher.coreReady(core, this.now);
  }

  values(ids: Loan[], careful: (id: Loan) => boolean = () => false): void {
    const writer = new ValuesWriter();
    for (const id of ids) writer.textValue(id, `value ${id}`, 'text', careful(id));
    this.dispatcher.values(writer.take(), this.now);
  }

  /** A core answers its next `count` values after `ms` milliseconds each. */
  answer(core: number, count = 1, ms = 1): void {
    const ids = this.cores.get(core)!.splice(0, count);
    const writer = new ResultsWriter();
    for (const id of ids) writer.textResult(id, 0, ms * 1000, '');
    this.now += ms * ids.length;
    this.dispatcher.results(core, writer.take(), this.now);
  }

  tickUntil(now: number): void {
    while (this.now < now) {
      this.now = Math.min(now, this.now + 100);
      this.dispatcher.tick(this.now);
    }
  }

  of<Type extends ToMaster['type']>(type: Type): Extract<ToMaster, { type: Type }>[] {
    return this.said.filter(
      (message): message is Extract<ToMaster, { type: Type }> => message.type === type,
    );
  }

  get returned(): Loan[] {
    return ([] as Loan[]).concat(...this.of('returned').map(({ ids }) => ids));
  }

  private give(core: number, frame: Uint8Array): void {
    const ids: Loan[] = [];
    const cursor = new ValuesCursor(frame);
    while (cursor.next()) ids.push(cursor.loan);
    const values = this.cores.get(core)!;
    const idle = values.length === 0;
    values.push(...ids);
    this.fed.push({ core, ids });
    if (idle && this.announces) this.dispatcher.started(core, ids[0], this.now);
  }

  private take(frame: Uint8Array): void {
    this.answered.push(...resultIds(frame));
    const cursor = new ResultsCursor(frame);
    while (cursor.next())
      if (cursor.tag === 3) this.failures.push({ id: cursor.loan, ...JSON.parse(cursor.text()) });
  }
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);
