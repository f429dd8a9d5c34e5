/**
 * The channel to the master: opened again whenever it is lost, watched by its heartbeat. While it goes a worse way than there
 * might be, a better one is tried now and then beside it, and takes its place once it is open.
 */

import { Malformed } from '../bytes.ts';
import { parseFromMaster } from '../messages.ts';
import type { FromMaster, Path, ToMaster } from '../messages.ts';
import { Assembler } from '../protocol.ts';
import { backoff, betterIn } from './backoff.ts';
import type { Channel, ChannelEvents } from './channel.ts';
import type { Transport } from './transports.ts';

export interface ConnectionEvents {
  /** Makes a channel over this transport. */
  dial(transport: Transport, events: ChannelEvents): Channel;
  /** Whoever listens says hello: the first time, after a loss, and when a better channel takes the place of the last one. */
  opened(path?: Path): void;
  message(message: FromMaster): void;
  values(frame: Uint8Array): void;
  /** The link is lost; another try follows. `text`: why, where somebody said it. */
  lost(text?: string): void;
  /** The server is there and knows nothing of this address; `gone`: for so long that it is believed. */
  unknown(gone: boolean): void;
}

const CONNECT_MS = 10_000;
/** The same while there is another transport to try. */
const FALL_BACK_MS = 4000;
const FIRST_HEARTBEAT_MS = 5000;
/** Close codes of an application start at 4000. */
const CLOSE_MALFORMED = 4002;
const CLOSE_SILENT = 4008;

export class Connection {
  private channel: Channel | null = null;
  /** A second one: it is being tried, or was in use until the other was open, and is heard no more. */
  private other: Channel | null = null;
  /** What to try when this one does not open. */
  private rest: Transport[] = [];
  private opened = false;
  /** How many of the transports, the first ones, are better than the way in use. */
  private better = 0;
  /** Tries of these, all in vain. */
  private tries = 0;
  /** When the next one is made, or the present one is given up. */
  private betterAt = Infinity;
  private assembler = new Assembler();
  private heartbeat = FIRST_HEARTBEAT_MS;
  private lastSent = 0;
  private lastReceived = 0;
  private lastTick = 0;
  private dialledAt = 0;
  private failures = 0;
  private lostAt: number | null = null;
  private missingSince: number | null = null;
  private retry: ReturnType<typeof setTimeout> | null = null;

  /**
   * @param page the address that tells by HTTP whether the token is known
   * @param patience milliseconds after which a token is believed to be unknown for good
   */
  constructor(
    private readonly transports: Transport[],
    private readonly page: string,
    private readonly patience: number,
    private readonly events: ConnectionEvents,
  ) {}

  /** A channel that is closing would swallow what it is given: it counts as full. */
  get bufferedAmount(): number {
    return this.channel && this.channel.open ? this.channel.bufferedAmount : Infinity;
  }

  /** The server answers, and knows nothing of this address. */
  get missing(): boolean {
    return this.missingSince !== null;
  }

  open(): void {
    this.close();
    this.rest = this.transports.slice();
    this.tries = 0;
    this.next();
  }

  private next(): void {
    this.dialledAt = this.lastTick = performance.now();
    this.opened = false;
    this.channel = this.dial(this.rest.shift() as Transport);
  }

  private dial(transport: Transport): Channel {
    const channel = this.events.dial(transport, {
      opened: (path) => this.use(channel, transport, path),
      frame: (frame) => channel === this.channel && this.receive(frame),
      closed: (text) => (channel === this.channel ? this.lose(text) : this.settle()),
    });
    return channel;
  }

  /** This channel takes the place of the last one, which is not heard any more: hello says what of its values has come. */
  private use(channel: Channel, transport: Transport, path?: Path): void {
    this.other = channel === this.channel ? null : this.channel;
    this.channel = channel;
    this.opened = true;
    this.missingSince = null;
    this.assembler = new Assembler();
    this.lastReceived = performance.now();
    this.better = path === 'direct' ? 0 : this.transports.indexOf(transport);
    this.betterAt = Infinity;
    this.events.opened(path);
  }

