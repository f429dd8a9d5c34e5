// A small master for tests: serves the built page and a toy function, and exchanges frames with
// the page.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import { Bridge } from './bridge.mjs';

const TYPES = { html: 'text/html', js: 'text/javascript' };
const RESULT_KINDS = ['text', 'bytes', 'json', 'error'];

/** The headers of a relay's pages: each page has an origin of its own. */
const SANDBOX = {
  'content-security-policy':
    'sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads',
  'access-control-allow-origin': '*',
};

/**
 * @param options `dist`; `code` of function.js; `token`; the content of the welcome: `hash`,
 *   `dom`, `timeout`, `concurrency`, `json`, `heartbeat`, `items`, `keep`; the words of the page:
 *   `title`, `from`; `relay`: serves the page like a relay;
 *   `gone`: does not know the token
 */
export class Master {
  constructor(options) {
    this.options = {
      token: 'test0token',
      hash: 'h1',
      pageHash: null,
      job: 'j1',
      dom: false,
      timeout: null,
      concurrency: 1,
      json: false,
      heartbeat: 1000,
      ...options,
    };
    this.heard = [];
    this.results = new Map();
    this.sockets = new Set();
    this.waiting = [];
    this.server = createServer((request, response) => this.serve(request, response));
    this.server.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
    this.wss = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    this.bridge = new Bridge(
      (channel) => this.joined(channel),
      () => this.notify(),
    );
  }

  async listen(port = 0) {
    await new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    this.port = this.server.address().port;
    return `http://127.0.0.1:${this.port}/${this.options.token}/`;
  }

