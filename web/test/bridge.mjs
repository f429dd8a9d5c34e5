// The master's end of peer connections in tests: a second page in the same browser, which
// forwards pieces to and from Node.
import { EventEmitter } from 'node:events';
import { WebSocketServer } from 'ws';

const PIECE = 16_384;
const [LAST, TEXT] = [1, 2];

/**
 * The bridge's page, at `/bridge/`. For each volunteer, the page has one data channel and one
 * socket to Node.
 */
const HTML = `<!doctype html><title>bridge</title><link rel="icon" href="data:,"><script>
const socket = (path) => { const ws = new WebSocket(location.href.replace(/^http/, 'ws') + path); ws.binaryType = 'arraybuffer'; return ws; };
const control = socket('control');
const peers = new Map();
control.onmessage = async ({ data }) => {
  const { peer, message } = JSON.parse(data);
  const say = (message) => control.send(JSON.stringify({ peer, message }));
  if (message.type === 'close') return peers.get(peer)?.close();
  if (message.type === 'offer') {
    const pc = new RTCPeerConnection();
    peers.set(peer, pc);
    pc.onicecandidate = ({ candidate }) => candidate?.candidate && say({ type: 'candidate', candidate: candidate.candidate });
    pc.ondatachannel = ({ channel }) => {
      channel.binaryType = 'arraybuffer';
      const ws = socket(peer + '/' + channel.label);
      const early = [];
      channel.onmessage = ({ data }) => (ws.readyState === 1 ? ws.send(data) : early.push(data));
      ws.onopen = () => early.forEach((data) => ws.send(data));
      // The tests do not cover the buffer of this side, so the page keeps its own queue.
      const queue = [];
      const pump = () => { while (queue.length && channel.readyState === 'open' && channel.bufferedAmount < 65536) channel.send(queue.shift()); };
      channel.bufferedAmountLowThreshold = 32768;
      channel.onbufferedamountlow = pump;
      ws.onmessage = ({ data }) => { queue.push(data); pump(); };
      channel.onclose = () => ws.close();
      ws.onclose = () => pc.close();
    };
    await pc.setRemoteDescription(message);
    await pc.setLocalDescription();
    say({ type: 'answer', sdp: pc.localDescription.sdp });
  } else if (message.type === 'candidate') {
    await peers.get(peer)?.addIceCandidate({ candidate: message.candidate, sdpMLineIndex: 0 });
  }
};
</script>`;

export class Bridge {
  /**
   * @param joined called with each volunteer's channel, which has the interface of a WebSocket of
   *   the package ws
   * @param changed called when a signalling socket has closed
   */
  constructor(joined, changed) {
    this.joined = joined;
    this.changed = changed;
    this.peers = new Map();
    this.signals = new Map();
    this.next = 0;
    /** The first message to volunteers: ICE servers, or a failure. */
    this.first = { type: 'servers', iceServers: [] };
    this.silent = false;
    this.wss = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    this.ready = new Promise((resolve) => (this.isReady = resolve));
  }

  async open(context, url) {
    const page = await context.newPage();
    page.on('pageerror', (error) => console.log(`bridge: ${error}`));
    await page.goto(url);
    await this.ready;
  }

  serve(response) {
    response.writeHead(200, { 'content-type': 'text/html' }).end(HTML);
  }

  /** Handles an upgrade request of the bridge's page. */
  upgrade(path, request, socket, head) {
    this.wss.handleUpgrade(request, socket, head, (ws) => {
      if (path !== 'control') return this.joined(new PeerSocket(ws, path.split('/')[1]));
      this.control = ws;
      ws.on('message', (data) => {
        const { peer, message } = JSON.parse(data.toString());
        const signal = this.signals.get(peer);
        if (signal && signal.readyState === signal.OPEN) signal.send(JSON.stringify(message));
      });
      this.isReady();
    });
  }

  /** Opens a volunteer's signalling socket. */
  signal(request, socket, head) {
    this.wss.handleUpgrade(request, socket, head, (ws) => {
      const peer = this.next++;
      this.signals.set(peer, ws);
      ws.on('close', () => (this.signals.delete(peer), this.changed()));
      ws.on('message', (data) => {
        if (!this.silent)
          this.control.send(JSON.stringify({ peer, message: JSON.parse(data.toString()) }));
      });
      ws.send(JSON.stringify(this.first));
    });
  }
}

/** Sends and receives frames as pieces. */
class PeerSocket extends EventEmitter {
  constructor(ws, label) {
    super();
    this.ws = ws;
    this.label = label;
    this.pieces = [];
    this.OPEN = ws.OPEN;
    ws.on('message', (data) => this.receive(data));
    ws.on('close', () => this.emit('close'));
  }

  get readyState() {
    return this.ws.readyState;
  }

  receive(data) {
    if (data.length < 1 || data.length > PIECE || data[0] > 3)
      throw new Error(`a message that is no piece: ${data.length} bytes`);
    this.pieces.push(data.subarray(1));
    if (!(data[0] & LAST)) return;
    const frame = Buffer.concat(this.pieces.splice(0));
    this.emit('message', frame, !(data[0] & TEXT));
  }

  send(data) {
    const bytes = Buffer.from(data);
    const kind = typeof data === 'string' ? TEXT : 0;
    for (let at = 0; at === 0 || at < bytes.length; at += PIECE - 1) {
      const last = at + PIECE - 1 >= bytes.length ? LAST : 0;
      this.ws.send(Buffer.concat([Buffer.from([kind + last]), bytes.subarray(at, at + PIECE - 1)]));
    }
  }

  /** Sends one message unchanged. */
  raw(data) {
    this.ws.send(data);
  }

  terminate() {
    this.ws.terminate();
  }
}
