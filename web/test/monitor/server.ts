import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type {
  Action,
  HistoryData,
  HistorySample,
  ShownResult,
  Snapshot,
} from '../../src/monitor/data.ts';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data: blob:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES: { [ending: string]: string } = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

/** A master that plays a script: it serves the built page, and tells the page what a test says. */
export class ScriptedMaster {
  /** The actions that pages asked for. */
  readonly actions: Action[] = [];
  /** The answer to the next actions; empty to accept actions. */
  refusal = '';
  /** Whether the master answers nothing but errors, as if it had ended. */
  isDown = false;
  /** The number of connections to `events` so far. */
  connections = 0;
  private readonly events = new Set<ServerResponse>();
  private readonly resultReaders = new Set<ServerResponse>();
  private readonly server = createServer((request, response) => this.answer(request, response));

  /** Serves the files in `folder`. */
  constructor(
    private readonly folder: string,
    public snapshot: Snapshot,
    public history: HistoryData = { interval: 1, samples: [] },
  ) {}

  /** Returns the address of the page. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/m7nq2w4xk9t/`;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** Tells the pages a new snapshot. The stream ends after the snapshot of a finished run. */
  tell(snapshot: Snapshot) {
    this.snapshot = snapshot;
    for (const page of this.events) {
      send(page, 'status', snapshot);
      if (snapshot.state === 'finished') page.end();
    }
  }

  sample(sample: HistorySample) {
    for (const page of this.events) send(page, 'sample', sample);
  }

  result(...results: ShownResult[]) {
    for (const page of this.resultReaders) {
      results.forEach((result) => send(page, 'result', result));
    }
  }

  lose(results: number) {
    for (const page of this.resultReaders) send(page, 'lost', results);
  }

  /** Whether a page listens to the results. */
  get hasResultReaders(): boolean {
    return this.resultReaders.size > 0;
  }

  /** Breaks the connections of all pages. */
  drop() {
    this.server.closeAllConnections();
  }

  private answer(request: IncomingMessage, response: ServerResponse) {
    const name = (request.url || '').replace(/^\/m7nq2w4xk9t\/|\?.*$/g, '');
    if (this.isDown) return void response.writeHead(503).end();
    if (name === 'events') {
      this.connections++;
      this.open(response, this.events);
      send(response, 'history', this.history);
      send(response, 'status', this.snapshot);
      if (this.snapshot.state === 'finished') response.end();
    } else if (name === 'results') {
      this.open(response, this.resultReaders);
    } else if (name === 'actions') {
      void this.take(request, response);
    } else {
      this.serve(name || 'monitor.html', response);
    }
  }

  private open(response: ServerResponse, readers: Set<ServerResponse>) {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
    });
    response.write(': hello\n\n');
    readers.add(response);
    response.on('close', () => readers.delete(response));
  }

  private async take(request: IncomingMessage, response: ServerResponse) {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.headers['content-type'] !== 'application/json') {
      return void response.writeHead(415).end();
    }
    if (this.refusal) return void response.writeHead(409).end(this.refusal);
    this.actions.push(JSON.parse(body) as Action);
    response.writeHead(204).end();
  }

  private serve(name: string, response: ServerResponse) {
    const type = TYPES[name.replace(/^.*\./, '')];
    if (!/^monitor\.\w+$/.test(name) || !type) return void response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': POLICY });
    response.end(readFileSync(join(this.folder, name)));
  }
}

function send(page: ServerResponse, event: string, data: unknown) {
  page.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
