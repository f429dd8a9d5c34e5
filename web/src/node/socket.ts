/**
 * Frames on the duplex socket that a Node child has as file descriptor 0. Each frame has a length
 * (u32, little-endian) and a payload.
 */

import { Buffer } from 'node:buffer';
import { Socket } from 'node:net';

const JSON_KIND = 0;

/** Most bytes of a frame. */
const LONGEST = 2 ** 31 - 1;

export interface SocketEvents {
  json(message: unknown): void;
  binary(frame: Uint8Array): void;
  /** The kernel has taken all written data. */
  drained(): void;
  end(): void;
}

export class HostSocket {
  private readonly socket = hostSocket();
  private readonly decoder = new FrameDecoder();
  /** Whether the caller of `awaitDrain` waits for `drained`. */
  private drainAwaited = false;

  constructor(private readonly events: SocketEvents) {
    this.socket.on('data', (chunk) => this.receive(chunk));
    this.socket.on('end', () => events.end());
    this.socket.on('error', () => events.end());
  }

  /** Returns whether written data is still in this process, and if so, calls `drained` later. */
  awaitDrain(): boolean {
    const pending = this.socket.writableLength > 0;
    if (pending) this.drainAwaited = true;
    return pending;
  }

  json(message: unknown): void {
    const body = Buffer.from(JSON.stringify(message));
    const frame = Buffer.allocUnsafe(5 + body.length);
    frame.writeUInt32LE(1 + body.length, 0);
    frame[4] = JSON_KIND;
    body.copy(frame, 5);
    this.write(frame);
  }

  /** Sends a frame. Throws if the frame is too long, and then sends nothing. */
  binary(payload: Uint8Array): void {
    if (payload.length > LONGEST)
      throw new RangeError(`its result has more than ${LONGEST} bytes: answer parts of it`);
    const head = Buffer.allocUnsafe(4);
    head.writeUInt32LE(payload.length, 0);
    this.socket.cork();
    this.write(head);
    this.write(payload);
    this.socket.uncork();
  }

  private write(data: Uint8Array): void {
    this.socket.write(data, () => {
      if (!this.drainAwaited || this.socket.writableLength > 0) return;
      this.drainAwaited = false;
      this.events.drained();
    });
  }

  private receive(chunk: Buffer): void {
    this.decoder.add(chunk);
    for (let frame = this.decoder.next(); frame; frame = this.decoder.next()) this.deliver(frame);
  }

  private deliver(frame: Buffer): void {
    if (frame[0] === JSON_KIND) this.events.json(JSON.parse(frame.toString('utf8', 1)));
    else this.events.binary(new Uint8Array(frame.buffer, frame.byteOffset, frame.length));
  }
}

function hostSocket(): Socket {
  if (!('Bun' in globalThis)) return new Socket({ fd: 0, readable: true, writable: true });
  // Bun's constructor ignores `fd`, but its `connect` takes over an open socket.
  const socket = new Socket();
  socket.connect({ fd: 0 } as never);
  return socket;
}

/** Cuts a stream of chunks into frames; copies a large frame only once. */
export class FrameDecoder {
  private chunks: Buffer[] = [];
  private length = 0;

  add(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.length += chunk.length;
  }

  next(): Buffer | null {
    if (this.length < 4) return null;
    const size = this.first(4).readUInt32LE(0);
    if (this.length < 4 + size) return null;
    const all = this.first(4 + size);
    const rest = all.subarray(4 + size);
    this.chunks = rest.length > 0 ? [rest, ...this.chunks.slice(1)] : this.chunks.slice(1);
    this.length -= 4 + size;
    return all.subarray(4, 4 + size);
  }

  /** Returns the first chunk, joined with later chunks if it has fewer than `count` bytes. */
  private first(count: number): Buffer {
    if (this.chunks[0].length < count) this.chunks = [Buffer.concat(this.chunks, this.length)];
    return this.chunks[0];
  }
}
