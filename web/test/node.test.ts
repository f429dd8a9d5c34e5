import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { join } from 'node:path';
import { Child } from './child.ts';

const callback = (body: string) =>
  `globalThis.__pandoModule = { exports: { '/pando/1.0.0': function (x, cb) { ${body} } } };`;

test('computes values in order and says ready first', async () => {
  const child = await Child.start(callback('cb(null, x + x)'));
  await child.message('ready');
  child.values([0, 'a'], [1, 'ü'], [2, '']);
  assert.equal((await child.result(2)).text, '');
  const texts = child.messages.filter((message) => 'tag' in message).map((message) => message.text);
  assert.deepEqual(texts, ['aa', 'üü', '']);
  assert.equal(await child.end(), 0);
});

test('what it says before a call that never ends reaches the host', async () => {
  const child = await Child.start(
    callback("if (x === 'loop') for (;;); cb(null, 'x'.repeat(30000))"),
  );
  await child.message('ready');
  child.values([0, 'a'], [1, 'b'], [2, 'loop', true]);
  await child.until((messages) =>
    messages.find((message) => 'type' in message && message.type === 'started' && message.id === 2),
  );
  assert.deepEqual(
    child.messages.filter((message) => 'tag' in message).map(({ id }) => id),
    [0, 1],
  );
  child.process.kill('SIGKILL');
});

test('does not begin a call while the host has not taken what was said before', async () => {
  const child = await Child.start(
    callback("if (x === 'loop') for (;;); cb(null, 'x'.repeat(3e6))"),
  );
  await child.message('ready');
  child.socket.pause();
  child.values([0, 'a'], [1, 'loop', true]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  child.socket.resume();
  assert.equal((await child.result(0)).text.length, 3e6);
  await child.until((messages) =>
    messages.find((message) => 'type' in message && message.type === 'started' && message.id === 1),
  );
  child.process.kill('SIGKILL');
});

test('the globals are those of a tab', async () => {
  const names = [
    'process',
    'Buffer',
    'require',
    'module',
    'setImmediate',
    'self',
    'global',
    'navigator',
    'setTimeout',
    'fetch',
    'crypto',
    'importScripts',
    'location',
  ];
  const types = names.map((name) => `'${name} ' + typeof ${name}`).join(', ');
  const child = await Child.start(callback(`cb(null, [${types}].join(', '))`));
  await child.message('ready');
  child.values([0, '']);
  assert.equal(
    (await child.result(0)).text,
    'process undefined, Buffer undefined, require undefined, module undefined, setImmediate undefined, ' +
      'self object, global object, navigator object, setTimeout function, fetch function, crypto object, importScripts function, location object',
  );
  await child.end();
});

test('an error in a timer is that of the one open call', async () => {
  const child = await Child.start(
    callback("setTimeout(() => { throw new Error('late ' + x) }, 5)"),
  );
  await child.message('ready');
  child.values([7, 'one']);
  const { tag, text } = await child.result(7);
  assert.equal(tag, 3);
  assert.equal(JSON.parse(text).message, 'late one');
  assert.equal(JSON.parse(text).kind, 'throw');
  assert.match(JSON.parse(text).stack, /function\.js:1/);
  await child.end();
});

test('a function that cannot be loaded is said with file and line', async () => {
  const child = await Child.start('const a = ;');
  const { message, stack } = await child.message('broken');
  assert.match(message, /^SyntaxError: Unexpected token/);
  assert.match(stack || '', /function\.js:1/);
  await child.end();
});

test('a module without a function is broken', async () => {
  const child = await Child.start('globalThis.__pandoModule = { exports: { other() {} } };');
  assert.match((await child.message('broken')).message, /exports no function/);
  await child.end();
});

test('console output comes with its item, and not on standard output', async () => {
  const child = await Child.start(
    callback("console.log('at %s', x, { a: 1 }); console.error(new Error('no')); cb(null, x)"),
  );
  await child.message('ready');
  child.values([4, 'x']);
  const entries = await child.until((messages) => {
    const told = messages.flatMap((message) =>
      'type' in message && message.type === 'log' ? message.entries : [],
    );
    return told.length >= 2 && told;
  });
  assert.deepEqual(entries[0], { level: 'log', text: 'at x {"a":1}', id: 4 });
  assert.equal(entries[1].level, 'error');
  assert.match(entries[1].text, /^Error: no\n/);
  await child.end();
});

test('ends when its parent is gone, also while f never returns', async () => {
  // A process between test and child, which passes its own file descriptor 0 on, and then is
  // killed.
  const script = `
    const { spawn } = require('child_process');
    const { connect, createServer } = require('net');
    const { mkdtempSync } = require('fs');
    const path = mkdtempSync(require('os').tmpdir() + '/pando-parent-') + '/socket';
    createServer((socket) => {
      const payload = (bytes) => { const head = Buffer.alloc(4); head.writeUInt32LE(bytes.length); socket.write(Buffer.concat([head, bytes])); };
      const code = "globalThis.__pandoModule = { exports: { '/pando/1.0.0': () => { for (;;); } } }";
      payload(Buffer.from('\\0' + JSON.stringify({ type: 'init', parent: process.pid, options: { concurrency: 1, timeout: null, json: false }, code })));
      socket.on('data', (bytes) => {
        if (bytes.includes('ready')) payload(Buffer.from([1, 0, 0, 1, 97]));
        if (bytes.includes('started')) console.log('loops');
      });
    }).listen(path, () => {
      const theirs = connect(path, () => {
        const child = spawn(process.execPath, [process.argv[1]], { stdio: [theirs, 'ignore', 'inherit'] });
        console.log(child.pid);
      });
    });`;
  const parent = spawn(
    process.execPath,
    ['-e', script, join(process.cwd(), '.test/src/node.cjs')],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  for await (const chunk of parent.stdout) {
    output += chunk;
    if (output.includes('loops')) break;
  }
  const pid = Number(output.split('\n')[0]);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  const alive = () => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  for (let i = 0; alive() && i < 50; i++) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(alive(), false);
});
