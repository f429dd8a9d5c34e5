import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoff } from '../src/link/backoff.ts';
import { Outbox } from '../src/link/outbox.ts';
import { StatusReporter } from '../src/link/status-reporter.ts';
import { Phase } from '../src/page-messages.ts';
import type { FromLink, LinkStatus } from '../src/page-messages.ts';
import { Assembler, Malformed, ResultsWriter } from '../src/frames.ts';
import { Device, range } from './device.ts';

test('a core gets one value first, then as many as fill about 20 ms, twice as many at most each time', () => {
  const device = new Device();
  device.values(range(0, 1000));
  const sizes: number[] = [];
  for (let i = 0; i < 12; i++) {
    sizes.push(device.cores.get(0)!.length);
    device.answer(0, device.cores.get(0)!.length, 0.5);
  }
  assert.deepEqual(sizes, [1, 2, 4, 8, 16, 32, 40, 40, 40, 40, 40, 40]);
});

test('a slow function gets one value at a time, and the rest waits', () => {
  const device = new Device(2);
  device.values(range(0, 10));
  for (let i = 0; i < 3; i++) {
    device.answer(0, 1, 50);
    device.answer(1, 1, 25);
  }
  assert.deepEqual(
    [...device.cores.values()].map(({ length }) => length),
    [1, 1],
  );
  assert.deepEqual(device.answered, [0, 1, 2, 3, 4, 5]);
});

test('few values are shared among the cores', () => {
  const device = new Device(2);
  device.values([0, 1]);
  for (let i = 2; i < 40; i += 2) {
    device.answer(0, 100, 0.1);
    device.answer(1, 100, 0.1);
    device.values([i, i + 1]);
  }
  assert.deepEqual(
    [...device.cores.values()].map(({ length }) => length),
    [1, 1],
  );
});

test('a function that becomes slow is fed less at once', () => {
  const device = new Device();
  device.values(range(0, 1000));
  for (let i = 0; i < 8; i++) device.answer(0, 100, 0.5);
  while (device.cores.get(0)!.length > 1) device.answer(0, 1, 30);
  device.answer(0, 1, 30);
  assert.equal(device.cores.get(0)!.length, 1);
});

test('concurrency: every slot has a value', () => {
  const device = new Device(1, { concurrency: 4 });
  device.values(range(0, 100));
  for (let i = 0; i < 6; i++) device.answer(0, 1, 300);
  assert.equal(device.cores.get(0)!.length, 4);
});

test('a careful value is alone with its core', () => {
  const device = new Device(1);
  device.values(range(0, 8));
  for (let i = 0; i < 4; i++) device.answer(0, 100, 0.1);
  device.values(range(100, 106), (id) => id === 102 || id === 103);
  const sizes: unknown[][] = [];
  while (device.cores.get(0)!.length > 0) {
    sizes.push([...device.cores.get(0)!]);
    device.answer(0, 100, 0.1);
  }
  assert.deepEqual(sizes, [[100, 101], [102], [103], [104, 105]]);
});

test('a core that is overdue is ended; its only value fails', () => {
  const device = new Device(1, { timeout: 1000 });
  device.values([5, 6]);
  device.tickUntil(device.now + 1200);
  assert.deepEqual(device.ended, []);
  device.tickUntil(device.now + 200);
  assert.deepEqual(device.ended, [0]);
  assert.deepEqual(device.failures, [{ id: 5, message: 'no answer within 1 s', kind: 'timeout' }]);
  assert.deepEqual([...device.cores.keys()], [1]);
  device.ready();
  assert.deepEqual(device.cores.get(1), [6]);
});

test('a core that is overdue with several values hands them back as careful', () => {
  const device = new Device(1, { timeout: 1000 });
  device.values(range(0, 3));
  device.answer(0, 1, 1);
  device.tickUntil(device.now + 1300);
  assert.deepEqual(device.of('returned'), [{ type: 'returned', ids: [1, 2], careful: true }]);
  assert.deepEqual(device.failures, []);
});

test('the time of a call counts from when its core said that it begins', () => {
  const device = new Device(1, { timeout: 1000 });
  device.values(range(0, 3));
  device.answer(0, 1, 1);
  device.tickUntil(device.now + 900);
  device.answer(0, 1, 1);
  device.dispatcher.started(0, 2, device.now);
  device.tickUntil(device.now + 1200);
  assert.deepEqual(device.ended, []);
});

