import assert from 'node:assert/strict';
import { test } from 'node:test';
import { userFunction } from '../src/core/function.ts';
import type { UserFunction } from '../src/core/function.ts';
import { FakeHost, byDefault, callback } from './fake-host.ts';

test('nothing is posted before the results that came earlier', () => {
  const host = new FakeHost(callback((x, cb) => cb(null, `${x}!`)));
  host.values([
    [0, 'a'],
    [1, 'b', { careful: true }],
    [2, 'c'],
    [3, 'd'],
  ]);
  assert.deepEqual(host.posted, [
    'started 0',
    '0 text a!',
    'started 1',
    '1 text b!',
    'started 2',
    '2 text c!',
    '3 text d!',
  ]);
});

test('a slow call is announced, quick ones are not', () => {
  const host: FakeHost = new FakeHost(callback((x, cb) => (host.advance(Number(x)), cb(null, x))));
  host.values([
    [0, '0'],
    [1, '5'],
    [2, '0'],
    [3, '0'],
  ]);
  assert.deepEqual(host.posted, [
    'started 0',
    '0 text 0',
    '1 text 5',
    'started 2',
    '2 text 0',
    '3 text 0',
  ]);
});

test('the first value after a pause is announced', () => {
  const host = new FakeHost(callback((x, cb) => cb(null, x)));
  host.values([[0, 'a']]);
  host.values([[1, 'b']]);
  assert.deepEqual(host.posted, ['started 0', '0 text a', 'started 1', '1 text b']);
});

test('who infers what an idle core begins is told only after a silence', () => {
  const host = new FakeHost(
    callback((x, cb) => cb(null, x)),
    {},
    undefined,
    true,
  );
  host.values([[0, 'a']]);
  host.values([[1, 'b']]);
  host.advance(5);
  host.values([[2, 'c']]);
  assert.deepEqual(host.posted, ['started 0', '0 text a', '1 text b', 'started 2', '2 text c']);
});

test('with a timeout, who infers what an idle core begins is told all the same', () => {
  const host = new FakeHost(
    callback((x, cb) => cb(null, x)),
    { timeout: 1000 },
    undefined,
    true,
  );
  host.values([[0, 'a']]);
  host.values([[1, 'b']]);
  assert.deepEqual(host.posted, ['started 0', '0 text a', 'started 1', '1 text b']);
});

test('compute times add up, however the clock is read', () => {
  const host: FakeHost = new FakeHost(callback((_x, cb) => (host.advance(0.01), cb(null, ''))));
  host.values(Array.from({ length: 1000 }, (_, id) => [id, '']));
  const sum = host.results.reduce((sum, { micros }) => sum + micros, 0);
  assert.ok(Math.abs(sum - 10_000) < 500, `${sum} µs`);
});

test('one call at a time, and as many as allowed when f is asynchronous', () => {
  const open: string[] = [];
  const answers: ((error: unknown, result: unknown) => void)[] = [];
  const f = callback((x, cb) => void (open.push(x as string), answers.push(cb)));
  const host = new FakeHost(f, { concurrency: 2 });
  host.values([
    [0, 'a'],
    [1, 'b'],
    [2, 'c'],
  ]);
  assert.deepEqual(open, ['a', 'b']);
  answers[1](null, 'B');
  assert.deepEqual(open, ['a', 'b', 'c']);
  answers[0](null, 'A');
  answers[2](null, 'C');
  host.run(10);
  assert.deepEqual(
    host.results.map(({ text }) => text),
    ['B', 'A', 'C'],
  );
});

test('answers of a default export', async () => {
  const answers: [answer: unknown, kind: string, text: string][] = [
    ['a"b', 'text', 'a"b'],
    [1.5, 'json', '1.5'],
    [null, 'json', 'null'],
    [{ a: [1] }, 'json', '{"a":[1]}'],
    [Promise.resolve('later'), 'text', 'later'],
    [Uint8Array.of(65, 66), 'bytes', 'AB'],
    [Uint8Array.of(65, 66).buffer, 'bytes', 'AB'],
    [Buffer.from('xABx').subarray(1, 3), 'bytes', 'AB'],
    [new DataView(Uint8Array.of(67, 68).buffer), 'bytes', 'CD'],
    [undefined, 'error undefined', 'f answered undefined'],
    [Promise.resolve(), 'error undefined', 'f answered undefined'],
    [10n, 'error json', ''],
    [() => 1, 'error json', 'the answer has no JSON form: result is a function'],
    ['a😀', 'text', 'a😀'],
    ['a😀'.slice(0, 2), 'error json', 'the answer has half of a character'],
    [['a😀'.slice(0, 2)], 'json', '["a\\ud83d"]'],
    [new Blob(['A', 'B']), 'bytes', 'AB'],
    [Promise.resolve(new File(['AB'], 'name')), 'bytes', 'AB'],
  ];
  for (const [answer, kind, text] of answers) {
    const result = await FakeHost.answerTo(byDefault(() => answer));
    assert.equal(result.kind, kind);
    if (text) assert.equal(result.text, text);
  }
});