  /** The master took this device: the heartbeat it asks for, and patience starts anew. */
  welcomed(heartbeat: number): void {
    this.heartbeat = heartbeat;
    this.failures = 0;
    this.lostAt = null;
    this.settle();
  }

  /** There is this channel alone until a better way is tried. */
  private settle(): void {
    if (this.other) this.other.close();
    this.other = null;
    this.betterAt = this.better > 0 ? performance.now() + betterIn(this.tries, Math.random()) : Infinity;
  }

  /** Tries the better ways in turn, or gives the present try up. */
  private seek(now: number): void {
    if (this.other) return this.settle();
    this.other = this.dial(this.transports[this.tries++ % this.better]);
    this.betterAt = now + CONNECT_MS;
  }

  /** Closes for good, until `open`. */
  close(code?: number, reason?: string): void {
    if (this.retry !== null) clearTimeout(this.retry);
    this.retry = null;
    if (this.channel) this.channel.close(code, reason);
    if (this.other) this.other.close();
    this.channel = this.other = null;
  }

  send(frame: Uint8Array<ArrayBuffer> | string): void {
    if (!this.channel || !this.channel.open) return;
    this.lastSent = performance.now();
    this.channel.send(frame);
  }

  say(message: ToMaster): void {
    this.send(JSON.stringify(message));
  }

  /** No reason to wait any longer: tries at once, or asks a silent master for a sign of life. */
  wake(): void {
    if (this.retry !== null) return this.open();
    this.suspect(performance.now());
  }

  /** To be called about every 100 ms. */
  tick(now: number): void {
    if (now - this.lastTick > this.heartbeat) this.suspect(now);
    this.lastTick = now;
    if (!this.channel) return;
    if (!this.opened) {
      if (now - this.dialledAt > (this.rest.length > 0 ? FALL_BACK_MS : CONNECT_MS)) this.drop(CLOSE_SILENT, 'no connection');
    } else if (now - this.lastReceived > 3 * this.heartbeat) {
      this.drop(CLOSE_SILENT, 'silent for three heartbeats');
    } else {
      if (now - this.lastSent > this.heartbeat) this.say({ type: 'ping', t: Math.round(now) });
      if (now > this.betterAt) this.seek(now);
    }
  }

  /** After a sleep nobody was heard, which says nothing: one heartbeat to answer. */
  private suspect(now: number): void {
    this.lastReceived = Math.max(this.lastReceived, now - 2 * this.heartbeat);
    this.say({ type: 'ping', t: Math.round(now) });
  }

  private receive(frame: Uint8Array | string): void {
    this.lastReceived = performance.now();
    try {
      if (typeof frame === 'string') this.heard(parseFromMaster(frame));
      else this.assemble(frame);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.drop(CLOSE_MALFORMED, error.message);
    }
  }

  private heard(message: FromMaster): void {
    if (message.type === 'ping') this.say({ type: 'pong', t: message.t });
    else if (message.type !== 'pong') this.events.message(message);
  }

  private assemble(data: Uint8Array): void {
    const frame = this.assembler.add(data);
    if (frame) this.events.values(frame);
  }

  private drop(code: number, reason: string): void {
    this.close(code, reason);
    this.lose();
  }

  private lose(text?: string): void {
    this.channel = null;
    this.close();
    if (!this.opened && this.rest.length > 0) return this.next();
    if (this.lostAt === null) this.lostAt = performance.now();
    const delay = backoff(this.failures++, performance.now() - this.lostAt, Math.random());
    this.retry = setTimeout(() => this.open(), delay);
    this.events.lost(text);
    // A browser does not say why an upgrade was refused.
    if (!this.opened) void this.ask();
  }

  private async ask(): Promise<void> {
    const response = await fetch(this.page, { cache: 'no-store' }).catch(() => null);
    if (this.channel && this.channel.open) return;
    const now = performance.now();
    if (!response || response.status !== 404) this.missingSince = null;
    else if (this.missingSince === null) this.missingSince = now;
    if (this.missingSince !== null) this.events.unknown(now - this.missingSince >= this.patience);
  }
}
