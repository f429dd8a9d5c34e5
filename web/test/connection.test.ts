import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Channel, ChannelEvents } from '../src/link/channel.ts';
import { Connection } from '../src/link/connection.ts';
import { transports } from '../src/link/transports.ts';
import type { Transport } from '../src/link/transports.ts';

test('a page chooses its transports', () => {
  const webrtc = true;
  assert.deepEqual(transports({ relay: false, webrtc }), ['websocket']);
  assert.deepEqual(transports({ relay: false, webrtc, protocol: 'webrtc' }), ['webrtc', 'turn']);
  assert.deepEqual(transports({ relay: false, webrtc: false, protocol: 'webrtc' }), ['websocket']);
  assert.deepEqual(transports({ relay: true, webrtc }), ['webrtc', 'turn', 'websocket']);
  assert.deepEqual(transports({ relay: true, webrtc, protocol: 'websocket' }), ['websocket']);
  assert.deepEqual(transports({ relay: true, webrtc, protocol: 'webrtc' }), ['webrtc', 'turn']);
  assert.deepEqual(transports({ relay: true, webrtc, protocol: 'pigeon' }), ['webrtc', 'turn', 'websocket']);
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
  opens(): void {
    this.open = true;
    this.events.opened();
  }
  ends(text?: string): void {
    this.open = false;
    this.events.closed(text);
  }
}

/** A connection on a clock that goes when it is told to, against a server that answers the page's address with `status`. */
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
    t.mock.method(globalThis, 'fetch', () => (this.status === null ? Promise.reject(new TypeError()) : Promise.resolve({ status: this.status })));
    this.connection = new Connection(list, 'http://x/t/', patience, {
      dial: (transport, events) => {
        this.dialled.push(new FakeChannel(transport, events));
        return this.last;
      },
      opened: () => this.said.push('opened'),
      message: () => undefined,
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

  async pass(ms: number): Promise<void> {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += 100;
      this.t.mock.timers.tick(100);
      this.connection.tick(this.now);
      // What was asked of the server is answered.
      for (let i = 0; i < 5; i++) await Promise.resolve();
    }
  }
}

test('TURN and then the WebSocket follow when 4 s each brought no peer connection, and not before', async (t) => {
  const scene = new Scene(t, ['webrtc', 'turn', 'websocket']);
  await scene.pass(4000);
  assert.deepEqual(scene.transports, ['webrtc']);
  await scene.pass(200);
  assert.deepEqual(scene.transports, ['webrtc', 'turn']);
  await scene.pass(4100);
  assert.deepEqual(scene.transports, ['webrtc', 'turn', 'websocket']);
  assert.equal(scene.dialled[0].closed, true);
  assert.deepEqual(scene.said, []);
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
  assert.deepEqual(scene.said, Array.from({ length: 5 }, () => 'lost: no room'));
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
    for (const end = scene.now + ms; scene.now < end; ) {
      if (!scene.last.closed) scene.last.ends();
      await scene.pass(100);
    }
  };
  await fail(59_000);
  assert.equal(scene.connection.missing, true);
  assert.ok(scene.said.includes('missing') && !scene.said.includes('gone'));
  // A relay that is away says nothing about the run.
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
