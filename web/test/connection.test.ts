import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { betterDelay } from '../src/link/backoff.ts';
import type { Channel, ChannelEvents } from '../src/link/channel.ts';
import { Connection } from '../src/link/connection.ts';
import { transports } from '../src/link/transports.ts';
import type { Transport } from '../src/link/transports.ts';
import type { Path } from '../src/messages.ts';

test('a page chooses its transports', () => {
  const webrtc = true;
  assert.deepEqual(transports({ relay: false, webrtc }), ['websocket']);
  assert.deepEqual(transports({ relay: false, webrtc, protocol: 'webrtc' }), ['webrtc', 'turn']);
  assert.deepEqual(transports({ relay: false, webrtc: false, protocol: 'webrtc' }), ['websocket']);
  assert.deepEqual(transports({ relay: true, webrtc }), ['webrtc', 'turn', 'websocket']);
  assert.deepEqual(transports({ relay: true, webrtc, protocol: 'websocket' }), ['websocket']);
  assert.deepEqual(transports({ relay: true, webrtc, protocol: 'webrtc' }), ['webrtc', 'turn']);
  assert.deepEqual(transports({ relay: true, webrtc, protocol: 'pigeon' }), [
    'webrtc',
    'turn',
    'websocket',
  ]);
  assert.deepEqual(transports({ relay: true, webrtc: false }), ['websocket']);
});

class FakeChannel implements Channel {
  open = false;
  bufferedAmount = 0;
  closed = false;
  readonly sent: string[] = [];
  constructor(
    readonly transport: Transport,
    readonly events: ChannelEvents,
  ) {}
  send(frame: Uint8Array | string): void {
    this.sent.push(String(frame));
  }
  close(): void {
    this.open = false;
    this.closed = true;
  }
  opens(path?: Path): void {
    this.open = true;
    this.events.opened(path);
  }
  ends(text?: string): void {
    this.open = false;
    this.events.closed(text);
  }
}

const PONG = '{"type":"pong","t":0}';
const BYE = '{"type":"bye","reason":"replaced","text":""}';

/**
 * A connection with a virtual clock, and a server which answers requests for the page with
 * `status`.
 */
class Scene {
  now = 1000;
  status: number | null = 200;
  readonly dialled: FakeChannel[] = [];
  readonly said: string[] = [];
  readonly connection: Connection;

  constructor(
    private readonly t: TestContext,
    list: Transport[],
    patience = 0,
  ) {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    t.mock.method(performance, 'now', () => this.now);
    t.mock.method(globalThis, 'fetch', () =>
      this.status === null
        ? Promise.reject(new TypeError())
        : Promise.resolve({ status: this.status }),
    );
    this.connection = new Connection(list, 'http://x/t/', patience, {
      dial: (transport, events) => {
        this.dialled.push(new FakeChannel(transport, events));
        return this.last;
      },
      opened: () => this.said.push('opened'),
      message: ({ type }) => this.said.push(type),
      values: () => undefined,
      lost: (text) => this.said.push(text ? `lost: ${text}` : 'lost'),
      unknown: (gone) => this.said.push(gone ? 'gone' : 'missing'),
    });
    this.connection.open();
  }

  get last(): FakeChannel {
    return this.dialled[this.dialled.length - 1];
  }

  get transports(): Transport[] {
    return this.dialled.map(({ transport }) => transport);
  }

  /** Opens the last channel, and welcomes the device. */
  joins(path?: Path): void {
    this.last.opens(path);
    this.connection.welcomed(5000);
  }

  /** Advances the clock while all open channels receive signs of life. */
  async live(ms: number): Promise<void> {
    for (const end = this.now + ms; this.now < end;) {
      for (const { open, events } of this.dialled) if (open) events.frame(PONG);
      await this.pass(1000);
    }
  }

  async pass(ms: number): Promise<void> {
    for (const end = this.now + ms; this.now < end;) {
      this.now += 100;
      this.t.mock.timers.tick(100);
      this.connection.tick(this.now);
      // Lets the pending requests to the server finish.
      for (let i = 0; i < 5; i++) await Promise.resolve();
    }
  }
}