test('what was given after the call that begins now cannot have begun before', () => {
  const device = new Device(1, { timeout: 1000, concurrency: 2 });
  device.values([0, 1, 2]);
  device.answer(0, 1, 1);
  device.tickUntil(device.now + 800);
  device.dispatcher.started(0, 1, device.now);
  device.answer(0, 1, 900);
  device.tickUntil(device.now + 300);
  assert.deepEqual(device.ended, []);
  device.tickUntil(device.now + 100);
  assert.deepEqual(device.ended, [0]);
});

test('a device that slept blames no call', () => {
  const device = new Device(1, { timeout: 1000 });
  device.values([0]);
  device.tickUntil(device.now + 100);
  device.now += 3_600_000;
  device.dispatcher.tick(device.now);
  device.tickUntil(device.now + 1000);
  assert.deepEqual(device.ended, []);
});

test('without a time-out a long call is told once, and never ended', () => {
  const device = new Device();
  device.values([7]);
  device.tickUntil(device.now + 60_000);
  assert.deepEqual(device.of('started'), [{ type: 'started', items: [{ id: 7, ms: 500 }] }]);
  assert.deepEqual(device.ended, []);
});

test('a master that is met again is told of long calls anew', () => {
  const device = new Device();
  device.values([7]);
  device.tickUntil(device.now + 1000);
  device.dispatcher.begin(
    { concurrency: 1, timeout: null, dom: false, json: false, heartbeat: 1000 },
    device.now,
  );
  device.tickUntil(device.now + 1000);
  assert.deepEqual(
    device.of('started').map(({ items }) => items),
    [[{ id: 7, ms: 500 }], [{ id: 7, ms: 1100 }]],
  );
});

test('values that wait for the function to be loaded are told once', () => {
  const device = new Device(0);
  device.dispatcher.lend(2, device.now);
  device.tickUntil(device.now + 5000);
  assert.deepEqual(device.of('started'), []);
  device.values([0, 1]);
  device.tickUntil(device.now + 5000);
  assert.deepEqual(device.of('started'), [{ type: 'started', items: [], loading: 5000 }]);
  device.ready();
  device.tickUntil(device.now + 400);
  assert.deepEqual(device.of('started').length, 1);
});

test('a function that no core loads is told after 30 s; time asleep does not count', () => {
  const device = new Device(0);
  device.dispatcher.lend(2, device.now);
  device.tickUntil(device.now + 20_000);
  device.now += 3_600_000;
  device.tickUntil(device.now + 9000);
  assert.deepEqual(device.broken, []);
  device.tickUntil(device.now + 1500);
  assert.equal(device.broken.length, 1);
  assert.match(device.broken[0], /loading it takes longer than 30 s/);
  assert.equal(device.cores.size, 0);
});

test('a core that does not load what others have loaded is made again', () => {
  const device = new Device();
  device.dispatcher.lend(2, device.now);
  device.tickUntil(device.now + 33_000);
  assert.deepEqual([device.ended, [...device.cores.keys()], device.broken], [[1], [0, 2], []]);
});

test('a worker that dies fails the value it had; before it was ready it is made again a second later', () => {
  const device = new Device();
  device.values([0, 1]);
  device.dispatcher.died(0, 'out of memory', device.now);
  assert.deepEqual(device.failures, [
    { id: 0, message: 'the worker died: out of memory', kind: 'died' },
  ]);
  device.dispatcher.died(1, 'not fetched', device.now);
  assert.deepEqual([...device.cores.keys()], []);
  device.tickUntil(device.now + 1100);
  device.ready();
  assert.deepEqual([...device.cores.entries()], [[2, [1]]]);
});

test('after an error that nobody caught another core goes on, and nothing that was not settled is blamed', () => {
  const device = new Device();
  device.values([0]);
  device.dispatcher.spoiled(0, true);
  device.ready();
  device.values([1]);
  device.dispatcher.spoiled(1, false);
  assert.deepEqual(device.of('returned'), [
    { type: 'returned', ids: [0], careful: true },
    { type: 'returned', ids: [1] },
  ]);
  assert.deepEqual([device.ended, [...device.cores.keys()], device.failures], [[0, 1], [2], []]);
});

