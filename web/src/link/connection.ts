/** The WebSocket to the master: opened again whenever it is lost, watched by its heartbeat. */

import { Malformed } from '../bytes.ts';
import { parseFromMaster } from '../messages.ts';
import type { FromMaster, ToMaster } from '../messages.ts';
import { Assembler } from '../protocol.ts';
import { backoff } from './backoff.ts';

export interface ConnectionEvents {
  opened(): void;
  message(message: FromMaster): void;
  values(frame: Uint8Array): void;
  /** The link is lost; another try follows. */
  lost(): void;
  /** The server is there and knows nothing of this address. */
  refused(): void;
}

const CONNECT_MS = 10_000;
const FIRST_HEARTBEAT_MS = 5000;
/** Close codes of an application start at 4000. */
const CLOSE_MALFORMED = 4002;
const CLOSE_SILENT = 4008;

export class Connection {
  private socket: WebSocket | null = null;
  private assembler = new Assembler();
  private heartbeat = FIRST_HEARTBEAT_MS;
  private lastSent = 0;
  private lastReceived = 0;
  private lastTick = 0;
  private openedAt = 0;
  private failures = 0;
  private lostAt: number | null = null;
  private retry: ReturnType<typeof setTimeout> | null = null;

  /** @param page the address that tells by HTTP whether the token is known */
  constructor(
    private readonly url: string,
    private readonly page: string,
    private readonly events: ConnectionEvents,
  ) {}

  /** A socket that is closing would swallow what it is given: it counts as full. */
  get bufferedAmount(): number {
    return this.socket && this.socket.readyState === WebSocket.OPEN ? this.socket.bufferedAmount : Infinity;
  }

  open(): void {
    this.close();
    const socket = new WebSocket(this.url);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    this.assembler = new Assembler();
    this.openedAt = this.lastReceived = this.lastTick = performance.now();
    let opened = false;
    socket.onopen = () => {
      opened = true;
      if (socket === this.socket) this.events.opened();
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.socket) this.receive(data);
    };
    socket.onclose = () => {
      if (socket === this.socket) this.lose(opened);
    };
  }

  /** The master took this device: the heartbeat it asks for, and patience starts anew. */
  welcomed(heartbeat: number): void {
    this.heartbeat = heartbeat;
    this.failures = 0;
    this.lostAt = null;
  }

  /** Closes for good, until `open`. */
  close(code?: number, reason?: string): void {
    if (this.retry !== null) clearTimeout(this.retry);
    this.retry = null;
    const socket = this.socket;
    this.socket = null;
    if (socket) socket.close(code, reason);
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    if (!this.socket) return;
    this.lastSent = performance.now();
    this.socket.send(data);
  }

  say(message: ToMaster): void {
    if (!this.socket || this.socket.readyState !== WebSocket.OPEN) return;
    this.lastSent = performance.now();
    this.socket.send(JSON.stringify(message));
  }

  /** No reason to wait any longer: tries at once, or asks a silent master for a sign of life. */
  wake(): void {
    if (this.retry !== null) return this.open();
    this.suspect(performance.now());
  }

  /** To be called about every 100 ms. */
  tick(now: number): void {
    const { socket } = this;
    if (now - this.lastTick > this.heartbeat) this.suspect(now);
    this.lastTick = now;
    if (!socket) return;
    if (socket.readyState === WebSocket.CONNECTING) {
      if (now - this.openedAt > CONNECT_MS) this.drop(CLOSE_SILENT, 'no connection');
    } else if (now - this.lastReceived > 3 * this.heartbeat) {
      this.drop(CLOSE_SILENT, 'silent for three heartbeats');
    } else if (now - this.lastSent > this.heartbeat) {
      this.say({ type: 'ping', t: Math.round(now) });
    }
  }

  /** After a sleep nobody was heard, which says nothing: one heartbeat to answer. */
  private suspect(now: number): void {
    this.lastReceived = Math.max(this.lastReceived, now - 2 * this.heartbeat);
    this.say({ type: 'ping', t: Math.round(now) });
  }

  private receive(data: string | ArrayBuffer): void {
    this.lastReceived = performance.now();
    try {
      if (typeof data === 'string') this.heard(parseFromMaster(data));
      else this.assemble(new Uint8Array(data));
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
    const socket = this.socket;
    this.lose(true);
    if (socket) socket.close(code, reason.slice(0, 100));
  }

  private lose(wasOpen: boolean): void {
    this.socket = null;
    if (this.lostAt === null) this.lostAt = performance.now();
    const delay = backoff(this.failures++, performance.now() - this.lostAt, Math.random());
    this.retry = setTimeout(() => this.open(), delay);
    this.events.lost();
    // A browser does not say why an upgrade was refused.
    if (!wasOpen) void this.ask();
  }

  private async ask(): Promise<void> {
    const response = await fetch(this.page, { cache: 'no-store' }).catch(() => null);
    if (response && response.status === 404 && !this.socketIsOpen()) this.events.refused();
  }

  private socketIsOpen(): boolean {
    return this.socket !== null && this.socket.readyState === WebSocket.OPEN;
  }
}