test('TURN follows when 4 s brought no direct connection, and not before', async (t) => {
  const scene = new Scene(t, ['webrtc', 'turn']);
  await scene.pass(4000);
  assert.deepEqual(scene.transports, ['webrtc']);
  await scene.pass(200);
  assert.deepEqual(scene.transports, ['webrtc', 'turn']);
  assert.equal(scene.dialled[0].closed, true);
  assert.deepEqual(scene.said, []);
});

/** A scene in which the relay is tried beside a direct connection. */
async function withRelay(t: TestContext): Promise<Scene> {
  const scene = new Scene(t, ['webrtc', 'turn', 'websocket']);
  await scene.pass(700);
  assert.deepEqual(scene.transports, ['webrtc']);
  await scene.pass(200);
  assert.deepEqual(scene.transports, ['webrtc', 'websocket']);
  assert.deepEqual([scene.dialled[0].closed, scene.said], [false, []]);
  return scene;
}

test('the relay is used first where a direct connection takes long, and left when that opens', async (t) => {
  const scene = await withRelay(t);
  const [direct, socket] = scene.dialled;
  scene.joins();
  await scene.live(5000);
  assert.equal(direct.closed, false);
  direct.opens('direct');
  assert.deepEqual([scene.said, socket.closed], [['opened', 'opened'], false]);
  scene.connection.welcomed(5000);
  assert.equal(socket.closed, true);
  await scene.live(3_600_000);
  assert.equal(scene.dialled.length, 2);
});

test('the relay is left at once when the direct connection opens before it', async (t) => {
  const scene = await withRelay(t);
  const [direct, socket] = scene.dialled;
  direct.opens('direct');
  assert.deepEqual([scene.said, socket.closed], [['opened'], true]);
  scene.connection.welcomed(5000);
  await scene.live(3_600_000);
  assert.deepEqual([scene.dialled.length, direct.closed], [2, false]);
});

test('a direct connection that does not open within 10 s is given up, and tried again later', async (t) => {
  const scene = await withRelay(t);
  scene.joins();
  await scene.live(11_000);
  assert.equal(scene.dialled[0].closed, true);
  await scene.live(11_000);
  assert.deepEqual(scene.transports.slice(2), ['webrtc']);
  assert.deepEqual(scene.said, ['opened']);
});

test('of two attempts, the failure of one leaves the other', async (t) => {
  await t.test('of the relay', async (t) => {
    const scene = await withRelay(t);
    scene.last.ends();
    await scene.pass(2000);
    assert.deepEqual([scene.dialled.length, scene.said], [2, []]);
    scene.dialled[0].opens('direct');
    assert.deepEqual(scene.said, ['opened']);
  });
  await t.test('of the direct connection', async (t) => {
    const scene = await withRelay(t);
    scene.dialled[0].ends('no UDP');
    scene.joins();
    assert.deepEqual(scene.said, ['opened']);
    await scene.live(11_000);
    assert.deepEqual(scene.transports.slice(2), ['webrtc']);
  });
  await t.test('of both', async (t) => {
    const scene = await withRelay(t);
    scene.last.ends();
    scene.dialled[0].ends('no UDP');
    assert.deepEqual(scene.transports.slice(2), []);
    assert.deepEqual(scene.said, ['lost: no UDP']);
    await scene.pass(300);
    assert.deepEqual(scene.transports.slice(2), ['webrtc']);
  });
});

test('the WebSocket follows at once when a peer connection fails, and a peer connection after the next loss', async (t) => {
  const scene = new Scene(t, ['webrtc', 'websocket']);
  scene.last.ends('no UDP');
  assert.deepEqual(scene.transports, ['webrtc', 'websocket']);
  scene.last.opens();
  await scene.pass(1000);
  scene.last.ends();
  assert.deepEqual(scene.said, ['opened', 'lost']);
  await scene.pass(2000);
  assert.deepEqual(scene.transports, ['webrtc', 'websocket', 'webrtc']);
  scene.last.opens();
  scene.last.ends();
  await scene.pass(2000);
  assert.deepEqual(scene.transports.slice(3), ['webrtc']);
});

