/**
 * The connection to the master: opens a new channel after each loss, and watches the heartbeat.
 * Where a relay can pass the bytes on, an attempt over a better transport goes on beside that one.
 * While a better route may exist than the present one, the connection tries better transports
 * from time to time, and moves to a better channel once the channel is open.
 */

import { Malformed } from '../bytes.ts';
import { parseToVolunteer } from '../messages.ts';
import type { Path, ToMaster, ToVolunteer } from '../messages.ts';
import { Assembler } from '../frames.ts';
import { backoff, betterDelay } from './backoff.ts';
import type { Channel, ChannelEvents } from './channel.ts';
import type { Transport } from './transports.ts';

export interface ConnectionEvents {
  /** Opens a channel over `transport`. */
  dial(transport: Transport, events: ChannelEvents): Channel;
  /**
   * A channel is open, the first time, after a loss, or in place of a worse channel. The receiver
   * of the event says hello.
   */
  opened(path?: Path): void;
  message(message: ToVolunteer): void;
  values(frame: Uint8Array): void;
  /** The link is lost; another attempt follows. `text` is the reason, if there is one. */
  lost(text?: string): void;
  /**
   * The server answers, but does not know this address. `gone` means that the connection accepts
   * this answer as final.
   */
  unknown(gone: boolean): void;
}

const CONNECT_MS = 10_000;
/** Milliseconds for an attempt to connect while another transport is left. */
const FALL_BACK_MS = 4000;
/** Milliseconds after which the relay is tried as well, while a better transport is tried. */
const RELAY_MS = 700;
const FIRST_HEARTBEAT_MS = 5000;

export class Connection {
  private channel: Channel | null = null;
  /**
   * A second channel: an attempt over a better transport, or the previous channel until the
   * welcome. Frames of the previous channel are ignored.
   */
  private second: Channel | null = null;
  /** Transports for the next attempts, if the present attempt fails. */
  private fallbacks: Transport[] = [];
  private opened = false;
  /** The number of transports, from the first, with a better route than the present one. */
  private betterCount = 0;
  /** Attempts over better transports; all failed. */
  private betterTries = 0;
  /** Time of the next attempt over a better transport, or the end of the present attempt. */
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
  private retry: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param page an address that shows by HTTP whether the server knows the token
   * @param patience milliseconds after which the answer "unknown" is final
   */
  constructor(
    private readonly transports: Transport[],
    private readonly page: string,
    private readonly patience: number,
    private readonly events: ConnectionEvents,
  ) {}

  /** A closing channel counts as full, because frames given to it would be lost. */
  get bufferedAmount(): number {
    return this.channel && this.channel.open ? this.channel.bufferedAmount : Infinity;
  }

  /** Whether the server answers but does not know this address. */
  get missing(): boolean {
    return this.missingSince !== null;
  }

  open(): void {
    this.close();
    this.fallbacks = this.transports.slice();
    this.betterTries = this.betterCount = 0;
    this.betterAt = Infinity;
    this.next();
  }

  private next(): void {
    this.dialledAt = this.lastTick = performance.now();
    this.opened = false;
    this.channel = this.dial(this.fallbacks.shift() as Transport);
  }

  private dial(transport: Transport): Channel {
    const channel = this.events.dial(transport, {
      opened: (path) => this.use(channel, transport, path),
      frame: (frame) => channel === this.channel && this.receive(frame),
      closed: (text) => (channel === this.channel ? this.lose(text) : this.settle()),
    });
    return channel;
  }

  /**
   * Makes `channel` the current channel and ignores the previous one. The hello lists the
   * received values.
   */
  private use(channel: Channel, transport: Transport, path?: Path): void {
    if (channel !== this.channel) {
      this.second = this.channel;
      this.channel = channel;
      this.betterAt = Infinity;
      if (!this.opened) this.settle();
    }
    this.opened = true;
    this.missingSince = null;
    this.assembler = new Assembler();
    this.lastReceived = performance.now();
    this.betterCount = path === 'direct' ? 0 : this.transports.indexOf(transport);
    this.events.opened(path);
  }

