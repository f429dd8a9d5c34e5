/** What carries frames to the master and back: a WebSocket, or a peer connection, whose other half is the page's. */

import type { Path } from '../messages.ts';
import type { FromPeer, ToPeer } from '../page-messages.ts';
import { Joiner, cut } from './pieces.ts';
import { Pipe } from './pipe.ts';

type Frame = Uint8Array | string;

export interface Channel {
  /** It is open, and takes frames. */
  readonly open: boolean;
  /** Bytes that it has taken and not yet sent. */
  readonly bufferedAmount: number;
  send(frame: Uint8Array<ArrayBuffer> | string): void;
  /** What was sent before still goes out; nothing more is heard of the channel. */
  close(code?: number, reason?: string): void;
}

export interface ChannelEvents {
  /** `path`: how it reaches the master, where that is known only now. */
  opened(path?: Path): void;
  frame(frame: Frame): void;
  /** `text`: why, where somebody said it. */
  closed(text?: string): void;
}

export class SocketChannel implements Channel {
  private readonly socket: WebSocket;

  constructor(url: string, events: ChannelEvents) {
    const socket = (this.socket = new WebSocket(url));
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => events.opened();
    socket.onmessage = ({ data }) => events.frame(typeof data === 'string' ? data : new Uint8Array(data));
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

  close(code?: number, reason?: string): void {
    const { socket } = this;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(code, reason);
  }
}

/** A peer connection, which is the page's; its data channel, too, where the browser leaves that no other choice. */
export class PeerChannel implements Channel {
  open = false;
  private readonly joiner = new Joiner();
  private pipe: Pipe | null = null;
  private taken = 0;
  /** Bytes that have left the page's data channel. */
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
    const pieces = cut(frame);
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
      frame = this.joiner.add(piece);
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
