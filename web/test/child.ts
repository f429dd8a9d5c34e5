/** A child of Node, started as by the master, with a duplex Unix socket as file descriptor 0. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CoreMessage, CoreOptions } from '../src/messages.ts';
import { ResultsCursor, ValuesWriter } from '../src/frames.ts';
import { FrameDecoder } from '../src/node/socket.ts';

export interface ChildResult {
  id: number;
  tag: number;
  text: string;
}

export class Child {
  readonly messages: (CoreMessage | ChildResult)[] = [];
  private waiting: (() => void)[] = [];
  private readonly frames = new FrameDecoder();

  private constructor(
    readonly process: ChildProcess,
    readonly socket: Socket,
  ) {
    socket.on('data', (chunk) => {
      this.frames.add(chunk);
      for (let frame = this.frames.next(); frame; frame = this.frames.next()) this.receive(frame);
    });
    socket.on('error', () => {});
  }

  static async start(code: string, options: Partial<CoreOptions> = {}): Promise<Child> {
    const folder = mkdtempSync(join(tmpdir(), 'pando-child-'));
    const server = createServer().listen(join(folder, 'socket'));
    await once(server, 'listening');
    const theirs = connect(join(folder, 'socket'));
    const [[ours]] = await Promise.all([once(server, 'connection'), once(theirs, 'connect')]);
    const process_ = spawn(process.execPath, [join(process.cwd(), '.test/src/node.cjs')], {
      stdio: [theirs, 'inherit', 'inherit'],
    });
    theirs.destroy();
    server.close();
    rmSync(folder, { recursive: true });
    const child = new Child(process_, ours as Socket);
    child.json({
      type: 'init',
      options: { concurrency: 1, timeout: null, json: false, ...options },
      code,
    });
    return child;
  }

  json(message: unknown): void {
    this.send(Buffer.concat([Buffer.from([0]), Buffer.from(JSON.stringify(message))]));
  }

  values(...entries: [id: number, text: string, careful?: boolean][]): void {
    const writer = new ValuesWriter();
    for (const [id, text, careful] of entries) writer.textValue(id, text, 'text', careful);
    this.send(Buffer.from(writer.take()));
  }

  send(payload: Buffer): void {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(payload.length);
    this.socket.write(Buffer.concat([head, payload]));
  }

  async until<T>(
    find: (messages: (CoreMessage | ChildResult)[]) => T | undefined | false,
  ): Promise<T> {
    for (;;) {
      const found = find(this.messages);
      if (found) return found;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  message<Type extends CoreMessage['type']>(
    type: Type,
  ): Promise<Extract<CoreMessage, { type: Type }>> {
    const is = (
      message: CoreMessage | ChildResult,
    ): message is Extract<CoreMessage, { type: Type }> =>
      'type' in message && message.type === type;
    return this.until((messages) => messages.find(is));
  }

  result(id: number): Promise<ChildResult> {
    const is = (message: CoreMessage | ChildResult): message is ChildResult =>
      'tag' in message && message.id === id;
    return this.until((messages) => messages.find(is));
  }

  async end(): Promise<number | null> {
    const exited = once(this.process, 'exit');
    this.socket.destroy();
    const [code] = await exited;
    return code as number | null;
  }

  private receive(frame: Buffer): void {
    if (frame[0] === 0) this.messages.push(JSON.parse(frame.toString('utf8', 1)) as CoreMessage);
    else this.results(new Uint8Array(frame));
    for (const wake of this.waiting.splice(0)) wake();
  }

  private results(frame: Uint8Array): void {
    const cursor = new ResultsCursor(frame);
    while (cursor.next())
      this.messages.push({ id: cursor.id, tag: cursor.tag, text: cursor.text() });
  }
}
