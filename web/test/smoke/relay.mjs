// Tests the page of a relay: sandboxed in an origin of its own, first over a peer connection,
// then over a WebSocket.
import assert from 'node:assert/strict';
import { TOY, callback, hellos, pause, shots, shows, test } from './suite.mjs';

const relay = { code: TOY, relay: true, bridge: true, cores: 1 };

test(
  'relay: a page with an origin of its own computes over a peer connection',
  relay,
  async (master, page) => {
    const hello = await master.message('hello');
    assert.deepEqual([hello.path, hello.token], ['direct', master.options.token]);
    assert.equal(await page.evaluate(() => self.origin), 'null');
    assert.equal(
      await page.evaluate(() => {
        try {
          return String(localStorage);
        } catch (error) {
          return error.name;
        }
      }),
      'SecurityError',
    );
    master.values([
      [0, 'a'],
      [1, 'throw'],
      [2, 'log'],
    ]);
    assert.equal((await master.result(0)).text, 'A');
    const { message, stack } = JSON.parse((await master.result(1)).text);
    assert.equal(message, 'TypeError: cannot');
    assert.match(stack, /function\.js:\d/);
    assert.doesNotMatch(stack, /page\.js/);
    assert.equal((await master.message('log')).entries[0].text, '<b>seen</b> {"x":"log"}');
    await shows(page, 'detail', /Connected directly\./);
  },
);

test('relay: errors that nobody caught have their words', relay, async (master) => {
  await master.message('hello');
  master.values([[0, 'throw later']]);
  assert.equal(JSON.parse((await master.result(0)).text).message, 'TypeError: cannot, later');
});

test('relay: several cores', { ...relay, cores: 3 }, async (master) => {
  assert.equal((await master.message('hello')).cores, 3);
  master.values(Array.from({ length: 9 }, (_, id) => [id, 'sleep 300']));
  for (let id = 0; id < 9; id++) await master.result(id);
});

test(
  'relay: a function that cannot be loaded',
  { ...relay, code: 'nowhere.at.all();' },
  async (master, page) => {
    assert.equal(
      (await master.message('broken')).message,
      'ReferenceError: nowhere is not defined',
    );
    await shows(page, 'title', /cannot run/);
  },
);

test('relay: a syntax error', { ...relay, code: 'var a = ;' }, async (master) => {
  assert.match((await master.message('broken')).message, /^SyntaxError: .*Unexpected token/);
});

const STAGE = `
  function answer(button) { window.done(button.textContent); }
  globalThis.__pandoModule = { exports: { '/pando/1.0.0': function (x, cb) {
    window.done = (said) => cb(null, x + ' ' + said);
    document.getElementById('visualization').insertAdjacentHTML('beforeend', '<button onclick="answer(this)">yes</button>');
  } } };`;

test(
  'relay: a function with a document',
  { ...relay, code: STAGE, dom: true },
  async (master, page) => {
    await master.message('hello');
    master.values([[0, 'one']]);
    await page.click('#visualization button');
    assert.equal((await master.result(0)).text, 'one yes');
  },
);

test(
  'relay: a function with a document that cannot be loaded',
  { ...relay, code: 'nowhere.at.all();', dom: true },
  async (master) => {
    assert.equal(
      (await master.message('broken')).message,
      'ReferenceError: nowhere is not defined',
    );
  },
);

test(
  'relay: another function: the page loads itself again, once',
  { ...relay, hash: 'new', pageHash: 'old', fragment: '#cores=2' },
  async (master, page) => {
    const two = await hellos(master, 2);
    assert.deepEqual(
      two.map(({ cores }) => cores),
      [2, 2],
    );
    await shows(page, 'detail', /new function/);
    await pause(1000);
    assert.equal(master.heard.filter(({ type }) => type === 'hello').length, 2);
  },
);

test(
  'relay: another function, and its page',
  { ...relay, hash: 'new', pageHash: 'old' },
  async (master) => {
    await hellos(master, 1);
    master.options.pageHash = 'new';
    await hellos(master, 2);
    master.values([[0, 'a']]);
    assert.equal((await master.result(0)).text, 'A');
  },
);

