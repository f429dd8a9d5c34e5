/**
 * Checks the other dialects against `fixtures/protocol.json`: all but the dialect between
 * volunteers and masters, in both directions.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Peer } from '../src/page/peer.ts';
import { Child } from './child.ts';

interface Message {
  type: string;
  [field: string]: unknown;
}
const { dialects } = JSON.parse(readFileSync('../fixtures/protocol.json', 'utf8')) as {
  dialects: { dialect: string; from: string; message: Message }[];
};
const golden = (dialect: string, from: string, type: string) =>
  dialects
    .filter(
      (entry) => entry.dialect === dialect && entry.from === from && entry.message.type === type,
    )
    .map(({ message }) => message);

/** Fails unless a golden message has the same fields with the same types. */
function assertGolden(dialect: string, from: string, message: Message): void {
  const shape = (value: Message) =>
    JSON.stringify(
      Object.keys(value)
        .sort()
        .map((key) => [key, typeof value[key]]),
    );
  const shapes = golden(dialect, from, message.type).map(shape);
  assert.ok(
    shapes.includes(shape(message)),
    `${JSON.stringify(message)} is like none of ${shapes.join(' ') || 'the golden ones'}`,
  );
}

/** The messages of a child that runs `code`, until one message of each of `types` has come. */
async function saidBy(code: string, types: string[]): Promise<Message[]> {
  const child = await Child.start(code);
  const first = await Promise.race([child.message('ready'), child.message('broken')]);
  if (first.type === 'ready') child.values([5, 'a', true]);
  const said = () => child.messages.filter((message) => 'type' in message) as unknown as Message[];
  await child.until(
    () =>
      (types.every((wanted) => said().some(({ type }) => type === wanted))
        ? {}
        : undefined) as never,
  );
  child.process.kill('SIGKILL');
  return said();
}

test('a core says what the golden messages say', async () => {
  const body =
    "console.log('hello'); __pandoHost.report({ nbItems: 2 }); setTimeout(() => { throw new Error('late') }, 1)";
  const f = `globalThis.__pandoModule = { exports: { '/pando/1.0.0': function (x, cb) { ${body} } } };`;
  const said = await saidBy(f, ['ready', 'started', 'log', 'report']);
  said.push(...(await saidBy("throw new Error('no')", ['broken'])));
  for (const message of said) assertGolden('core', 'core', message);
});

test('a page signals as the golden messages do', async () => {
  const said: Message[] = [];
  const done: string[] = [];
  class Socket {
    static readonly OPEN = 1;
    static last: Socket;
    readonly readyState = 1;
    onmessage: ((event: { data: string }) => void) | null = null;
    constructor() {
      Socket.last = this;
    }
    send(text: string): void {
      said.push(JSON.parse(text));
    }
    close(): void {
      done.push('closed');
    }
  }
  class Connection {
    onicecandidate: ((event: { candidate: { candidate: string } }) => void) | null = null;
    constructor({ iceServers }: { iceServers: unknown[] }) {
      done.push(`${iceServers.length} servers`);
    }
    createDataChannel(): object {
      return {};
    }
    async createOffer(): Promise<object> {
      return { sdp: 'v=0\r\n' };
    }
    async setLocalDescription(): Promise<void> {
      this.onicecandidate!({ candidate: { candidate: 'candidate:1' } });
    }
    async setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
      done.push(`answer ${sdp.trim()}`);
    }
    async addIceCandidate({ candidate }: { candidate: string }): Promise<void> {
      done.push(candidate.slice(0, 11));
    }
    close(): void {}
  }
  Object.assign(globalThis, { WebSocket: Socket, RTCPeerConnection: Connection });
  const link = { postMessage: () => {}, onmessage: null } as unknown as MessagePort;
  void new Peer('ws://127.0.0.1/signal', true, link);
  for (const type of ['servers', 'answer', 'candidate', 'failed']) {
    for (const message of golden('signalling', 'master', type))
      Socket.last.onmessage?.({ data: JSON.stringify(message) });
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(done.slice(0, 3), ['2 servers', 'answer v=0', 'candidate:1']);
  assert.deepEqual(
    said.map(({ type }) => type),
    ['offer', 'candidate'],
  );
  for (const message of said) assertGolden('signalling', 'volunteer', message);
});
