/** Runs the scenarios of `fixtures/dispatch.json`, which Rust runs too. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Dispatcher } from '../src/link/dispatcher.ts';
import { ResultsCursor, ResultsWriter, ValuesCursor, ValuesWriter } from '../src/frames.ts';
import type { Loan } from '../src/frames.ts';
import type { ToMaster } from '../src/messages.ts';

/** `7`, `'7:2'` (a later loan), or `'7..9'` (`7` and `8`). */
type Loans = Loan[];

interface Decisions {
  fed: { [core: number]: Loans };
  answered: Loans;
  blamed: Loans;
  returned: Loans;
  careful: Loans;
  ended: number[];
  long: [Loan, number][];
}

interface Step {
  at: number;
  event: string;
  core?: number;
  loans?: Loans;
  careful?: Loans | boolean;
  micros?: number;
  expect?: Partial<Decisions>;
}

interface Scenario {
  name: string;
  cores?: number;
  concurrency?: number;
  timeout?: number;
  steps: Step[];
}

const { scenarios } = JSON.parse(readFileSync('../fixtures/dispatch.json', 'utf8')) as {
  scenarios: Scenario[];
};

function expanded(loans: Loans): Loans {
  return loans.flatMap((loan) => {
    const [, from, to] = /^(\d+)\.\.(\d+)$/.exec(String(loan)) || [];
    return to
      ? Array.from({ length: Number(to) - Number(from) }, (_, i) => Number(from) + i)
      : loan;
  });
}

/** All lists but those of `fed` are sorted, because the order of messages says nothing. */
function sorted({ fed, ...lists }: Decisions): Decisions {
  const fixed: Record<string, unknown> = { fed };
  for (const [name, list] of Object.entries(lists))
    fixed[name] = (list as unknown[]).map(String).sort();
  return fixed as unknown as Decisions;
}

const nothing = (): Decisions => ({
  fed: {},
  answered: [],
  blamed: [],
  returned: [],
  careful: [],
  ended: [],
  long: [],
});

function expected(expect: Partial<Decisions> = {}): Decisions {
  const all = { ...nothing(), ...expect };
  for (const name of ['answered', 'blamed', 'returned', 'careful'] as const)
    all[name] = expanded(all[name]);
  all.fed = Object.fromEntries(
    Object.entries(all.fed).map(([core, loans]) => [core, expanded(loans)]),
  );
  return sorted(all);
}

class Host {
  private readonly dispatcher: Dispatcher;
  /** The dispatcher's number for each core. A core that replaces another takes its place. */
  private readonly numbers: number[] = [];
  private made = nothing();
  private readonly options;

  constructor({ cores = 1, concurrency = 1, timeout = undefined }: Scenario) {
    this.dispatcher = new Dispatcher({
      makeCore: (core) => (this.numbers[this.freePlace()] = core),
      endCore: (core) => this.end(this.numbers.indexOf(core)),
      toCore: (core, frame) => this.feed(this.numbers.indexOf(core), frame),
      forget: () => assert.fail('no core is a page'),
      say: (message) => this.say(message),
      results: (frame) => this.take(frame),
      broken: (message) => assert.fail(message),
    });
    this.options = { concurrency, timeout: timeout ?? null, dom: false, json: false, heartbeat: 0 };
    this.dispatcher.lend(cores, 0);
    this.dispatcher.begin(this.options, 0);
  }

  /** The decisions at a step. */
  decide(step: Step): Decisions {
    this.made = nothing();
    this.perform(step);
    return sorted(this.made);
  }

  private perform({ at, event, core = 0, loans = [], careful = false, micros = 0 }: Step): void {
    const { dispatcher } = this;
    const number = this.numbers[core];
    const named = expanded(loans);
    switch (event) {
      case 'ready':
        return dispatcher.coreReady(number, at);
      case 'values':
        return dispatcher.values(values(named, careful as Loans), at);
      case 'started':
        return dispatcher.started(number, named[0], at);
      case 'answered':
        return dispatcher.results(number, results(named, micros), at);
      case 'died':
        return dispatcher.died(number, '', at);
      case 'spoiled':
        return dispatcher.spoiled(number, careful as boolean);
      case 'tick':
        return dispatcher.tick(at);
      case 'recall':
        return dispatcher.recall(named, at);
      case 'pause':
        return dispatcher.pause(at);
      case 'resume':
        return dispatcher.resume(at);
      case 'welcome':
        dispatcher.keep((id) => named.includes(id));
        return dispatcher.begin(this.options, at);
      default:
        assert.fail(`no event: ${event}`);
    }
  }

  private freePlace(): number {
    const at = this.numbers.indexOf(-1);
    return at < 0 ? this.numbers.length : at;
  }

  private end(core: number): void {
    this.made.ended.push(core);
    this.numbers[core] = -1;
  }

  private feed(core: number, frame: Uint8Array): void {
    const cursor = new ValuesCursor(frame);
    const fed = (this.made.fed[core] = this.made.fed[core] || []);
    while (cursor.next()) fed.push(cursor.loan);
  }

  private say(message: ToMaster): void {
    if (message.type === 'returned')
      this.made[message.careful ? 'careful' : 'returned'].push(...message.ids);
    else if (message.type === 'started')
      this.made.long.push(...message.items.map(({ id, ms }): [Loan, number] => [id, ms]));
    else assert.fail(message.type);
  }

  /** Takes results for the master. Only the dispatcher's own results are failures here. */
  private take(frame: Uint8Array): void {
    const cursor = new ResultsCursor(frame);
    while (cursor.next()) this.made[cursor.tag === 3 ? 'blamed' : 'answered'].push(cursor.loan);
  }
}

function values(loans: Loans, careful: Loans | false): Uint8Array {
  const writer = new ValuesWriter();
  for (const loan of loans) writer.textValue(loan, 'x', 'text', careful && careful.includes(loan));
  return writer.take();
}

function results(loans: Loans, micros: number): Uint8Array {
  const writer = new ResultsWriter();
  loans.forEach((loan, i) => writer.textResult(loan, 0, i === 0 ? micros : 0, ''));
  return writer.take();
}

for (const scenario of scenarios)
  test(scenario.name, () => {
    const host = new Host(scenario);
    for (const step of scenario.steps)
      assert.deepEqual(host.decide(step), expected(step.expect), `${step.event} at ${step.at}`);
  });
