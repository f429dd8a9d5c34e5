import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format } from '../src/core/format.ts';
import { hearErrors } from '../src/core/port.ts';
import { failure, failureMessage } from '../src/core/inspect.ts';

const PLACE = 'http://h:5000/t/function.js:1:210';

/** An error with the stack of another engine. */
function error(made: Error, stack: string, members: object = {}): Error {
  return Object.assign(made, { stack }, members);
}

test('class, message and place are told whatever the engine puts into a stack', () => {
  class Refused extends Error {}
  const cases: [error: Error, stack: string][] = [
    // V8
    [
      error(new TypeError('no'), `TypeError: no\n    at f (${PLACE})\n    at page.js:1:1`),
      `TypeError: no\n    at f (${PLACE})`,
    ],
    [
      error(new Refused('no'), `Error: no\n    at f (${PLACE})`),
      `Refused: no\n    at f (${PLACE})`,
    ],
    [
      error(new Error('two\nlines'), `Error: two\nlines\n    at f (${PLACE})`),
      `Error: two\nlines\n    at f (${PLACE})`,
    ],
    [
      error(new Error('set later'), `Error: at first\n    at f (${PLACE})`),
      `Error: set later\n    at f (${PLACE})`,
    ],
    [
      error(new SyntaxError('bad'), `function.js:1\na ;\n  ^\n\nSyntaxError: bad\n    at x`),
      'SyntaxError: bad\nfunction.js:1',
    ],
    [error(new Error('no frames'), 'Error: no frames'), 'Error: no frames'],
    [error(new Refused('no frames'), 'Error: no frames'), 'Refused: no frames'],
    // Firefox
    [
      error(new TypeError('no'), `f@${PLACE}\nno@http://h:5000/t/page.js:1:1\n`),
      `TypeError: no\nf@${PLACE}`,
    ],
    [error(new Error(''), `f@${PLACE}\n`), `Error\nf@${PLACE}`],
    // WebKit
    [
      error(
        new RangeError('no'),
        `f@${PLACE}\n${PLACE}\n[native code]\nno@http://h:5000/t/page.js:1:1`,
      ),
      `RangeError: no\nf@${PLACE}\n${PLACE}`,
    ],
  ];
  for (const [thrown, stack] of cases) assert.equal(failure(thrown, 'throw').stack, stack);
});

test('a message has the class, but for a plain Error', () => {
  class Refused extends Error {}
  assert.equal(failureMessage(new Error('no')), 'no');
  assert.equal(failureMessage(new TypeError('no')), 'TypeError: no');
  assert.equal(failureMessage(new Refused('no')), 'Refused: no');
  assert.equal(failureMessage(new Error('')), 'Error');
  assert.equal(failureMessage(new DOMException('gone', 'NotFoundError')), 'NotFoundError: gone');
  assert.equal(failureMessage({ name: 'Odd', message: 'thing' }), 'Odd: thing');
  assert.equal(failureMessage({ code: 3 }), '{"code":3}');
  assert.equal(failureMessage(new Map()), '[object Map]');
  assert.equal(
    failureMessage({
      get message() {
        throw new Error('no');
      },
    }),
    '[unreadable]',
  );
  assert.equal(failureMessage(null), 'null');
});

test('the reasons of an error are told: cause, errors, code', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:59999'), {
    code: 'ECONNREFUSED',
  });
  assert.equal(
    failureMessage(new TypeError('fetch failed', { cause: refused })),
    'TypeError: fetch failed (cause: connect ECONNREFUSED 127.0.0.1:59999)',
  );
  assert.equal(
    failureMessage(Object.assign(new Error('no'), { code: 'ENOENT' })),
    'no (code: ENOENT)',
  );
  assert.equal(failureMessage(Object.assign(new Error('no'), { code: 404 })), 'no (code: 404)');
  const all = new AggregateError([new Error('a'), new TypeError('b'), 'c'], 'all failed');
  assert.equal(
    failureMessage(all),
    'AggregateError: all failed (error: a; error: TypeError: b; error: c)',
  );
  assert.equal(
    failureMessage(new AggregateError([refused])),
    'AggregateError (error: connect ECONNREFUSED 127.0.0.1:59999)',
  );
  assert.equal(
    failureMessage(new Error('a', { cause: new Error('b', { cause: 'c' }) })),
    'a (cause: b (cause: c))',
  );
  const endless = new Error('again');
  endless.cause = endless;
  assert.match(failureMessage(endless), /^again \(cause: again .{20,200}$/);
});

test('reasons have their stacks below that of the error, as far as they are in the function', () => {
  const inner = error(new RangeError('inner'), `g@${PLACE}\n`);
  const outer = error(new Error('outer', { cause: inner }), `Error: outer\n    at f (${PLACE})`);
  assert.equal(
    failure(outer, 'throw').stack,
    `Error: outer\n    at f (${PLACE})\n  [cause]: RangeError: inner\ng@${PLACE}`,
  );
  const foreign = error(new Error('refused'), 'Error: refused\n    at node:net:1:1', { code: 'E' });
  outer.cause = foreign;
  assert.equal(
    failure(outer, 'throw').stack,
    `Error: outer\n    at f (${PLACE})\n  [cause]: refused (code: E)`,
  );
  assert.equal(format([outer]), failure(outer, 'throw').stack);
});

test('errors and what has no JSON form are seen on the console', () => {
  assert.equal(
    format([{ a: new TypeError('no') }, new Map(), {}]),
    '{"a":"[TypeError: no]"} [object Map] {}',
  );
});

test('an event without an error object has its place', () => {
  const heard: unknown[] = [];
  const listeners: Record<string, (event: object) => void> = {};
  const world = globalThis as unknown as { addEventListener?: unknown };
  world.addEventListener = (type: string, listener: (event: object) => void) =>
    (listeners[type] = listener);
  hearErrors((error) => heard.push(failure(error, 'throw')));
  delete world.addEventListener;
  const event = { preventDefault() {}, filename: 'http://h/t/function.js', lineno: 1, colno: 9 };
  const thrown = error(new TypeError('own'), `f@${PLACE}\n`);
  listeners.error({ ...event, message: 'TypeError: own', error: thrown });
  listeners.error({ ...event, message: 'Uncaught TypeError: no', error: null });
  listeners.error({ ...event, message: 'uncaught exception: words', error: undefined });
  listeners.error({ ...event, message: 'Uncaught words', error: 'words' });
  listeners.error({ ...event, message: 'Script error.', filename: '' });
  listeners.unhandledrejection({ preventDefault() {}, reason: thrown });
  const at = '\n    at http://h/t/function.js:1:9';
  assert.deepEqual(heard, [
    { message: 'TypeError: own', stack: `TypeError: own\nf@${PLACE}`, kind: 'throw' },
    { message: 'TypeError: no', stack: `TypeError: no${at}`, kind: 'throw' },
    { message: 'words', stack: `words${at}`, kind: 'throw' },
    { message: 'words', stack: `words${at}`, kind: 'throw' },
    { message: 'Script error.', stack: undefined, kind: 'throw' },
    { message: 'TypeError: own', stack: `TypeError: own\nf@${PLACE}`, kind: 'throw' },
  ]);
});
