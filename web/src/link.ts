/**
 * The link worker: owns the channel to the master, so that a busy or hidden page neither closes
 * nor delays the channel. Connects the channel, the ports of the cores, and the page.
 * [`Dispatcher`] distributes the values.
 */

import { Malformed } from './bytes.ts';
import { PeerChannel, SocketChannel } from './link/channel.ts';
import type { Channel, ChannelEvents } from './link/channel.ts';
import { Connection } from './link/connection.ts';
import { Dispatcher } from './link/dispatcher.ts';
import { Outbox } from './link/outbox.ts';
import { StatusReporter } from './link/status-reporter.ts';
import type { Transport } from './link/transports.ts';
import type {
  CoreMessage,
  Path,
  ToCore,
  ToMaster,
  ToVolunteer,
  VolunteerByeReason,
  Welcome,
} from './messages.ts';
import { News, Order, Phase } from './page-messages.ts';
import type { FromLink, Start, ToLink } from './page-messages.ts';
import { VERSION } from './frames.ts';
import type { Loan } from './frames.ts';

const TICK_MS = 100;
/** Milliseconds until the next attempt to send, while the socket's buffer is full. */
const POLL_MS = 5;
/** Most loans in a hello, because a hello has a size limit. */
const MOST_HOLDS = 4000;
/** Bytes in the socket's buffer above which the function's output is dropped. */
const LOG_BUFFERED_LIMIT = 1 << 20;
const MOST_DEFERRED = 200;
/**
 * How long a page trusts a relay that does not know the run. A restarted relay learns of the run
 * only when the master reconnects.
 */
const RELAY_PATIENCE_MS = 60_000;

const page = self as unknown as { postMessage(message: FromLink, transfer?: Transferable[]): void };

class Link {
  private readonly connection: Connection;
  private readonly dispatcher: Dispatcher;
  private readonly outbox = new Outbox();
  private readonly ports = new Map<number, MessagePort>();
  private readonly reporter = new StatusReporter((message) => page.postMessage(message));
  private phase: Phase = Phase.Connecting;
  private text = '';
  private path: Path | undefined;
  private welcome: Welcome | null = null;
  /**
   * Messages for the next welcome. `started` is never among them, because the dispatcher reports
   * long calls again after each welcome.
   */
  private deferred: ToMaster[] = [];
  private polling = false;
  /** The number of values that went to other devices while the page was away. */
  private passedOn = 0;
  /** The number of all items, as the master said. */
  private items: number | undefined;

  constructor(private readonly start: Start) {
    this.connection = new Connection(
      start.transports,
      start.page,
      start.relay ? RELAY_PATIENCE_MS : 0,
      {
        dial: (transport, events) => this.dial(transport, events),
        opened: (path) => this.hello(path || (start.relay ? 'relay' : undefined)),
        message: (message) => this.heard(message),
        values: (frame) => this.dispatcher.values(frame, performance.now()),
        lost: (text) => this.lost(text),
        unknown: (gone) => (gone ? this.stop(Phase.Gone) : this.enter(Phase.Missing)),
      },
    );
    this.dispatcher = new Dispatcher({
      makeCore: (core) => page.postMessage({ type: News.Make, core }),
      endCore: (core) => this.endCore(core),
      toCore: (core, frame) => this.toCore(core, frame),
      forget: (core) => this.toPort(core, { type: 'forget' }),
      say: (message) => this.say(message),
      results: (frame) => this.results(frame),
      broken: (message) => this.broken(message),
    });
    this.lend(start.cores);
    setInterval(() => this.tick(performance.now()), TICK_MS);
    this.connect();
  }

  hear(message: ToLink): void {
    switch (message.type) {
      case Order.Core:
        return this.join(message.core, message.port);
      case Order.Died:
        return this.dispatcher.died(message.core, message.message, performance.now());
      case Order.Update:
        return this.update(message.name, message.cores);
      case Order.Leave:
        return this.leave();
      case Order.Hide:
        return this.hide(message.reason);
      case Order.Rejoin:
        return this.phase === Phase.Away ? this.connect() : this.wake();
      case Order.Wake:
        return this.wake();
      case Order.Start:
        return;
    }
  }

