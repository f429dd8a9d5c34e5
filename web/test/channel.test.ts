import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Malformed } from '../src/bytes.ts';
import { PeerChannel } from '../src/link/channel.ts';
import { Outbox } from '../src/link/outbox.ts';
import { LAST, PIECE, PieceAssembler, piecesOf } from '../src/link/pieces.ts';
import { Pipe } from '../src/link/pipe.ts';
import { PieceForwarder } from '../src/page/piece-forwarder.ts';
import type { FromPeer, ToPeer } from '../src/page-messages.ts';

function bytes(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => i * 7 + (i >> 8));
}

/** The messages on the data channel for one frame. */
function messages(pieces: Uint8Array<ArrayBuffer>): ArrayBuffer[] {
  const all: ArrayBuffer[] = [];
  for (let at = 0; at < pieces.length; at += PIECE) all.push(pieces.slice(at, at + PIECE).buffer);
  return all;
}

test('a frame goes as pieces of 16 KiB at most, flags first', () => {
  assert.deepEqual([...piecesOf(Uint8Array.of(5, 6))], [1, 5, 6]);
  assert.deepEqual([...piecesOf('é')], [3, 0xc3, 0xa9]);
  assert.deepEqual([...piecesOf('')], [3]);
  const three = messages(piecesOf(bytes(2 * PIECE)));
  assert.deepEqual(
    three.map((piece) => piece.byteLength),
    [PIECE, PIECE, 3],
  );
  assert.deepEqual(
    three.map((piece) => new Uint8Array(piece)[0]),
    [0, 0, 1],
  );
  assert.deepEqual(
    messages(piecesOf('x'.repeat(PIECE))).map((piece) => new Uint8Array(piece)[0]),
    [2, 3],
  );
});

test('pieces become the frame that they were', () => {
  const assembler = new PieceAssembler();
  for (const length of [
    0,
    1,
    PIECE - 2,
    PIECE - 1,
    PIECE,
    2 * PIECE - 2,
    2 * PIECE - 1,
    65_545,
    1 << 20,
  ]) {
    const frame = bytes(length);
    const answers = messages(piecesOf(frame)).map((piece) => assembler.add(piece));
    assert.deepEqual(answers.pop(), frame, `${length}`);
    assert.ok(answers.every((answer) => answer === null));
  }
  const text = '{"é":"' + 'ü'.repeat(PIECE) + '"}';
  assert.equal(
    messages(piecesOf(text))
      .map((piece) => assembler.add(piece))
      .pop(),
    text,
  );
});

test('what is no piece of a frame is refused', () => {
  for (const message of [[], [4, 1], [255]])
    assert.throws(() => new PieceAssembler().add(Uint8Array.from(message).buffer), Malformed);
  assert.throws(() => new PieceAssembler().add(new ArrayBuffer(PIECE + 1)), Malformed);
});

test('a frame above 1 MiB and 64 KiB is refused before it is complete', () => {
  const assembler = new PieceAssembler();
  const limit = (1 << 20) + (1 << 16);
  let length = 0;
  assert.throws(() => {
    for (;;) {
      assembler.add(new ArrayBuffer(PIECE));
      length += PIECE - 1;
    }
  }, Malformed);
  assert.ok(length <= limit && length > limit - PIECE, `${length}`);
});

/** A data channel whose network is simulated by the test. */
class FakeDataChannel {
  readyState = 'open';
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;
  binaryType = 'blob';
  most = 0;
  readonly sent: number[] = [];
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
  onbufferedamountlow: (() => void) | null = null;

  send(data: Uint8Array): void {
    assert.equal(this.readyState, 'open');
    this.sent.push(...data);
    this.bufferedAmount += data.length;
    this.most = Math.max(this.most, this.bufferedAmount);
  }

  close(): void {
    this.readyState = 'closing';
  }

  /** The network takes `bytes` bytes. */
  drain(bytes: number): void {
    const before = this.bufferedAmount;
    this.bufferedAmount = Math.max(0, before - bytes);
    const { bufferedAmountLowThreshold: low } = this;
    if (before > low && this.bufferedAmount <= low && this.onbufferedamountlow)
      this.onbufferedamountlow();
  }
}

function pipe(channel: FakeDataChannel, said: string[] = []): Pipe {
  return new Pipe(channel as unknown as RTCDataChannel, {
    opened: () => said.push('opened'),
    piece: (piece) => said.push(`piece of ${piece.byteLength}`),
    drained: () => said.push('drained'),
    closed: () => said.push('closed'),
  });
}

test('a data channel has about 64 KiB at a time, whatever it is to take', () => {
  const channel = new FakeDataChannel();
  const under = pipe(channel);
  assert.equal(channel.binaryType, 'arraybuffer');
  const frames = [1, 10, 100_000, 5, 300_000, 40_000].map((length) => piecesOf(bytes(length)));
  const expected = ([] as number[]).concat(...frames.map((frame) => [...frame]));
  for (const frame of frames) under.take(frame);
  while (channel.bufferedAmount > 0) channel.drain(10_000);
  assert.ok(channel.most < (1 << 16) + PIECE, `${channel.most}`);
  assert.ok(channel.most >= 1 << 16, `${channel.most}`);
  assert.deepEqual(channel.sent, expected);
  assert.equal(under.gone, expected.length);
});

test('a data channel that closes still gets what was given', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const channel = new FakeDataChannel();
  const under = pipe(channel);
  const frame = piecesOf(bytes(500_000));
  under.take(frame);
  let ended = 0;
  under.close(() => ended++);
  assert.equal(channel.sent.length, frame.length);
  assert.equal(channel.readyState, 'closing');
  assert.equal(ended, 0);
  t.mock.timers.tick(10_000);
  assert.equal(ended, 1);
});