test('a peer connection alone is tried again as a WebSocket is, and says why not', async (t) => {
  const scene = new Scene(t, ['webrtc']);
  for (let i = 0; i < 5; i++) {
    scene.last.ends('no room');
    await scene.pass(2100);
  }
  assert.equal(scene.dialled.length, 6);
  assert.deepEqual(
    scene.said,
    Array.from({ length: 5 }, () => 'lost: no room'),
  );
  await scene.pass(10_000);
  assert.equal(scene.dialled[5].closed, true);
});

test("a master's page believes at once that its token is unknown", async (t) => {
  const scene = new Scene(t, ['websocket']);
  scene.status = 404;
  scene.last.ends();
  await scene.pass(100);
  assert.deepEqual(scene.said, ['lost', 'gone']);
});

test("a relay's page believes it after 60 s of it", async (t) => {
  const scene = new Scene(t, ['webrtc', 'websocket'], 60_000);
  scene.status = 404;
  const fail = async (ms: number) => {
    for (const end = scene.now + ms; scene.now < end;) {
      if (!scene.last.closed) scene.last.ends();
      await scene.pass(100);
    }
  };
  await fail(59_000);
  assert.equal(scene.connection.missing, true);
  assert.ok(scene.said.includes('missing') && !scene.said.includes('gone'));
  // An unreachable relay says nothing about the run.
  scene.status = null;
  await fail(3000);
  assert.equal(scene.connection.missing, false);
  scene.status = 404;
  await fail(50_000);
  assert.ok(!scene.said.includes('gone'));
  await fail(15_000);
  assert.ok(scene.said.includes('gone'));
});

test('a run that came back is as patiently waited for the next time', async (t) => {
  const scene = new Scene(t, ['websocket'], 60_000);
  scene.status = 404;
  scene.last.ends();
  await scene.pass(3000);
  scene.last.opens();
  assert.equal(scene.connection.missing, false);
});

test('a channel that is closing counts as full, and takes nothing', (t) => {
  const scene = new Scene(t, ['websocket']);
  assert.equal(scene.connection.bufferedAmount, Infinity);
  scene.last.opens();
  scene.last.bufferedAmount = 7;
  assert.equal(scene.connection.bufferedAmount, 7);
  scene.last.open = false;
  assert.equal(scene.connection.bufferedAmount, Infinity);
  scene.connection.say({ type: 'ping', t: 0 });
  assert.deepEqual(scene.last.sent, []);
});

test('a better way is waited for 10 s at first, 10 min at most, and never alike', () => {
  for (const random of [0, 0.5, 0.999]) {
    const waits = Array.from({ length: 2000 }, (_, tries) => betterDelay(tries, random));
    assert.ok(waits[0] >= 5000 && waits[0] <= 10_000);
    assert.ok(waits.every((wait, i) => wait >= (waits[i - 1] || 0) && wait <= 600_000));
    assert.ok(waits[1999] >= 300_000);
  }
  assert.notEqual(betterDelay(3, 0.1), betterDelay(3, 0.9));
});

/** A connected scene on the last of three routes. */
async function onTheLast(t: TestContext): Promise<Scene> {
  const scene = new Scene(t, ['webrtc', 'turn', 'websocket']);
  scene.last.ends();
  scene.last.ends();
  scene.joins();
  return scene;
}

test('a better way is tried beside the one in use, and takes its place when it opens, however late', async (t) => {
  const scene = await onTheLast(t);
  const [, , socket] = scene.dialled;
  await scene.live(11_000);
  assert.deepEqual(scene.transports.slice(3), ['webrtc']);
  const late = scene.last;
  assert.deepEqual([socket.open, scene.said], [true, ['opened']]);
  socket.sent.length = 0;
  late.opens('direct');
  assert.deepEqual(scene.said, ['opened', 'opened']);
  assert.equal(socket.closed, false, 'the master might take it for a departure');
  scene.connection.say({ type: 'ping', t: 7 });
  assert.deepEqual([late.sent, socket.sent], [['{"type":"ping","t":7}'], []]);
  scene.connection.welcomed(5000);
  assert.equal(socket.closed, true);
  await scene.live(3_600_000);
  assert.equal(scene.dialled.length, 4, 'there is no better way than a direct one');
});