  private tick(now: number): void {
    this.connection.tick(now);
    this.dispatcher.tick(now);
    const { done, errors, held, busy } = this.dispatcher;
    const { phase, text, path, passedOn: lost, items } = this;
    this.reporter.update({ phase, text, path, done, errors, held, busy, lost, items }, now);
  }

  private enter(phase: Phase, text = ''): void {
    this.phase = phase;
    this.text = text;
  }

  private connect(): void {
    this.enter(Phase.Connecting);
    this.connection.open();
  }

  private wake(): void {
    if (this.isGoing) this.connection.wake();
  }

  /** Whether the link has a connection, or tries to have one. */
  private get isGoing(): boolean {
    return this.phase <= Phase.Missing;
  }

  private dial(transport: Transport, events: ChannelEvents): Channel {
    const { page: folder } = this.start;
    const sockets = folder.replace(/^http/, 'ws');
    if (transport === 'websocket') return new SocketChannel(`${sockets}socket`, events);
    const { port1, port2 } = new MessageChannel();
    page.postMessage(
      { type: News.Dial, signal: `${sockets}signal`, turn: transport === 'turn', port: port2 },
      [port2],
    );
    return new PeerChannel(port1, events);
  }

  private hello(path: Path | undefined): void {
    this.enter(Phase.Connecting);
    this.outbox.rewind();
    this.path = path;
    const { token, device, name, reloaded } = this.start;
    const holds = this.holds();
    const job = this.welcome ? this.welcome.job : undefined;
    this.connection.say({
      type: 'hello',
      version: VERSION,
      token,
      device,
      name,
      cores: this.lent,
      job,
      holds,
      kind: 'browser',
      path,
      reloaded,
    });
  }

  /** The number of cores for the master: 0 while paused. */
  private get lent(): number {
    return this.dispatcher.paused ? 0 : this.start.cores;
  }

  private holds(): Loan[] {
    const holds = this.dispatcher.holds().concat(this.outbox.ids());
    const said = holds.slice(0, MOST_HOLDS);
    if (holds.length > MOST_HOLDS) this.keep(said);
    return said;
  }

  private keep(ids: Loan[]): void {
    const kept = new Set(ids);
    this.dispatcher.keep((id) => kept.has(id));
    this.outbox.keep((id) => kept.has(id));
  }

  private heard(message: ToVolunteer): void {
    switch (message.type) {
      case 'welcome':
        return this.welcomed(message);
      case 'recall':
        return this.dispatcher.recall(message.ids, performance.now());
      case 'bye':
        this.items = message.items || this.items;
        return this.stop(BYES[message.reason] || Phase.Refused, message.text);
    }
  }

  private welcomed(welcome: Welcome): void {
    if (welcome.version !== VERSION) return this.stop(Phase.OtherVersion);
    if (welcome.function !== this.start.function)
      return this.stop(Phase.OtherFunction, '', welcome.function);
    if (this.welcome && this.welcome.job !== welcome.job) this.forget();
    else {
      this.passedOn += this.holds().length - welcome.keep.length;
      this.keep(welcome.keep);
    }
    this.welcome = welcome;
    this.items = welcome.items;
    this.start.reloaded = undefined;
    this.connection.welcomed(welcome.options.heartbeat);
    this.enter(Phase.Joined);
    this.dispatcher.begin({ ...welcome.options, dom: this.start.dom }, performance.now());
    for (const message of this.deferred.splice(0)) this.connection.say(message);
    this.pump();
  }

  private forget(): void {
    this.deferred = this.deferred.filter(({ type }) => type === 'update');
    this.outbox.keep(() => false);
    this.dispatcher.reset();
  }

  private lost(text?: string): void {
    this.enter(!text && this.connection.missing ? Phase.Missing : Phase.Waiting, text);
  }

  /** Ends the link for good. */
  private stop(phase: Phase, text = '', otherFunction?: string): void {
    this.connection.close();
    this.keep([]);
    this.dispatcher.endAll();
    this.enter(phase, text);
    if (otherFunction) page.postMessage({ type: News.Reload, function: otherFunction });
  }

  private leave(): void {
    this.handBack('left');
    this.stop(Phase.Left);
  }

  private hide(reason: VolunteerByeReason): void {
    if (!this.isGoing) return;
    this.passedOn += this.handBack(reason);
    this.connection.close();
    this.enter(Phase.Away);
  }