test('recall returns what no core has', () => {
  const device = new Device();
  device.values(range(0, 5));
  device.dispatcher.recall([0, 1, 3, 99], device.now);
  assert.deepEqual(device.of('returned'), [{ type: 'returned', ids: [1, 3] }]);
  for (let i = 0; i < 3; i++) device.answer(0, 1);
  assert.deepEqual(device.answered, [0, 2, 4]);
});

test('pause returns what no core has, and what still comes', () => {
  const device = new Device();
  device.values(range(0, 3));
  device.dispatcher.pause(device.now);
  device.values([3]);
  assert.deepEqual(device.returned, [1, 2, 3]);
  device.answer(0, 1);
  assert.deepEqual(device.answered, [0]);
  device.dispatcher.resume(device.now);
  device.values([4]);
  assert.deepEqual(device.cores.get(0), [4]);
});

test('after a lost link what may not be kept is forgotten, also when a core is at it', () => {
  const device = new Device();
  device.values(range(0, 5));
  assert.deepEqual(device.dispatcher.holds().sort(), [0, 1, 2, 3, 4]);
  device.dispatcher.keep((id) => id === 2);
  assert.deepEqual(device.dispatcher.holds(), [2]);
  assert.equal(device.dispatcher.held, 1);
  device.answer(0, 1);
  device.answer(0, 1);
  assert.deepEqual(device.answered, [2]);
});

test('a value forgotten and given again is answered once', () => {
  const device = new Device();
  device.values([0, 1]);
  device.dispatcher.keep(() => false);
  device.values([0]);
  device.answer(0, 1);
  device.answer(0, 1);
  assert.deepEqual(device.answered, [0]);
});

test('of a value that is lent again only the present loan is told, answered, and given back', () => {
  const device = new Device();
  device.values([0]);
  device.dispatcher.keep(() => false);
  device.values(['0:1', '0:2']);
  assert.deepEqual([device.dispatcher.holds(), device.dispatcher.held], [['0:1', '0:2'], 2]);
  device.dispatcher.recall([0, '0:2'], device.now);
  assert.deepEqual(device.returned, ['0:2']);
  device.answer(0, 1, 400);
  device.dispatcher.started(0, 0, device.now + 300);
  device.tickUntil(device.now + 500);
  assert.deepEqual(device.of('started'), [{ type: 'started', items: [{ id: '0:1', ms: 500 }] }]);
  device.dispatcher.keep((id) => id === '0:1');
  device.answer(0, 1);
  assert.deepEqual(
    [device.answered, device.dispatcher.done, device.dispatcher.holds()],
    [['0:1'], 1, []],
  );
});

test('a core that dies fails the loan that it was at', () => {
  const device = new Device();
  device.values(['5:3']);
  device.dispatcher.died(0, 'out of memory', device.now);
  assert.deepEqual(device.failures, [
    { id: '5:3', message: 'the worker died: out of memory', kind: 'died' },
  ]);
});

test('a long call that nobody waits for is ended, so that what follows it need not wait', () => {
  const device = new Device(2);
  device.values(range(0, 2));
  device.dispatcher.keep((id) => id === 1);
  device.tickUntil(device.now + 400);
  assert.deepEqual(device.ended, [], 'it may be done soon');
  device.values([2]);
  device.tickUntil(device.now + 200);
  assert.deepEqual([device.ended, device.returned, device.dispatcher.holds()], [[0], [], [2, 1]]);
  device.ready();
  assert.deepEqual([device.cores.get(1), device.cores.get(2)], [[1], [2]]);
});

test('another job ends busy cores, so that no answer is taken for one of its own', () => {
  const device = new Device(2);
  device.values([0]);
  device.dispatcher.reset();
  assert.deepEqual(device.ended, [0]);
  assert.deepEqual([...device.cores.keys()], [1, 2]);
  assert.equal(device.dispatcher.held, 0);
});

test('fewer cores: a busy one ends after its answer', () => {
  const device = new Device(2);
  device.values([0, 1]);
  device.dispatcher.lend(1, device.now);
  assert.deepEqual(device.ended, []);
  device.answer(0, 1);
  device.answer(1, 1);
  assert.equal(device.ended.length, 1);
  device.dispatcher.lend(3, device.now);
  assert.equal(device.cores.size, 3);
});