test('what is taken before the data channel opens, or after it closed, does no harm', () => {
  const channel = new FakeDataChannel();
  channel.readyState = 'connecting';
  const under = pipe(channel);
  under.take(piecesOf('early'));
  channel.readyState = 'closed';
  under.take(piecesOf('late'));
  assert.deepEqual(channel.sent, []);
  assert.equal(under.gone, 0);
});

/** The page's end of a peer connection. */
class FakePort {
  readonly told: ToPeer[] = [];
  onmessage: ((event: { data: FromPeer }) => void) | null = null;
  postMessage(message: ToPeer): void {
    this.told.push(message);
  }
  say(data: FromPeer): void {
    if (this.onmessage) this.onmessage({ data });
  }
}

function peer(): { port: FakePort; channel: PeerChannel; said: string[] } {
  const port = new FakePort();
  const said: string[] = [];
  const channel = new PeerChannel(port as unknown as MessagePort, {
    opened: (path) => said.push(`opened ${path}`),
    frame: (frame) => said.push(typeof frame === 'string' ? frame : `[${frame}]`),
    closed: (text) => said.push(`closed ${text}`),
  });
  return { port, channel, said };
}

test('the link knows what the page has yet to send', () => {
  const { port, channel } = peer();
  port.say({ type: 'open', path: 'direct' });
  channel.send(bytes(100_000));
  assert.equal(channel.bufferedAmount, 100_007);
  port.say({ type: 'pieces', pieces: [], gone: 60_000 });
  assert.equal(channel.bufferedAmount, 40_007);
  channel.send('x');
  assert.equal(channel.bufferedAmount, 40_009);
});

test('the link knows what its own data channel has yet to send', () => {
  const { port, channel } = peer();
  const data = new FakeDataChannel();
  port.say({ type: 'channel', channel: data as unknown as RTCDataChannel });
  port.say({ type: 'open', path: 'turn' });
  channel.send(bytes(200_000));
  assert.equal(channel.bufferedAmount, 200_013);
  data.drain(60_000);
  assert.equal(channel.bufferedAmount, 140_013);
});

test('a page that does not get on has no more than the outbox lets it have', () => {
  const { port, channel } = peer();
  port.say({ type: 'open', path: 'direct' });
  const outbox = new Outbox();
  const frame = bytes(5_000_000);
  frame[0] = 2;
  outbox.add(frame);
  for (let i = 0; i < 50; i++) assert.equal(outbox.pump(channel), true);
  assert.ok(channel.bufferedAmount < 400_000, `${channel.bufferedAmount}`);
});

test('frames of a peer connection, and its end', () => {
  const { port, channel, said } = peer();
  assert.equal(channel.open, false);
  port.say({ type: 'open', path: 'turn' });
  assert.equal(channel.open, true);
  port.say({
    type: 'pieces',
    pieces: [
      Uint8Array.of(0, 1).buffer,
      Uint8Array.of(LAST, 2).buffer,
      Uint8Array.of(3, 97).buffer,
    ],
    gone: 0,
  });
  port.say({ type: 'closed', text: 'why' });
  assert.deepEqual(said, ['opened turn', '[1,2]', 'a', 'closed why']);
  assert.equal(channel.open, false);
});

test('a peer connection that is closed, or says what is no piece, is heard of no more', () => {
  const closed = peer();
  closed.port.say({ type: 'open', path: 'direct' });
  closed.channel.close();
  closed.port.say({ type: 'closed', text: '' });
  assert.deepEqual(closed.said, ['opened direct']);
  assert.deepEqual(closed.port.told, ['end']);

  const malformed = peer();
  malformed.port.say({ type: 'open', path: 'direct' });
  malformed.port.say({
    type: 'pieces',
    pieces: [Uint8Array.of(9).buffer, Uint8Array.of(3, 97).buffer],
    gone: 0,
  });
  assert.deepEqual(malformed.said, [
    'opened direct',
    'closed a message that is no piece of a frame',
  ]);
  assert.deepEqual(malformed.port.told, ['end']);
});

function forwarder(data: FakeDataChannel): { forwarder: PieceForwarder; told: FromPeer[] } {
  const told: FromPeer[] = [];
  const nothing = () => undefined;
  return {
    forwarder: new PieceForwarder(
      data as unknown as RTCDataChannel,
      (message) => told.push(message),
      nothing,
      nothing,
    ),
    told,
  };
}

test('a page that has the data channel passes a frame on as a whole, as it came', () => {
  const data = new FakeDataChannel();
  const { told } = forwarder(data);
  const pieces = messages(piecesOf(bytes(65_545)));
  for (const piece of pieces) data.onmessage!({ data: piece });
  assert.deepEqual(told, [{ type: 'pieces', pieces, gone: 0 }]);
});

test('a page that has the data channel keeps no more than a few pieces', () => {
  const data = new FakeDataChannel();
  const { told } = forwarder(data);
  for (const piece of messages(piecesOf(bytes(1 << 20)))) data.onmessage!({ data: piece });
  assert.ok(told.length >= 13, `${told.length}`);
});

test('a page that has the data channel tells the link what went out, to within 32 KiB', () => {
  const data = new FakeDataChannel();
  const { forwarder: under, told } = forwarder(data);
  for (let i = 0; i < 2000; i++) {
    under.take(piecesOf(bytes(1 + ((i * 7919) % 3000))).buffer);
    const gone = data.sent.length - data.bufferedAmount;
    const last = told[told.length - 1];
    const known = last && last.type === 'pieces' ? last.gone : 0;
    assert.ok(known <= gone && gone - known < 1 << 15, `${known} of ${gone}`);
    data.drain(2000);
  }
  assert.ok(told.length < 100, `${told.length}`);
});
