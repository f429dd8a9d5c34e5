/** Server-sent events, with a new connection after a loss. */

import { pauseAfter } from './pause.ts';

export type ConnectionState = 'connecting' | 'live' | 'lost' | 'over';

/** What a stream tells. */
export interface StreamListener {
  /** One event: its name, and its data, which were JSON. */
  event(name: string, data: unknown): void;
  /** The state has changed. `pause` is the number of seconds until the next attempt. */
  state(state: ConnectionState, pause: number): void;
}

/** A master sends something every second; after this many seconds of silence, it is gone. */
const SILENCE = 15;

export class EventStream {
  private source?: EventSource;
  private failures = 0;
  private retry = 0;
  private watchdog = 0;

  /** `silence`: the number of seconds without any event that mean a loss. */
  constructor(
    private readonly url: string,
    private readonly names: string[],
    private readonly listener: StreamListener,
    private readonly silence = SILENCE,
  ) {}

  /** Ends the stream for good. */
  close() {
    this.stop();
    this.listener.state('over', 0);
  }

  /** Connects now, also during a pause. */
  connect() {
    this.stop();
    this.listener.state('connecting', 0);
    const source = new EventSource(this.url);
    this.source = source;
    source.onopen = () => {
      this.listener.state('live', 0);
      this.watch();
    };
    // The pauses of EventSource itself do not grow, and some errors end its attempts.
    source.onerror = () => this.lose();
    for (const name of this.names) {
      source.addEventListener(name, (event) => this.hear(name, event as MessageEvent<string>));
    }
  }

  private hear(name: string, event: MessageEvent<string>) {
    this.failures = 0;
    this.watch();
    let data: unknown;
    try {
      data = JSON.parse(event.data);
    } catch {
      return;
    }
    this.listener.event(name, data);
  }

  private lose() {
    this.stop();
    const pause = pauseAfter(++this.failures);
    this.retry = window.setTimeout(() => this.connect(), pause * 1000);
    this.listener.state('lost', pause);
  }

  private watch() {
    clearTimeout(this.watchdog);
    if (this.silence < Infinity) {
      this.watchdog = window.setTimeout(() => this.lose(), this.silence * 1000);
    }
  }

  private stop() {
    clearTimeout(this.retry);
    clearTimeout(this.watchdog);
    if (this.source) this.source.close();
  }
}