test('a page as a core has one value at a time, is not ended, and gets on when it answers after all', () => {
  const device = new Device(1, { dom: true, timeout: 1000 });
  device.values(range(0, 4));
  for (let i = 0; i < 2; i++) device.answer(0, 1, 0.1);
  assert.deepEqual(device.cores.get(0), [2]);
  device.tickUntil(device.now + 5000);
  assert.deepEqual(device.ended, []);
  assert.deepEqual(
    device.failures.map(({ id }) => id),
    [2],
  );
  device.answer(0, 1);
  assert.deepEqual(device.cores.get(0), [3]);
  assert.deepEqual(device.answered, [0, 1, 2]);
});

test('a page is told that nobody waits for what it is at, and is given something else when it has answered', () => {
  const device = new Device(1, { dom: true });
  device.values([0, 1]);
  assert.deepEqual(device.dispatcher.abandon(), [1, 0]);
  assert.deepEqual(device.forgotten, [0]);
  device.values([2]);
  assert.deepEqual(device.cores.get(0), [0]);
  device.answer(0, 1);
  assert.deepEqual(device.cores.get(0), [2]);
  assert.deepEqual([device.answered, device.dispatcher.done, device.ended], [[], 0, []]);
});

test('a page whose run begins anew keeps its function', () => {
  const device = new Device(1, { dom: true });
  device.values([0]);
  device.dispatcher.reset();
  device.values([0]);
  device.answer(0, 1);
  assert.deepEqual(
    [device.forgotten, device.ended, device.answered, device.cores.get(0)],
    [[0], [], [], [0]],
  );
});

test('a function that cannot be loaded: everything goes back', () => {
  const device = new Device();
  device.values(range(0, 3));
  assert.equal(device.dispatcher.giveUp(), true);
  assert.equal(device.dispatcher.giveUp(), false);
  device.values([9]);
  assert.deepEqual(device.returned.sort(), [0, 1, 2, 9]);
});

test('a malformed frame is refused as a whole', () => {
  const device = new Device();
  assert.throws(
    () => device.dispatcher.values(Uint8Array.of(1, 0, 0, 1, 97, 1, 3, 0), 0),
    Malformed,
  );
  assert.equal(device.dispatcher.held, 0);
});

test('every value is answered or returned exactly once, whatever happens', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = generator(seed);
    const device = new Device(1 + Math.floor(random() * 3), {
      timeout: 1000,
      concurrency: 1 + Math.floor(random() * 2),
    });
    let next = 0;
    for (let step = 0; step < 300; step++) {
      const core = [...device.cores.keys()][Math.floor(random() * device.cores.size)];
      const dice = random();
      if (dice < 0.25)
        device.values(range(next, (next += 1 + Math.floor(random() * 30))), () => random() < 0.05);
      else if (dice < 0.85 && device.cores.get(core)!.length > 0)
        device.answer(core, 1 + Math.floor(random() * 20), random() * 5);
      else if (dice < 0.88) device.tickUntil(device.now + random() * 2000);
      else if (dice < 0.9) device.dispatcher.recall(range(next - 10, next), device.now);
      else if (dice < 0.92) device.dispatcher.lend(1 + Math.floor(random() * 3), device.now);
      else if (dice < 0.94) device.dispatcher.pause(device.now);
      else if (dice < 0.97) device.dispatcher.resume(device.now);
      else if (dice < 0.98) device.dispatcher.died(core, 'x', device.now);
      device.ready();
    }
    const gone = [...device.answered, ...device.returned];
    const all = [...gone, ...device.dispatcher.holds()].sort((a, b) => Number(a) - Number(b));
    assert.deepEqual(all, range(0, next), `seed ${seed}`);
    assert.equal(device.dispatcher.held, device.dispatcher.holds().length, `seed ${seed}`);
  }
});

class FakeWire {
  bufferedAmount = 0;
  readonly sent: Uint8Array[] = [];
  send(data: Uint8Array): void {
    // Like a socket, the wire copies, because the data may change after `send`.
    this.sent.push(data.slice());
    this.bufferedAmount += data.length;
  }
}

