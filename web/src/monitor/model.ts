/** What the page knows about the run. The parts of the page show it. */

import type { Action, HistoryData, HistorySample, ShownResult, Snapshot } from './data.ts';
import { type ConnectionState, EventStream } from './event-stream.ts';
import { bounded, withSample } from './history.ts';
import { ShownResults } from './results.ts';

/** The shortest time between two updates of the page, in milliseconds. */
const UPDATE_EVERY = 1000;
/** The longest time between an event and the update that shows the event. */
const LATEST = 5000;
/** Updates take at most about one part of so many parts of the time. */
const PARTS = 20;
/** Events of the same second arrive together; the page waits for all. */
const TOGETHER = 60;

export class Model {
  snapshot?: Snapshot;
  history: HistoryData = { interval: 1, samples: [] };
  connection: ConnectionState = 'connecting';
  /** Seconds until the next attempt to connect, when the connection was lost. */
  pause = 0;
  /** The results that the page shows: those of a picture, or while a person looks at them. */
  results?: ShownResults;
  private readonly events: EventStream;
  private resultEvents?: EventStream;
  private updated = -Infinity;
  /** How long the last update took, with layout and plots, in milliseconds. */
  private cost = 0;
  private timer = 0;

  /** `changed` is called at most once per second while nothing but figures changes. */
  constructor(private readonly changed: () => void) {
    this.events = new EventStream('events', ['history', 'status', 'sample'], {
      event: (name, data) => this.hear(name, data),
      state: (state, pause) => this.take(state, pause),
    });
    document.addEventListener('visibilitychange', () => this.update());
  }

  /** Connects now, at the start or for a person who does not want to wait. */
  connect() {
    this.events.connect();
  }

  showResults() {
    const results = new ShownResults();
    this.results = results;
    const events = new EventStream(
      'results',
      ['result', 'lost'],
      {
        event: (name, data) => {
          if (name === 'lost') results.lost += lostIn(data);
          else results.add(data as ShownResult);
          this.changeSoon();
        },
        state: (state) => {
          if (state === 'lost' && this.hasFinished()) events.close();
        },
      },
      // Results may come hours apart.
      Infinity,
    );
    this.resultEvents = events;
    events.connect();
    this.update();
  }

  hideResults() {
    if (this.resultEvents) this.resultEvents.close();
    this.results = undefined;
    this.update();
  }

  private hear(name: string, data: unknown) {
    if (name === 'history') this.history = bounded(data as HistoryData);
    else if (name === 'sample') this.history = withSample(this.history, data as HistorySample);
    else this.snapshot = data as Snapshot;
    if (this.snapshot && this.snapshot.mosaic && !this.results) this.showResults();
    // The master ends the stream after its last snapshot.
    if (name === 'status' && this.hasFinished()) this.events.close();
    this.changeSoon();
  }

  private take(state: ConnectionState, pause: number) {
    if (state === 'lost' && this.hasFinished()) return this.events.close();
    [this.connection, this.pause] = [state, pause];
    this.update();
  }

  private hasFinished(): boolean {
    return this.snapshot !== undefined && this.snapshot.state === 'finished';
  }

  private changeSoon() {
    if (this.timer !== 0) return;
    const every = Math.min(LATEST, Math.max(UPDATE_EVERY, PARTS * this.cost));
    const wait = Math.max(TOGETHER, this.updated + every - performance.now());
    this.timer = window.setTimeout(() => {
      this.updated = performance.now();
      this.update();
    }, wait);
  }

  private update() {
    clearTimeout(this.timer);
    this.timer = 0;
    // A page that nobody sees costs nothing.
    if (document.hidden) return;
    const started = performance.now();
    this.changed();
    // The browser lays out the page and draws the plots before the next task.
    requestAnimationFrame(() =>
      setTimeout(() => {
        this.cost = performance.now() - started;
      }),
    );
  }
}

/** Asks the master to act. Returns an empty text, or why the master refused. */
export async function act(action: Action): Promise<string> {
  try {
    const answer = await fetch('actions', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(action),
    });
    if (answer.ok) return '';
    return (await answer.text()) || `The master refused (status ${answer.status}).`;
  } catch {
    return 'The master did not answer. It may have ended.';
  }
}

function lostIn(data: unknown): number {
  const lost = typeof data === 'number' ? data : (data as { lost?: number }).lost;
  return lost || 0;
}