test("answers of '/pando/1.0.0' are text", async () => {
  for (const [answer, text] of [
    [1, '1'],
    [null, 'null'],
    [{}, '[object Object]'],
    [[1, 2], '1,2'],
    [true, 'true'],
    [NaN, 'NaN'],
  ]) {
    const result = await FakeHost.answerTo(callback((_x, cb) => cb(null, answer)));
    assert.deepEqual([result.kind, result.text], ['text', text]);
  }
});

test("an answer of '/pando/1.0.0' that String cannot show is an error, and one that it shows badly is told once", async () => {
  const answers: [answer: unknown, kind: string, text: string][] = [
    [new Map(), 'error json', 'the answer has no text: [object Map]'],
    [[1, [new Set()]], 'error json', 'the answer has no text: [object Set]'],
    [(function* () {})(), 'error json', 'the answer has no text: [object Generator]'],
    [new Response(), 'error json', 'the answer has no text: [object Response]'],
    [[Promise.resolve(1)], 'error json', 'the answer has no text: [object Promise]'],
    [Promise.resolve(7), 'text', '7'],
    [new Blob(['A', 'B']), 'bytes', 'AB'],
    ['[object Map]', 'text', '[object Map]'],
    [/a/, 'text', '/a/'],
  ];
  for (const [answer, kind, text] of answers) {
    const result = await FakeHost.answerTo(callback((_x, cb) => cb(null, answer)));
    assert.deepEqual([result.kind, result.text], [kind, text]);
  }
  const host = new FakeHost(callback((_x, cb) => cb(null, [{ a: 1 }])));
  host.values([
    [4, 'a'],
    [5, 'b'],
  ]);
  host.run(200);
  assert.deepEqual(
    host.results.map(({ text }) => text),
    ['[object Object]', '[object Object]'],
  );
  const text = 'its result is printed as [object Object]: answer JSON.stringify(result)';
  assert.deepEqual(host.logs, [{ level: 'warn', text, id: 4 }]);
});

class Secret {
  #hidden = 1;
  get shown() {
    return this.#hidden;
  }
}
class Point {
  constructor(
    readonly x: number,
    readonly y: unknown,
  ) {}
}
class Tagged extends Point {
  readonly [Symbol.toStringTag] = 'Complex';
}