function result(id: number, length: number): Uint8Array {
  const writer = new ResultsWriter();
  writer.bytesResult(id, 0, new Uint8Array(length));
  return writer.take();
}

test('a slow network never has much more than 256 KiB waiting in the socket', () => {
  const outbox = new Outbox();
  const wire = new FakeWire();
  outbox.add(result(0, 5_000_000));
  while (outbox.pump(wire)) {
    assert.ok(wire.bufferedAmount < 330_000);
    wire.bufferedAmount -= 50_000;
  }
});

test('a network that takes all at once is given more, up to 8 MiB', () => {
  const outbox = new Outbox();
  const wire = new FakeWire();
  for (let id = 0; id < 100; id++) outbox.add(result(id, 1_000_000));
  let most = 0;
  while (outbox.pump(wire)) {
    most = Math.max(most, wire.bufferedAmount);
    wire.bufferedAmount = 0;
  }
  assert.ok(most >= 8 << 20 && most < (8 << 20) + 70_000, `${most}`);
});

test('long frames go in parts that make them whole again', () => {
  const outbox = new Outbox();
  const wire = new FakeWire();
  const frames = [result(0, 1_000_000), result(1, 10), result(2, 300_000)];
  for (const frame of frames) outbox.add(frame);
  while (outbox.pump(wire)) {
    wire.bufferedAmount = 0;
  }
  const assembler = new Assembler();
  const whole = wire.sent.map((frame) => assembler.add(frame)).filter((frame) => frame !== null);
  assert.deepEqual(whole, frames);
});

test('a frame that was cut when the link was lost goes again from its start', () => {
  const outbox = new Outbox();
  const before = new FakeWire();
  outbox.add(result(0, 1_000_000));
  assert.equal(outbox.pump(before), true);
  outbox.rewind();
  assert.deepEqual(outbox.ids(), [0]);
  const after = new FakeWire();
  while (outbox.pump(after)) after.bufferedAmount = 0;
  assert.equal(after.sent.length, 16);
});

test('finished results that may not be kept are dropped', () => {
  const outbox = new Outbox();
  const writer = new ResultsWriter();
  for (const id of [0, 1, '1:2', 2, 3, '3:1']) writer.textResult(id, 0, 0, `r${id}`);
  outbox.add(writer.take());
  outbox.add(result(9, 10));
  assert.deepEqual(outbox.ids(), [0, 1, '1:2', 2, 3, '3:1', 9]);
  outbox.keep((id) => id === 1 || id === '3:1');
  assert.deepEqual(outbox.ids(), [1, '3:1']);
});

test('waits 0.2 to 2 s at first, up to 30 s later, never alike', () => {
  for (const random of [0, 0.5, 0.999]) {
    assert.ok(backoff(0, 0, random) === 200);
    for (let failures = 0; failures < 500; failures++) {
      const wait = backoff(failures, failures * 1000, random);
      assert.ok(wait >= 200 && wait <= 2000, `${wait}`);
    }
    assert.ok(
      backoff(1000, 3_600_000, random) >= 15_000 && backoff(1000, 3_600_000, random) <= 30_000,
    );
  }
  assert.notEqual(backoff(9, 9000, 0.1), backoff(9, 9000, 0.9));
});

test('the page is told of changes, twice a second at most', () => {
  const told: FromLink[] = [];
  const reporter = new StatusReporter((message) => told.push(message));
  const status: LinkStatus = {
    phase: Phase.Joined,
    text: '',
    done: 0,
    errors: 0,
    held: 0,
    busy: 0,
    lost: 0,
  };
  for (let now = 0; now < 5000; now += 100) reporter.update({ ...status, done: now }, now);
  assert.equal(told.length, 10);
  reporter.update({ ...status, phase: Phase.Waiting }, 5001);
  assert.equal(told.length, 11);
  for (let now = 5100; now < 9000; now += 100)
    reporter.update({ ...status, phase: Phase.Waiting }, now);
  assert.equal(told.length, 11);
  reporter.update({ ...status, phase: Phase.Waiting, path: 'direct' }, 9000);
  assert.equal(told.length, 12, 'another way is told, although nothing else has changed');
});

/** Pseudo-random numbers (mulberry32); a seed repeats its sequence. */
function generator(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