test(
  'relay: a WebSocket at once when there is no way, and WebRTC again after a loss',
  relay,
  async (master, page) => {
    await master.message('hello');
    master.bridge.first = { type: 'failed', text: 'This host has no UDP.' };
    master.socket.terminate();
    const [, second] = await hellos(master, 2, 4000);
    assert.equal(second.path, 'relay');
    await shows(page, 'detail', /Connected through the relay\./);
    await page.screenshot({ path: `${shots}/relay.png`, fullPage: true });
    master.values([[0, 'a']]);
    assert.equal((await master.result(0)).text, 'A');
    master.bridge.first = { type: 'servers', iceServers: [] };
    master.socket.terminate();
    assert.equal((await hellos(master, 3))[2].path, 'direct');
  },
);

test(
  'relay: a WebSocket after 0.7 s when nothing has come of a peer connection, which is given up later',
  relay,
  async (master) => {
    await master.message('hello');
    master.bridge.silent = true;
    const start = performance.now();
    master.socket.terminate();
    const [, second] = await hellos(master, 2, 4000);
    assert.equal(second.path, 'relay');
    const ms = performance.now() - start;
    assert.ok(ms > 700, `${ms}`);
    assert.equal(master.bridge.signals.size, 1);
    await master.until(() => master.bridge.signals.size === 0, 'the end of the attempt', 15_000);
  },
);

test(
  'relay: a direct way that opens late is taken, with what is in hand',
  relay,
  async (master, page) => {
    await master.message('hello');
    master.bridge.first = { type: 'failed', text: 'This host has no UDP.' };
    master.socket.terminate();
    await hellos(master, 2, 4000);
    const socket = master.socket;
    master.values([
      [0, 'sleep 15000'],
      [1, 'a'],
    ]);
    await master.until(
      () => master.heard.some(({ type }) => type === 'started'),
      'the start of a long call',
    );
    master.bridge.first = { type: 'servers', iceServers: [] };
    const { path, holds } = (await hellos(master, 3, 40_000))[2];
    assert.deepEqual([path, holds], ['direct', [1, 0]]);
    await shows(page, 'detail', /Connected directly\./);
    await master.until(() => socket.readyState === 3, 'the end of the WebSocket');
    assert.equal((await master.result(1, 30_000)).text, 'A');
    assert.equal((await master.result(0)).text, 'sleep 15000');
  },
);

test(
  'relay: no peer connections in this browser',
  { ...relay, before: () => delete window.RTCPeerConnection },
  async (master) => {
    assert.equal((await master.message('hello')).path, 'relay');
  },
);

test(
  'relay: a WebSocket, asked for',
  { ...relay, fragment: '#protocol=websocket' },
  async (master) => {
    assert.equal((await master.message('hello')).path, 'relay');
  },
);

test('relay: a run that is away for a while is waited for', relay, async (master, page) => {
  await master.message('hello');
  master.values([[0, 'sleep 100']]);
  master.options.gone = true;
  master.socket.terminate();
  await shows(page, 'detail', /waiting for the run to come back/);
  await page.screenshot({ path: `${shots}/away.png`, fullPage: true });
  await pause(3000);
  assert.match(await page.textContent('#detail'), /waiting for the run to come back/);
  master.options.gone = false;
  assert.deepEqual((await hellos(master, 2))[1].holds, [0]);
  await shows(page, 'detail', /Connected directly\./);
});

test('relay: leaving, and starting again', relay, async (master, page) => {
  await master.message('hello');
  await page.click('#leave');
  await shows(page, 'title', /You have left/);
  await page.click('#again');
  await hellos(master, 2);
});

const LATE = callback('cb(null, x)');

test(
  'relay: a script that does not come at once',
  { ...relay, code: null },
  async (master, page) => {
    await shows(page, 'note', /could not be loaded/);
    master.options.code = LATE;
    await master.message('hello');
    assert.equal(await page.isVisible('#note'), false);
  },
);