test('what JSON would leave out or alter is an error that names its path', async () => {
  const cycle: { list: unknown[] } = { list: [1] };
  cycle.list.push({ cycle });
  // eslint-disable-next-line no-sparse-arrays
  const sparse = [1, , 3];
  const answers: [answer: unknown, what: string][] = [
    [[1, 2].map(async (x) => x), '[0] is a promise'],
    [{ a: { then() {} } }, '.a is a promise'],
    [{ p: [new Point(1, Promise.resolve())] }, '.p[0].y is a promise'],
    [(function* () {})(), ' is a Generator'],
    [(async function* () {})(), ' is an AsyncGenerator'],
    [new Map([[1, 2]]), ' is a Map'],
    [Object.assign(new Map(), { extra: 1 }), ' is a Map'],
    [{ 'a b': new Set([1]) }, '["a b"] is a Set'],
    [[1].values(), ' is an Array Iterator'],
    [[new WeakMap()], '[0] is a WeakMap'],
    [[new Error('why')], '[0] is an Error'],
    [Object.assign(new TypeError('why'), { code: 'E' }), ' is an Error'],
    [/x/, ' is a RegExp'],
    [
      (function () {
        return arguments;
      })(),
      ' is an Arguments',
    ],
    [[Math], '[0] is a Math'],
    [Object.assign(new WeakMap(), { extra: 1 }), ' is a WeakMap'],
    [
      new (class {
        get x() {
          return 1;
        }
      })(),
      ' is an Object',
    ],
    [[new Blob([])], '[0] is a Blob'],
    [new Response('text'), ' is a Response'],
    [new URLSearchParams('a=1'), ' is a URLSearchParams'],
    [new Secret(), ' is a Secret'],
    [{ data: Uint8Array.of(1) }, '.data is a Uint8Array'],
    [[new Float64Array(0)], '[0] is a Float64Array'],
    [[new ArrayBuffer(1)], '[0] is an ArrayBuffer'],
    [[Object(Symbol('s'))], '[0] is a Symbol'],
    [{ f() {} }, '.f is a function'],
    [[Symbol('s')], '[0] is a symbol'],
    [{ big: 1n }, '.big is a BigInt'],
    [10n, ' is a BigInt'],
    [{ energy: NaN }, '.energy is NaN'],
    [{ n: new Number(Infinity) }, '.n is Infinity'],
    [{ when: new Date(NaN) }, '.when is an invalid date'],
    [[undefined], '[0] is undefined'],
    [sparse, '[1] is undefined'],
    [cycle, '.list[1].cycle is a cycle'],
    [{ toJSON: () => undefined }, ' is undefined'],
    [{ a: { toJSON: () => new Map() } }, '.a is a Map'],
    [{ a: 1, b: [new Point(1, 2), { c: new Point(NaN, 2) }] }, '.b[1].c.x is NaN'],
  ];
  for (const [answer, what] of answers) {
    const result = await FakeHost.answerTo(byDefault(() => answer));
    assert.deepEqual(
      [result.kind, result.text],
      ['error json', `the answer has no JSON form: result${what}`],
    );
  }
  const throwing: unknown[] = [
    {
      get a() {
        throw new Error('not this');
      },
    },
    {
      toJSON() {
        throw new Error('not this');
      },
    },
  ];
  for (const answer of throwing) {
    const result = await FakeHost.answerTo(byDefault(() => answer));
    assert.deepEqual(
      [result.kind, result.text],
      ['error json', 'the answer has no JSON form: not this'],
    );
  }
});

test('plain data stays as JSON has it', async () => {
  let deep: unknown = [];
  for (let i = 0; i < 300; i++) deep = { deep };
  const same = { a: 1 };
  const answers: unknown[] = [
    {},
    [],
    '',
    0,
    -0,
    [null],
    [[]],
    { a: undefined, b: 1 },
    Object.create(null),
    Object.assign(Object.create(null), { a: 1 }),
    new Date(0),
    { when: new Date(0) },
    new Point(1, { z: [2] }),
    new Tagged(1, 2),
    [new Point(1, undefined)],
    [same, same],
    { a: same, b: [same] },
    new Number(1),
    [new String(''), new Boolean(false)],
    new URL('http://h/'),
    { toJSON: () => [1] },
    [Buffer.from('x')],
    deep,
    { '': { '': 1 } },
  ];
  for (const answer of answers) {
    const result = await FakeHost.answerTo(byDefault(() => answer));
    assert.equal(result.text, typeof answer === 'string' ? answer : JSON.stringify(answer));
  }
});

test('an answer that is still to be read is waited for', async () => {
  const seen: unknown[] = [];
  const host: FakeHost = new FakeHost(
    callback((x, cb) => {
      seen.push(x);
      cb(null, x === 'rejected' ? Promise.reject(new Error('no')) : new Blob([x as string]));
      cb(null, 'twice');
      if (x === 'throws') throw new Error('after all');
    }),
  );
  host.values([
    [0, 'a'],
    [1, 'throws'],
    [2, 'rejected'],
  ]);
  assert.deepEqual([seen, host.results], [['a'], []]);
  for (; host.results.length < 3; host.run(20))
    await new Promise((resolve) => setImmediate(resolve));
  host.run(200);
  assert.deepEqual(
    host.results.map(({ kind, text }) => [kind, text]),
    [
      ['bytes', 'a'],
      ['bytes', 'throws'],
      ['error throw', 'no'],
    ],
  );
  assert.deepEqual(
    host.logs.map(({ level, id }) => [level, id]),
    [
      ['warn', 0],
      ['warn', 1],
      ['error', 1],
    ],
  );
  assert.match(host.logs[2].text, /^late error: Error: after all/);
});

test('an answer whose then throws is an error, in both styles', async () => {
  const answers: object[] = [
    {
      get then() {
        throw new Error('no then');
      },
    },
    {
      then() {
        throw new Error('no then');
      },
    },
  ];
  for (const answer of answers) {
    for (const f of [callback((_x, cb) => cb(null, answer)), byDefault(() => answer)]) {
      const result = await FakeHost.answerTo(f);
      assert.deepEqual([result.kind, result.text], ['error throw', 'no then']);
    }
  }
});