  close() {
    for (const socket of this.sockets) socket.terminate();
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  /** The address of the page with the other end of peer connections. */
  get bridgeUrl() {
    return `http://127.0.0.1:${this.port}/bridge/`;
  }

  serve(request, response) {
    const { dist, code, token, hash, pageHash, dom, relay, gone, title, from, relayUrl } =
      this.options;
    const extra = relay ? SANDBOX : {};
    if (request.url === '/bridge/') return this.bridge.serve(response);
    if (gone) return response.writeHead(404, extra).end();
    const prefix = `/${token}/`;
    const path = request.url.split('?')[0];
    const name = path.startsWith(prefix) ? path.slice(prefix.length) || 'index.html' : null;
    let body = null;
    if (name === 'function.js') body = code;
    else if (name && /^[a-z-]+\.(js|html)$/.test(name))
      body = readFileSync(join(dist, name), 'utf8');
    if (body === null) return response.writeHead(404, extra).end();
    const config = JSON.stringify({
      function: pageHash ?? hash,
      dom,
      version: '0.1.0',
      relay,
      title,
      from,
      relayUrl,
    });
    response.writeHead(200, {
      'content-type': `${TYPES[name.split('.').pop()]}; charset=utf-8`,
      'cache-control': 'no-cache',
      ...extra,
    });
    response.end(body.replace('__PANDO_CONFIG__', () => config));
  }

  upgrade(request, socket, head) {
    const { token, gone, noSocket } = this.options;
    const [, first, ...rest] = request.url.split('/');
    if (first === 'bridge') return this.bridge.upgrade(rest.join('/'), request, socket, head);
    if (first === token && rest[0] === 'signal' && !gone)
      return this.bridge.signal(request, socket, head);
    if (first !== token || rest[0] !== 'socket' || gone || noSocket)
      return socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    this.wss.handleUpgrade(request, socket, head, (ws) => this.joined(ws));
  }

  joined(ws) {
    this.sockets.add(ws);
    this.socket = ws;
    ws.on('close', () => (this.sockets.delete(ws), this.notify()));
    ws.on('message', (data, binary) =>
      binary ? this.binary(ws, data) : this.text(ws, JSON.parse(data.toString())),
    );
  }

  text(ws, message) {
    if (message.type === 'ping') return ws.send(JSON.stringify({ type: 'pong', t: message.t }));
    if (message.type === 'pong') return;
    this.heard.push(message);
    if (message.type === 'hello') this.welcome(ws, message);
    this.notify();
  }

  welcome(ws, hello) {
    const { hash, job, dom, timeout, concurrency, json, heartbeat, items } = this.options;
    const options = { concurrency, timeout, dom, json, heartbeat };
    ws.send(
      JSON.stringify({
        type: 'welcome',
        version: 2,
        job,
        function: hash,
        options,
        keep: this.options.keep ?? hello.holds,
        items,
      }),
    );
    if (this.onHello) this.onHello(ws, hello);
  }

  binary(ws, data) {
    if (data[0] === 3) return this.part(ws, data);
    if (this.onResults) return this.onResults(ws, data);
    for (const result of decodeResults(data)) this.results.set(result.id, result);
    this.notify();
  }

  part(ws, data) {
    const [total, at] = varint(data, 1);
    this.parts = [...(this.parts || []), data.subarray(at)];
    const whole = Buffer.concat(this.parts);
    if (whole.length < total) return;
    this.parts = null;
    this.binary(ws, whole);
  }

  say(message) {
    this.socket.send(JSON.stringify(message));
  }

  /** Sends values in one frame: [id, text, {careful, loan, attempt}] … */
  values(entries) {
    this.socket.send(encodeValues(entries));
  }

  /** Sends one value, in parts if the frame is long; returns the number of parts. */
  sendCut(entry) {
    const frame = encodeValues([entry]);
    const limit = 65_536;
    if (frame.length <= limit) return (this.socket.send(frame), 1);
    const total = encodeVarint(frame.length);
    let count = 0;
    for (let at = 0; at < frame.length; at += limit, count++) {
      this.socket.send(Buffer.concat([Buffer.from([3, ...total]), frame.subarray(at, at + limit)]));
    }
    return count;
  }

  notify() {
    this.waiting = this.waiting.filter((check) => !check());
  }

  /** Waits until `found()` returns a truthy value, and returns the value. */
  until(found, what, ms = 10_000) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), ms);
      const check = () => {
        const value = found();
        if (value) (resolve(value), clearTimeout(timer));
        return value;
      };
      if (!check()) this.waiting.push(check);
    });
  }

  message(type, ms) {
    return this.until(
      () => this.heard.find((message) => message.type === type),
      `a message ${type}`,
      ms,
    );
  }

  result(id, ms) {
    return this.until(() => this.results.get(id), `the result of ${id}`, ms);
  }
}

export function encodeValues(entries) {
  const out = [1];
  const chunks = [];
  for (const [id, value, { careful = false, loan = 0, attempt = 0, form } = {}] of entries) {
    const bytes = Buffer.from(value);
    const tag = (form ?? (typeof value === 'string' ? 0 : 1)) + (careful ? 4 : 0) + loan * 8;
    const head = [id, tag, ...(loan ? [attempt] : []), bytes.length];
    chunks.push(Buffer.from([...out.splice(0), ...head.flatMap(encodeVarint)]), bytes);
  }
  return Buffer.concat(chunks);
}

function encodeVarint(value) {
  const bytes = [];
  while (value > 127) {
    bytes.push((value % 128) | 128);
    value = Math.floor(value / 128);
  }
  return [...bytes, value];
}

export function decodeResults(data) {
  const results = [];
  let at = 1;
  const next = () => {
    const [value, end] = varint(data, at);
    at = end;
    return value;
  };
  while (at < data.length) {
    const [id, tag, micros, length] = [next(), next(), next(), next()];
    const bytes = data.subarray(at, at + length);
    at += length;
    results.push({
      id,
      loan: tag >> 2,
      kind: RESULT_KINDS[tag & 3],
      micros,
      bytes,
      text: bytes.toString(),
    });
  }
  return results;
}

function varint(data, at) {
  let value = 0;
  let unit = 1;
  for (;;) {
    const byte = data[at++];
    value += (byte & 127) * unit;
    unit *= 128;
    if (byte < 128) return [value, at];
  }
}