test('what the last channel says after the move is not heard, nor is its end', async (t) => {
  const scene = await onTheLast(t);
  const socket = scene.last;
  await scene.live(11_000);
  scene.last.opens('direct');
  socket.events.frame(BYE);
  socket.ends();
  scene.connection.welcomed(5000);
  await scene.live(60_000);
  assert.deepEqual([scene.said, scene.last.open], [['opened', 'opened'], true]);
});

test('ways that do not open are tried in turn and ever more rarely, each for 10 s, and cost the one in use nothing', async (t) => {
  const scene = await onTheLast(t);
  const socket = scene.last;
  await scene.live(3_600_000);
  const tries = scene.dialled.slice(3);
  assert.deepEqual(
    tries.slice(0, 4).map(({ transport }) => transport),
    ['webrtc', 'turn', 'webrtc', 'turn'],
  );
  assert.ok(tries.length >= 10 && tries.length <= 18, `${tries.length}`);
  assert.ok(tries.slice(0, -1).every(({ closed }) => closed));
  assert.deepEqual([scene.said, socket.open], [['opened'], true]);
});

test('a try that fails at once is made again no sooner', async (t) => {
  const scene = await onTheLast(t);
  await scene.live(11_000);
  scene.last.ends('no UDP');
  await scene.live(4000);
  assert.equal(scene.dialled.length, 4);
  await scene.live(17_000);
  assert.equal(scene.dialled.length, 5);
  assert.deepEqual(scene.said, ['opened']);
});

test('a better channel that is lost before it is welcomed is a link that is lost', async (t) => {
  const scene = await onTheLast(t);
  const socket = scene.last;
  await scene.live(11_000);
  scene.last.opens('direct');
  scene.last.ends();
  assert.deepEqual([scene.said, socket.closed], [['opened', 'opened', 'lost'], true]);
  await scene.pass(300);
  assert.deepEqual(scene.transports.slice(4), ['webrtc']);
  scene.joins('direct');
  assert.equal(scene.last.open, true);
});

test('so is one that the master does not answer', async (t) => {
  const scene = await onTheLast(t);
  await scene.live(11_000);
  scene.last.opens('direct');
  await scene.pass(15_100);
  assert.deepEqual(scene.said, ['opened', 'opened', 'lost']);
});

test('the way in use is lost while another is tried: that one is given up, and all are tried from the first on', async (t) => {
  const scene = await onTheLast(t);
  const socket = scene.last;
  await scene.live(11_000);
  socket.ends();
  assert.deepEqual([scene.last.transport, scene.last.closed], ['webrtc', true]);
  await scene.pass(300);
  assert.deepEqual(scene.transports.slice(4), ['webrtc']);
  await scene.pass(900);
  assert.deepEqual(scene.transports.slice(4), ['webrtc', 'websocket']);
});

test('who leaves while a better way is tried leaves both', async (t) => {
  const scene = await onTheLast(t);
  await scene.live(11_000);
  scene.connection.close();
  assert.ok(scene.dialled.slice(2).every(({ closed }) => closed));
  await scene.pass(600_000);
  assert.equal(scene.dialled.length, 4);
});

test('from TURN only the direct way is tried, unless it was found with the help of TURN; from the only way none is', async (t) => {
  for (const [list, path, tried] of [
    [['webrtc', 'turn'], 'turn', ['webrtc', 'webrtc', 'webrtc']],
    [['webrtc', 'turn'], 'direct', []],
    [['websocket'], undefined, []],
  ] as [Transport[], Path | undefined, Transport[]][]) {
    await t.test(`${list} ${path}`, async (t) => {
      const scene = new Scene(t, list);
      if (list.length > 1) scene.last.ends();
      scene.joins(path);
      await scene.live(100_000);
      assert.deepEqual(scene.transports.slice(list.length, list.length + 3), tried);
    });
  }
});