test('with --json every answer is JSON, and what JSON cannot say is an error', async () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const answers: [answer: unknown, kind: string, text?: string][] = [
    ['a"b', 'json', '"a\\"b"'],
    [null, 'json', 'null'],
    [{ a: null }, 'json', '{"a":null}'],
    [NaN, 'error json', 'the answer has no JSON form: result is NaN'],
    [
      { deep: [1, -Infinity] },
      'error json',
      'the answer has no JSON form: result.deep[1] is -Infinity',
    ],
    [cycle, 'error json'],
    [undefined, 'error undefined'],
    [Uint8Array.of(65), 'bytes', 'A'],
  ];
  for (const [answer, kind, text] of answers) {
    for (const f of [callback((_x, cb) => cb(null, answer)), byDefault(() => answer)]) {
      const result = await FakeHost.answerTo(f, { json: true });
      assert.equal(result.kind, kind);
      if (text) assert.equal(result.text, text);
    }
  }
});

test('errors say what happened and where', async () => {
  const error = new TypeError('no');
  const cases: [f: Parameters<typeof FakeHost.answerTo>[0], kind: string, message: string][] = [
    [callback((_x, cb) => cb(error, null)), 'error error', 'TypeError: no'],
    [callback((_x, cb) => cb('words', null)), 'error error', 'words'],
    [callback((_x, cb) => cb({ code: 3 }, null)), 'error error', '{"code":3}'],
    [callback((_x, cb) => cb(null, undefined)), 'error undefined', 'f answered undefined'],
    [
      callback(() => {
        throw error;
      }),
      'error throw',
      'TypeError: no',
    ],
    [
      callback(() => {
        throw null;
      }),
      'error throw',
      'null',
    ],
    [
      callback(async () => {
        throw error;
      }),
      'error throw',
      'TypeError: no',
    ],
    [
      byDefault(() => {
        throw error;
      }),
      'error throw',
      'TypeError: no',
    ],
    [byDefault(() => Promise.reject(error)), 'error throw', 'TypeError: no'],
    [byDefault(() => Promise.reject(undefined)), 'error throw', 'undefined'],
  ];
  for (const [f, kind, message] of cases) {
    const result = await FakeHost.answerTo(f);
    assert.deepEqual([result.kind, result.text], [kind, message]);
  }
});

test('a second answer is a warning', () => {
  const host = new FakeHost(
    callback((x, cb) => (cb(null, x), cb(null, 'again'), cb(new Error('no'), 0))),
  );
  host.values([[3, 'a']]);
  host.run(200);
  assert.deepEqual(
    host.results.map(({ text }) => text),
    ['a'],
  );
  const warning = {
    level: 'warn',
    text: 'the callback was called twice',
    id: 3,
  };
  assert.deepEqual(host.logs, [warning, warning]);
});

test('a time-out frees the slot, aborts, and ignores what comes later', () => {
  const seen: string[] = [];
  let late: (answer: string) => void = () => {};
  const f = byDefault((x, context) => {
    seen.push(x as string);
    context.signal.addEventListener('abort', () => seen.push('aborted'));
    return new Promise((resolve) => (late = x === 'a' ? resolve : late));
  });
  const host = new FakeHost(f, { timeout: 1000 });
  host.values([
    [0, 'a'],
    [1, 'b'],
  ]);
  host.run(999);
  assert.deepEqual(seen, ['a']);
  host.run(2);
  assert.deepEqual(seen, ['a', 'aborted', 'b']);
  late('too late');
  host.run(100);
  assert.deepEqual(
    host.results.map(({ id, kind, text }) => [id, kind, text]),
    [[0, 'error timeout', 'no answer within 1 s']],
  );
  assert.deepEqual(host.logs, []);
});

test('a call may take longer than any timer', () => {
  const day = 24 * 3600 * 1000;
  const host = new FakeHost(
    byDefault(() => new Promise(() => {})),
    { timeout: 60 * day },
  );
  host.values([[0, 'a']]);
  host.run(60 * day - 1);
  assert.deepEqual(host.results, []);
  host.run(1);
  assert.deepEqual(
    host.results.map(({ kind, text }) => [kind, text]),
    [['error timeout', 'no answer within 5184000 s']],
  );
});

