/**
 * The page's end of a peer connection, since workers have none: signals for it, opens its data channel, and passes pieces
 * of frames between that and the link.
 */

import { LAST, PIECE, cut } from '../link/pieces.ts';
import type { Path } from '../messages.ts';
import type { FromPeer, ToPeer } from '../page-messages.ts';

type Signal =
  | { type: 'servers'; iceServers: RTCIceServer[] }
  | { type: 'offer' | 'answer'; sdp: string }
  | { type: 'candidate'; candidate: string }
  | { type: 'failed'; text: string };

/** Bytes with the data channel at a time. */
const BUFFERED_LIMIT = 1 << 16;
/** The link is told what went out at the latest when it is so many bytes. */
const TELL_BYTES = 1 << 15;
/** More pieces than these do not wait for the rest of their frame. */
const MOST_PIECES = 4;
/** What was sent before the end has this long to go out. */
const LINGER_MS = 2000;

export class Peer {
  private readonly signal: WebSocket;
  private connection: RTCPeerConnection | null = null;
  private channel: RTCDataChannel | null = null;
  /** The last step of signalling: one follows the other. */
  private step: Promise<unknown> = Promise.resolve();
  /** Pieces for the data channel, many in one buffer, and where in the first buffer the next one starts. */
  private queue: Uint8Array<ArrayBuffer>[] = [];
  private at = 0;
  /** Bytes given to the data channel, and how many the link knows to have left it. */
  private given = 0;
  private told = 0;
  /** Received, and not yet passed on. */
  private pieces: ArrayBuffer[] = [];
  private ended = false;

  constructor(
    url: string,
    private readonly link: MessagePort,
  ) {
    link.onmessage = ({ data }: MessageEvent<ToPeer>) => (data ? this.take(new Uint8Array(data)) : this.close());
    this.signal = new WebSocket(url);
    this.signal.onmessage = ({ data }) => this.then(() => this.hear(JSON.parse(data)));
    this.signal.onclose = () => this.end();
  }

  /** The page goes away: what the link has to say would come too late. */
  goodbye(): void {
    this.take(cut(JSON.stringify({ type: 'bye', reason: 'hidden' })));
    this.close();
  }

  private then(step: () => unknown): void {
    this.step = this.step.then(() => this.ended || step()).catch((error) => this.end(String(error)));
  }

  private hear(message: Signal): unknown {
    const connection = this.connection as RTCPeerConnection;
    switch (message.type) {
      case 'servers':
        return this.offer(new RTCPeerConnection({ iceServers: message.iceServers }));
      case 'answer':
        return connection.setRemoteDescription(message as RTCSessionDescriptionInit);
      case 'candidate':
        return connection.addIceCandidate({ candidate: message.candidate, sdpMLineIndex: 0 });
      case 'failed':
        return this.end(message.text);
    }
  }

  private async offer(connection: RTCPeerConnection): Promise<void> {
    this.connection = connection;
    this.join(connection.createDataChannel('pando'));
    connection.onicecandidate = ({ candidate }) => {
      if (candidate && candidate.candidate) this.say({ type: 'candidate', candidate: candidate.candidate });
    };
    const { sdp = '' } = await connection.createOffer();
    this.say({ type: 'offer', sdp });
    await connection.setLocalDescription({ type: 'offer', sdp });
  }

  private join(channel: RTCDataChannel): void {
    this.channel = channel;
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = BUFFERED_LIMIT / 2;
    channel.onopen = () => this.opened();
    channel.onclose = () => this.end();
    channel.onmessage = ({ data }) => this.receive(data);
    channel.onbufferedamountlow = () => this.pump(BUFFERED_LIMIT);
  }

  private say(message: Signal): void {
    if (this.signal.readyState === WebSocket.OPEN) this.signal.send(JSON.stringify(message));
  }

  private opened(): void {
    this.hangUp();
    this.then(async () => this.tell({ type: 'open', path: await pathOf(this.connection as RTCPeerConnection) }));
  }

  /** Ends the signalling. */
  private hangUp(): void {
    this.signal.onmessage = this.signal.onclose = null;
    this.signal.close();
  }

  private receive(piece: ArrayBuffer): void {
    this.pieces.push(piece);
    if (new Uint8Array(piece)[0] & LAST || this.pieces.length > MOST_PIECES) this.pass();
  }

  /** To the link: what was received, and how much of its own went out. */
  private pass(): void {
    const pieces = this.pieces;
    this.pieces = [];
    this.told = this.gone;
    this.tell({ type: 'pieces', pieces, gone: this.told }, pieces);
  }

  private tell(message: FromPeer, transfer: Transferable[] = []): void {
    this.link.postMessage(message, transfer);
  }

  /** Bytes that have left the data channel. */
  private get gone(): number {
    return this.channel ? this.given - this.channel.bufferedAmount : 0;
  }

  private take(pieces: Uint8Array<ArrayBuffer>): void {
    this.queue.push(pieces);
    this.pump(BUFFERED_LIMIT);
  }

  private pump(limit: number): void {
    const { channel, queue } = this;
    if (!channel || channel.readyState !== 'open') return;
    while (queue.length > 0 && channel.bufferedAmount < limit) {
      const piece = queue[0].subarray(this.at, this.at + PIECE);
      channel.send(piece);
      this.given += piece.length;
      this.at += piece.length;
      if (this.at < queue[0].length) continue;
      queue.shift();
      this.at = 0;
    }
    if (this.gone - this.told >= TELL_BYTES) this.pass();
  }

  /** Sends what there is, then ends. */
  private close(): void {
    this.link.onmessage = null;
    this.pump(Infinity);
    if (!this.channel || this.channel.readyState !== 'open') return this.end();
    this.channel.close();
    setTimeout(() => this.end(), LINGER_MS);
  }

  /** Frees everything. */
  private end(text = ''): void {
    if (this.ended) return;
    this.ended = true;
    this.hangUp();
    this.tell({ type: 'closed', text });
    this.link.close();
    if (this.connection) this.connection.close();
  }
}

/** Whether the pair of candidates in use has a TURN server in between. */
async function pathOf(connection: RTCPeerConnection): Promise<Path> {
  const stats = new Map<string, Record<string, string>>();
  let selected = '';
  (await connection.getStats()).forEach((entry) => {
    stats.set(entry.id, entry);
    // Firefox says it with the pair, others with the transport.
    selected = entry.selectedCandidatePairId || (entry.selected ? entry.id : selected);
  });
  const pair = stats.get(selected);
  const relayed = pair && [pair.localCandidateId, pair.remoteCandidateId].some((id) => isRelay(stats.get(id)));
  return relayed ? 'turn' : 'direct';
}

function isRelay(candidate: Record<string, string> | undefined): boolean {
  return candidate !== undefined && candidate.candidateType === 'relay';
}