  /** Returns all values to the master, including values in progress. Returns their number. */
  private handBack(reason: VolunteerByeReason): number {
    const ids = this.outbox.ids().concat(this.dispatcher.abandon());
    this.outbox.keep(() => false);
    if (this.phase === Phase.Joined) {
      this.dispatcher.sayReturned(ids);
      this.connection.say({ type: 'bye', reason });
    }
    return ids.length;
  }

  private update(name: string | undefined, cores: number | undefined): void {
    if (name !== undefined) this.start.name = name;
    if (cores === 0) this.dispatcher.pause(performance.now());
    else if (cores !== undefined) this.lend(cores);
    this.say({ type: 'update', name, cores: cores === undefined ? cores : this.lent });
  }

  private lend(cores: number): void {
    this.start.cores = this.start.dom ? 1 : cores;
    this.dispatcher.lend(this.start.cores, performance.now());
    this.dispatcher.resume(performance.now());
  }

  private say(message: ToMaster): void {
    const output = message.type === 'log' || message.type === 'report';
    if (this.phase !== Phase.Joined) {
      if (message.type !== 'started' && !(output && this.deferred.length >= MOST_DEFERRED))
        this.deferred.push(message);
    } else if (message.type !== 'log' || this.connection.bufferedAmount < LOG_BUFFERED_LIMIT) {
      this.connection.say(message);
    }
  }

  private results(frame: Uint8Array): void {
    this.outbox.add(frame);
    this.pump();
  }

  private pump(): void {
    if (this.polling || this.phase !== Phase.Joined) return;
    if (!this.outbox.pump(this.connection)) return;
    this.polling = true;
    setTimeout(() => {
      this.polling = false;
      this.pump();
    }, POLL_MS);
  }

  private join(core: number, port: MessagePort): void {
    if (!this.welcome) return;
    this.ports.set(core, port);
    port.onmessage = ({ data }: MessageEvent<ArrayBuffer | CoreMessage>) => {
      if (data instanceof ArrayBuffer) this.answered(core, new Uint8Array(data));
      else this.fromCore(core, data);
    };
    this.toPort(core, { type: 'init', options: { ...this.welcome.options, dom: this.start.dom } });
  }

  private answered(core: number, frame: Uint8Array): void {
    try {
      this.dispatcher.results(core, frame, performance.now());
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.dispatcher.died(core, 'it wrote something unintelligible', performance.now());
    }
  }

  private fromCore(core: number, message: CoreMessage): void {
    switch (message.type) {
      case 'ready':
        return this.dispatcher.coreReady(core, performance.now());
      case 'started':
        return this.dispatcher.started(core, message.id, performance.now());
      case 'spoiled':
        return this.dispatcher.spoiled(core, message.careful);
      case 'broken':
        return this.broken(message.message, message.stack);
      case 'log':
        this.reporter.log(message.entries);
        return this.say(message);
      case 'report':
        return this.say(message);
    }
  }

  /**
   * Reports that the function cannot be loaded. The channel stays open, so that the master can
   * end the run with a reason.
   */
  private broken(message: string, stack?: string): void {
    if (!this.dispatcher.giveUp()) return;
    this.say({ type: 'broken', message, stack });
    this.reporter.broken(message);
  }

  private endCore(core: number): void {
    const port = this.ports.get(core);
    if (port) port.close();
    this.ports.delete(core);
    page.postMessage({ type: News.End, core });
  }

  private toCore(core: number, frame: Uint8Array<ArrayBuffer>): void {
    this.toPort(core, frame.buffer, [frame.buffer]);
  }

  private toPort(core: number, message: ToCore | ArrayBuffer, transfer: Transferable[] = []): void {
    const port = this.ports.get(core);
    if (port) port.postMessage(message, transfer);
  }
}

/** Phases after a goodbye of the master which reports no failure. */
const BYES: { [reason: string]: Phase } = { done: Phase.Done, stopped: Phase.Ended };

/** Starts the link in this worker at the page's first message, if the message is for a link. */
export function awaitStart(): void {
  let link: Link | null = null;
  addEventListener('message', ({ data }: MessageEvent<ToLink>) => {
    if (link) link.hear(data);
    else if (data.type === Order.Start) link = new Link(data);
  });
}