  /**
   * The master has accepted this device: sets the heartbeat of the run, and resets the retry
   * delays.
   */
  welcomed(heartbeat: number): void {
    this.heartbeat = heartbeat;
    this.failures = 0;
    this.lostAt = null;
    if (this.betterAt === Infinity) this.settle();
  }

  /** Keeps only the current channel, until the next attempt over a better transport. */
  private settle(): void {
    if (this.second) this.second.close();
    this.second = null;
    this.betterAt = this.betterCount
      ? performance.now() + betterDelay(this.betterTries, Math.random())
      : Infinity;
  }

  /** Starts an attempt over the next better transport, or gives the present attempt up. */
  private tryBetter(now: number): void {
    if (this.second) return this.settle();
    this.second = this.dial(this.transports[this.betterTries++ % this.betterCount]);
    this.betterAt = now + CONNECT_MS;
  }

  /** Closes all channels; only `open` connects again. */
  close(): void {
    clearTimeout(this.retry);
    this.retry = undefined;
    if (this.channel) this.channel.close();
    if (this.second) this.second.close();
    this.channel = this.second = null;
  }

  send(frame: Uint8Array<ArrayBuffer> | string): void {
    if (!this.channel || !this.channel.open) return;
    this.lastSent = performance.now();
    this.channel.send(frame);
  }

  say(message: ToMaster): void {
    this.send(JSON.stringify(message));
  }

  /** Connects at once, or checks with a ping whether the master still answers. */
  wake(): void {
    if (this.retry) return this.open();
    this.suspect(performance.now());
  }

  /** The owner calls `tick` about every 100 ms. */
  tick(now: number): void {
    if (now - this.lastTick > this.heartbeat) this.suspect(now);
    this.lastTick = now;
    if (!this.channel) return;
    if (!this.opened) {
      const waited = now - this.dialledAt;
      if (waited > (this.fallbacks.length ? FALL_BACK_MS : CONNECT_MS)) this.drop();
      else if (waited > RELAY_MS && this.fallbacks.length > 1) {
        // The relay is tried as well. The present attempt becomes one over a better transport.
        this.fallbacks.shift();
        this.second = this.channel;
        this.betterAt = now + CONNECT_MS;
        this.next();
      }
    } else if (now - this.lastReceived > 3 * this.heartbeat) {
      this.drop();
    } else {
      if (now - this.lastSent > this.heartbeat) this.say({ type: 'ping', t: Math.round(now) });
      if (now > this.betterAt) this.tryBetter(now);
    }
  }

  /**
   * Gives the master one more heartbeat to answer, because after a sleep of the device the
   * silence means nothing.
   */
  private suspect(now: number): void {
    this.lastReceived = Math.max(this.lastReceived, now - 2 * this.heartbeat);
    this.say({ type: 'ping', t: Math.round(now) });
  }

  private receive(frame: Uint8Array | string): void {
    this.lastReceived = performance.now();
    try {
      if (typeof frame === 'string') this.heard(parseToVolunteer(frame));
      else this.assemble(frame);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.drop();
    }
  }

  private heard(message: ToVolunteer): void {
    if (message.type === 'ping') this.say({ type: 'pong', t: message.t });
    else if (message.type !== 'pong') this.events.message(message);
  }

  private assemble(data: Uint8Array): void {
    const frame = this.assembler.add(data);
    if (frame) this.events.values(frame);
  }

  private drop(): void {
    this.close();
    this.lose();
  }

  private lose(text?: string): void {
    this.channel = null;
    if (!this.opened) {
      this.channel = this.second;
      this.second = null;
      if (this.channel) return;
      if (this.fallbacks.length) return this.next();
    }
    this.close();
    const now = performance.now();
    this.lostAt = this.lostAt || now;
    const delay = backoff(this.failures++, now - this.lostAt, Math.random());
    this.retry = setTimeout(() => this.open(), delay);
    this.events.lost(text);
    // Browsers do not reveal why a server refused the WebSocket upgrade.
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
