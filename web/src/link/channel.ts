/**
 * Channels, which carry frames between device and master: a WebSocket, or a peer connection whose
 * other part is in the page.
 */

import type { Path } from '../messages.ts';
import type { FromPeer, ToPeer } from '../page-messages.ts';
import { PieceAssembler, piecesOf } from './pieces.ts';
import { Pipe } from './pipe.ts';

type Frame = Uint8Array | string;

export interface Channel {
  /** Whether the channel is open and accepts frames. */
  readonly open: boolean;
  /** Bytes accepted by `send` but not yet sent. */
  readonly bufferedAmount: number;
  send(frame: Uint8Array<ArrayBuffer> | string): void;
  /** Closes the channel. Frames from earlier `send` calls still go out; no more events follow. */
  close(): void;
}

export interface ChannelEvents {
  /** The channel is open. `path` is the route to the master, if the channel knows the route. */
  opened(path?: Path): void;
  frame(frame: Frame): void;
  /** The channel is closed. `text` is the reason, if there is one. */
  closed(text?: string): void;
}

export class SocketChannel implements Channel {
  private readonly socket: WebSocket;

  constructor(url: string, events: ChannelEvents) {
    const socket = (this.socket = new WebSocket(url));
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => events.opened();
    socket.onmessage = ({ data }) =>
      events.frame(typeof data === 'string' ? data : new Uint8Array(data));
    socket.onclose = () => events.closed();
  }

  get open(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  get bufferedAmount(): number {
    return this.socket.bufferedAmount;
  }

  send(frame: Uint8Array<ArrayBuffer> | string): void {
    this.socket.send(frame);
  }

  close(): void {
    const { socket } = this;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}

/** A peer connection. The page owns the connection, and in old browsers also the data channel. */
export class PeerChannel implements Channel {
  open = false;
  private readonly assembler = new PieceAssembler();
  private pipe: Pipe | null = null;
  private taken = 0;
  /** Bytes which have left the page's data channel. */
  private gone = 0;

  constructor(
    private readonly page: MessagePort,
    private readonly events: ChannelEvents,
  ) {
    page.onmessage = ({ data }: MessageEvent<FromPeer>) => this.hear(data);
  }

  get bufferedAmount(): number {
    return this.taken - (this.pipe ? this.pipe.gone : this.gone);
  }

  send(frame: Frame): void {
    const pieces = piecesOf(frame);
    this.taken += pieces.length;
    if (this.pipe) this.pipe.take(pieces);
    else this.tell(pieces.buffer, [pieces.buffer]);
  }

  close(): void {
    this.open = false;
    this.page.onmessage = null;
    if (this.pipe) this.pipe.close(() => this.tell('end'));
    else this.tell('end');
  }

  private tell(message: ToPeer, transfer: Transferable[] = []): void {
    this.page.postMessage(message, transfer);
  }

  private hear(message: FromPeer): void {
    switch (message.type) {
      case 'channel':
        this.pipe = new Pipe(message.channel, {
          opened: () => this.tell('opened'),
          piece: (piece) => this.join(piece),
          drained: () => undefined,
          closed: () => this.closed(),
        });
        return;
      case 'open':
        this.open = true;
        return this.events.opened(message.path);
      case 'pieces':
        this.gone = message.gone;
        return message.pieces.forEach((piece) => this.join(piece));
      case 'closed':
        return this.closed(message.text);
    }
  }

  private join(piece: ArrayBuffer): void {
    if (!this.open) return;
    let frame: Frame | null;
    try {
      frame = this.assembler.add(piece);
    } catch (error) {
      return this.closed((error as Error).message);
    }
    if (frame !== null) this.events.frame(frame);
  }

  private closed(text?: string): void {
    this.close();
    this.events.closed(text);
  }
}