test('a call that nobody waits for is aborted, and what it answers is ignored', () => {
  const seen: string[] = [];
  let answer: (answer: string) => void = () => {};
  const f = byDefault((x, context) => {
    context.signal.addEventListener('abort', () => seen.push(`${x} aborted`));
    return new Promise((resolve) => (answer = resolve));
  });
  const host = new FakeHost(f);
  host.values([[0, 'a']]);
  host.core.forget();
  answer('too late');
  host.run(100);
  host.values([[1, 'b']]);
  assert.deepEqual(seen, ['a aborted']);
  assert.deepEqual(
    host.results.map(({ id, kind }) => [id, kind]),
    [[0, 'error timeout']],
  );
  assert.deepEqual(host.logs, []);
});

test('an error nobody caught', () => {
  const host = new FakeHost(
    callback(() => {}),
    { concurrency: 2 },
  );
  host.core.uncaught(new Error('early'));
  host.values([[0, 'a']]);
  host.core.uncaught(new Error('mine'));
  assert.deepEqual(
    host.results.map(({ id, kind, text }) => [id, kind, text]),
    [[0, 'error throw', 'mine']],
  );
  host.core.uncaught(new Error('after'));
  host.run(200);
  assert.deepEqual(
    host.logs.map(({ level, id }) => [level, id]),
    [
      ['error', undefined],
      ['error', 0],
    ],
  );
  assert.match(host.logs[1].text, /^late error: Error: after/);
  assert.equal(host.posted.pop(), 'spoiled false');
});

test('an error nobody caught with several calls open is none of theirs', () => {
  const open: unknown[] = [];
  const host = new FakeHost(
    callback((x) => void open.push(x)),
    { concurrency: 2 },
  );
  host.values([
    [0, 'a'],
    [1, 'b'],
    [2, 'c'],
  ]);
  host.core.uncaught(new Error('whose'));
  host.run(200);
  assert.deepEqual([open, host.results], [['a', 'b'], []]);
  assert.deepEqual(
    host.logs.map(({ level, id }) => [level, id]),
    [['error', undefined]],
  );
  assert.equal(host.posted.pop(), 'spoiled true');
});

test('an error nobody caught may be of a call before, unless the value came with care', () => {
  const answer = (x: unknown, cb: (error: unknown, result: unknown) => void) =>
    x === 'a' && cb(null, x);
  for (const careful of [false, true]) {
    const host = new FakeHost(callback(answer));
    host.values([[0, 'a']]);
    host.values([[1, 'b', { careful }]]);
    host.core.uncaught(new Error('whose'));
    assert.deepEqual(host.posted.slice(-2), [
      careful ? '1 error throw whose' : 'started 1',
      `spoiled ${!careful}`,
    ]);
  }
});

test('a page goes on after an error nobody caught', () => {
  const open: unknown[] = [];
  const host = new FakeHost(
    callback((x) => void open.push(x)),
    { dom: true },
  );
  host.values([
    [0, 'a'],
    [1, 'b'],
  ]);
  host.core.uncaught(new Error('mine'));
  assert.deepEqual(open, ['a', 'b']);
  assert.deepEqual(host.posted, ['started 0', '0 error throw mine']);
});

test('what f throws after its answer is a late error', () => {
  const host = new FakeHost(
    callback((x, cb) => {
      cb(null, x);
      throw new Error('after all');
    }),
  );
  host.values([[0, 'a']]);
  host.run(200);
  assert.equal(host.results[0].text, 'a');
  assert.match(host.logs[0].text, /late error: Error: after all/);
});

test('context', () => {
  const host = new FakeHost(
    byDefault((_x, { index, attempt, report, log, ...rest }) => {
      report({ cpuTime: 1 });
      log('%d of %s', 1, 'two', [3]);
      return JSON.stringify({ index, attempt, rest });
    }),
  );
  host.values([['4:2', 'a', { attempt: 2 }]]);
  assert.equal(host.results[0].text, '{"index":5,"attempt":3,"rest":{}}');
  assert.deepEqual(host.reports, [{ type: 'report', id: 4, report: { cpuTime: 1 } }]);
  assert.deepEqual(host.logs, [{ level: 'log', text: '1 of two [3]', id: 4 }]);
});

test('whatever a call ends with names the loan that it is of', () => {
  const host = new FakeHost(
    callback((x, cb) =>
      x === 'bad' ? cb('no', null) : cb(null, x === 'bytes' ? new Uint8Array(70_000) : x),
    ),
  );
  host.values([
    ['7:1', 'a'],
    [7, 'b'],
    ['7:300', 'bad'],
    ['8:2', 'x'.repeat(70_000)],
    ['9:3', 'bytes'],
  ]);
  const ends = host.results.map(({ id, kind }) => [id, kind]);
  assert.deepEqual(ends, [
    ['7:1', 'text'],
    [7, 'text'],
    ['7:300', 'error error'],
    ['8:2', 'text'],
    ['9:3', 'bytes'],
  ]);
  assert.equal(host.posted[0], 'started 7:1');
});

