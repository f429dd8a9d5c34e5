/**
 * The page's end of a peer connection, since workers have none: signals for it, opens its data channel, and passes pieces
 * of frames between that and the link.
 */

import { LAST, cut } from '../link/pieces.ts';
import { Pipe } from '../link/pipe.ts';
import type { Path } from '../messages.ts';
import type { FromPeer, ToPeer } from '../page-messages.ts';

type Signal =
  | { type: 'servers'; iceServers: RTCIceServer[] }
  | { type: 'offer' | 'answer'; sdp: string }
  | { type: 'candidate'; candidate: string }
  | { type: 'failed'; text: string };

/** The link is told what went out at the latest when it is so many bytes. */
const TELL_BYTES = 1 << 15;
/** More pieces than these do not wait for the rest of their frame. */
const MOST_PIECES = 4;

export class Peer {
  private readonly signal: WebSocket;
  private connection: RTCPeerConnection | null = null;
  /** The last step of signalling: one follows the other. */
  private step: Promise<unknown> = Promise.resolve();
  /** The data channel, unless the link has it. */
  private pipe: Pipe | null = null;
  /** Bytes that have left it, as far as the link knows. */
  private told = 0;
  /** Received, and not yet passed on. */
  private pieces: ArrayBuffer[] = [];
  private ended = false;

  constructor(
    url: string,
    private readonly link: MessagePort,
  ) {
    link.onmessage = ({ data }: MessageEvent<ToPeer>) => this.obey(data);
    this.signal = new WebSocket(url);
    this.signal.onmessage = ({ data }) => this.next(() => this.hear(JSON.parse(data)));
    this.signal.onclose = () => this.end();
  }

  /** The page goes away: what the link has to say would come too late, unless it has the data channel. */
  goodbye(): void {
    if (!this.pipe) return;
    this.pipe.take(cut(JSON.stringify({ type: 'bye', reason: 'hidden' })));
    this.close();
  }

  private obey(message: ToPeer): void {
    if (message === 'opened') this.opened();
    else if (message === 'end') this.close();
    else if (this.pipe) this.pipe.take(new Uint8Array(message)), this.account();
  }

  private next(step: () => unknown): void {
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
    this.giveAway(connection.createDataChannel('pando'));
    connection.onicecandidate = ({ candidate }) => {
      if (candidate && candidate.candidate) this.say({ type: 'candidate', candidate: candidate.candidate });
    };
    const { sdp = '' } = await connection.createOffer();
    this.say({ type: 'offer', sdp });
    await connection.setLocalDescription({ type: 'offer', sdp });
  }

  /** To the link, so that nothing passes here; old browsers cannot. */
  private giveAway(channel: RTCDataChannel): void {
    try {
      this.tell({ type: 'channel', channel }, [channel as unknown as Transferable]);
    } catch {
      this.pipe = new Pipe(channel, {
        opened: () => this.opened(),
        piece: (piece) => this.receive(piece),
        drained: () => this.account(),
        closed: () => this.end(),
      });
    }
  }

  private say(message: Signal): void {
    if (this.signal.readyState === WebSocket.OPEN) this.signal.send(JSON.stringify(message));
  }

  private opened(): void {
    this.hangUp();
    this.next(async () => this.tell({ type: 'open', path: await pathOf(this.connection as RTCPeerConnection) }));
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
    this.told = (this.pipe as Pipe).gone;
    this.tell({ type: 'pieces', pieces, gone: this.told }, pieces);
  }

  private account(): void {
    if ((this.pipe as Pipe).gone - this.told >= TELL_BYTES) this.pass();
  }

  private tell(message: FromPeer, transfer: Transferable[] = []): void {
    this.link.postMessage(message, transfer);
  }

  private close(): void {
    this.link.onmessage = null;
    if (this.pipe) this.pipe.close(() => this.end());
    else this.end();
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
