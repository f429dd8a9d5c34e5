// Tests the page over a peer connection, whose other end is a second page.
import assert from 'node:assert/strict';
import { TOY, hellos, pause, shots, shows, test } from './suite.mjs';

const fragment = '#protocol=webrtc;cores=1';
const webrtc = { code: TOY, fragment, bridge: true };

/** Stores every peer connection in `window.peers`. */
function keepPeers() {
  const Real = window.RTCPeerConnection;
  window.peers = [];
  window.RTCPeerConnection = class extends Real {
    constructor(...args) {
      super(...args);
      window.peers.push(this);
    }
  };
}

/** Imitates a browser that cannot transfer data channels. */
function likeAnOldBrowser() {
  const real = MessagePort.prototype.postMessage;
  MessagePort.prototype.postMessage = function (message, transfer = []) {
    if (transfer.some((item) => item instanceof RTCDataChannel))
      throw new DOMException('cannot be cloned', 'DataCloneError');
    window.forwarded = (window.forwarded || 0) + 1;
    real.call(this, message, transfer);
  };
}

const KINDS = [
  ['the link has the data channel', undefined],
  ['the page has the data channel', likeAnOldBrowser],
];

for (const [kind, before] of KINDS) {
  test(
    `webrtc, ${kind}: values become results, large ones too`,
    { ...webrtc, before },
    async (master, page) => {
      const hello = await master.message('hello');
      assert.equal(hello.path, 'direct');
      assert.equal(master.socket.label, 'pando');
      assert.equal(Boolean(await page.evaluate(() => window.forwarded)), Boolean(before));
      master.values(Array.from({ length: 5000 }, (_, id) => [id, `value ${id}`]));
      const big = Buffer.alloc(5_000_000, 'abcdefg');
      master.sendCut([5000, big]);
      master.values([[5001, '']]);
      for (const size of [16_382, 16_383, 16_384, 32_766, 32_767, 65_000])
        master.values([[size, 'x'.repeat(size - 8)]]);
      assert.ok((await master.result(5000, 30_000)).bytes.equals(big));
      assert.equal((await master.result(5001)).text, '');
      for (const size of [16_382, 16_383, 16_384, 32_766, 32_767, 65_000])
        assert.equal((await master.result(size)).text, 'X'.repeat(size - 8));
      assert.equal(master.results.get(4321).text, 'VALUE 4321');
      await shows(page, 'detail', /Connected directly\./);
      await master.until(() => master.bridge.signals.size === 0, 'the end of the signalling');
      await page.screenshot({ path: `${shots}/direct.png`, fullPage: true });
    },
  );

  test(`webrtc, ${kind}: what goes away says so`, { ...webrtc, before }, async (master, page) => {
    await master.message('hello');
    master.values([
      [0, 'sleep 5000'],
      [1, 'a'],
    ]);
    await pause(200);
    await page.goto('about:blank');
    assert.equal((await master.message('bye')).reason, 'left');
    await master.until(() => master.sockets.size === 0, 'the end of the channel', 5000);
  });

  test(
    `webrtc, ${kind}: a page that is hidden and comes back`,
    { ...webrtc, before },
    async (master, page) => {
      await master.message('hello');
      await page.evaluate(() =>
        dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })),
      );
      assert.equal((await master.message('bye')).reason, 'hidden');
      await page.evaluate(() =>
        dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })),
      );
      await hellos(master, 2);
      master.values([[0, 'a']]);
      assert.equal((await master.result(0)).text, 'A');
    },
  );

  test(
    `webrtc, ${kind}: leaving hands back and closes`,
    { ...webrtc, before },
    async (master, page) => {
      await master.message('hello');
      master.values([
        [0, 'sleep 5000'],
        [1, 'a'],
      ]);
      await pause(200);
      await page.click('#leave');
      assert.deepEqual((await master.message('returned')).ids.sort(), [0, 1]);
      assert.equal((await master.message('bye')).reason, 'left');
      await master.until(() => master.sockets.size === 0, 'the end of the channel', 5000);
    },
  );

  test(
    `webrtc, ${kind}: a lost connection comes back, and the old ones are freed`,
    { ...webrtc, before },
    async (master, page) => {
      await page.evaluate(keepPeers);
      await master.message('hello');
      master.values([
        [0, 'sleep 1500'],
        [1, 'x'],
      ]);
      await pause(200);
      for (let count = 2; count <= 4; count++) {
        master.socket.terminate();
        const all = await hellos(master, count);
        assert.deepEqual(all[count - 1].holds.sort(), [0, 1]);
      }
      assert.equal((await master.result(0)).text, 'sleep 1500');
      await pause(2500);
      const states = await page.evaluate(() =>
        window.peers.map(({ connectionState }) => connectionState),
      );
      assert.equal(states.pop(), 'connected');
      assert.ok(states.length >= 2 && states.every((state) => state === 'closed'), `${states}`);
    },
  );

  test(
    `webrtc, ${kind}: what is malformed closes the channel, and it is opened again`,
    { ...webrtc, before },
    async (master) => {
      await master.message('hello');
      master.socket.raw(Buffer.from([8, 1, 2]));
      await hellos(master, 2);
      master.socket.raw(Buffer.alloc(16_385));
      await hellos(master, 3);
      for (let sent = 0; sent < 72; sent++) master.socket.raw(Buffer.alloc(16_384));
      await hellos(master, 4);
      master.socket.send(Buffer.from([1, 0, 3, 1, 97]));
      await hellos(master, 5);
    },
  );
}

test(
  'webrtc: silence for three heartbeats ends it',
  { ...webrtc, heartbeat: 300 },
  async (master, page) => {
    await page.evaluate(keepPeers);
    await master.message('hello');
    master.text = (ws, message) => {
      if (message.type === 'hello') (master.heard.push(message), master.notify());
    };
    await hellos(master, 2, 5000);
  },
);

const BUSY = `globalThis.__pandoModule = { exports: { '/pando/1.0.0': function (x, cb) {
  const end = performance.now() + Number(x);
  while (performance.now() < end);
  cb(null, x);
} } };`;

test(
  'webrtc: a page that is busy still answers pings',
  { ...webrtc, code: BUSY, dom: true, heartbeat: 500 },
  async (master) => {
    await master.message('hello');
    let pings = 0;
    const text = master.text;
    master.text = (ws, message) => {
      if (message.type === 'ping') pings++;
      text.call(master, ws, message);
    };
    master.values([[0, '4000']]);
    await master.result(0);
    assert.ok(pings >= 4, `${pings}`);
    assert.equal(master.heard.filter(({ type }) => type === 'hello').length, 1);
  },
);

test('webrtc: what a master says of why there is no way', webrtc, async (master, page) => {
  await master.message('hello');
  master.bridge.first = { type: 'failed', text: 'There is no room for another peer.' };
  master.socket.terminate();
  await shows(page, 'detail', /There is no room for another peer\./);
  master.bridge.first = { type: 'servers', iceServers: [] };
  await hellos(master, 2);
});

test(
  'webrtc, asked for, and not there: a WebSocket, said',
  { ...webrtc, before: () => delete window.RTCPeerConnection },
  async (master, page) => {
    assert.equal((await master.message('hello')).path, undefined);
    await shows(page, 'note', /No WebRTC/);
  },
);

test('webrtc, asked for: a token that is no longer known', webrtc, async (master, page) => {
  await master.message('hello');
  master.options.gone = true;
  master.socket.terminate();
  await shows(page, 'detail', /no longer known/);
});