test('a frame with several results is 64 KiB at most', () => {
  const host = new FakeHost(callback((x, cb) => cb(null, 'x'.repeat(Number(x)))));
  host.values([
    ...Array.from({ length: 100 }, (_, id) => [id, '5000']),
    [100, '200000'],
    [101, '10'],
  ] as [number, string][]);
  assert.ok(host.frames.every(({ count, length }) => count === 1 || length <= 65_536));
  assert.equal(host.results.length, 102);
  assert.ok(host.frames.length < 15);
});

test('results of asynchronous calls wait 10 ms at most', () => {
  const answers: (() => void)[] = [];
  const host = new FakeHost(callback((x, cb) => void answers.push(() => cb(null, x))));
  host.values([
    [0, 'a'],
    [1, 'b'],
    [2, 'c'],
  ]);
  answers[0]();
  assert.equal(host.results.length, 0);
  host.run(10);
  assert.equal(host.results.length, 1);
});

test('a flood of output is bounded, and told', () => {
  const host = new FakeHost(callback((x, cb) => cb(null, x)));
  for (let i = 0; i < 5000; i++) host.core.log('log', [`line ${i}`]);
  host.run(1100);
  assert.equal(host.logs.length, 1001);
  assert.deepEqual(host.logs[1000], {
    level: 'warn',
    text: '4000 more lines were not kept',
    count: 4000,
  });
});

test('repeated output is counted, and goes out also when no timer runs', () => {
  const host = new FakeHost(callback((x, cb) => cb(null, x)));
  for (let i = 0; i < 7; i++) host.core.log('log', ['same']);
  host.advance(150);
  host.core.log('log', ['same']);
  assert.deepEqual(host.logs, [
    { level: 'log', text: 'same' },
    { level: 'log', text: 'same', count: 7 },
  ]);
});

test('where the function is looked for', () => {
  const f = () => 0;
  const style = (exports: unknown) => userFunction({ exports }).style;
  assert.equal(style({ '/pando/1.0.0': f, default: f }), 'callback');
  assert.equal(style({ default: { '/pando/1.0.0': f } }), 'callback');
  assert.equal(style({ default: f }), 'default');
  assert.equal(style(f), 'default');
  assert.equal(style({ default: { default: f } }), 'default');
  assert.throws(() => style({ f }), /exports no function/);
  assert.throws(() => style(null), /exports no function/);
  assert.throws(() => userFunction(undefined), /was not loaded/);
});

test('values of every form reach f', () => {
  const seen: unknown[] = [];
  const host = new FakeHost(callback((x, cb) => (seen.push(x), cb(null, ''))));
  host.values([
    [0, 'text'],
    [1, '{"a":1}', { form: 'json' }],
    [2, Uint8Array.of(1, 2)],
  ]);
  assert.deepEqual(seen, ['text', { a: 1 }, Uint8Array.of(1, 2)]);
});

test('values of bytes are the Buffer of the bundle', () => {
  let seen: unknown;
  const host = new FakeHost(
    callback((x, cb) => ((seen = x), cb(null, ''))),
    {},
    Buffer,
  );
  host.values([[2, Uint8Array.of(1, 2)]]);
  assert.ok(Buffer.isBuffer(seen) && seen.equals(Buffer.from([1, 2])));
});

test('output is told in short messages', () => {
  const host = new FakeHost(callback((x, cb) => cb(null, x)));
  for (let i = 0; i < 50; i++)
    host.core.log('log', [String(i) + 'x'.repeat(i === 7 ? 100_000 : 3000)]);
  host.run(200);
  assert.equal(host.logs.length, 50);
  assert.ok(host.logMessages.length > 8 && host.logMessages.every((length) => length < 25_000));
});

test('a report that JSON cannot say does not break f', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const host: FakeHost = new FakeHost(
    callback(
      (x, cb) => (host.core.report(cycle), host.core.report({ f() {} }), cb(null, x)),
    ) as UserFunction,
  );
  host.values([[0, 'a']]);
  assert.equal(host.results[0].text, 'a');
  assert.match(JSON.stringify(host.reports), /no JSON form/);
});
