/**
 * A peer connection, in the page because workers have none. The peer does the signalling, and
 * gives the data channel to the link.
 */

import { piecesOf } from '../link/pieces.ts';
import type { Path, VolunteerByeReason } from '../messages.ts';
import type { FromPeer, ToPeer } from '../page-messages.ts';
import { PieceForwarder } from './piece-forwarder.ts';

/**
 * The volunteer's messages of signalling.
 *
 * @spoken by the master
 */
type VolunteerSignal = { type: 'offer'; sdp: string } | { type: 'candidate'; candidate: string };

/**
 * The master's messages of signalling; the first one comes from the server of the page.
 *
 * @spoken by the master
 */
type MasterSignal =
  | { type: 'servers'; iceServers: RTCIceServer[] }
  | { type: 'answer'; sdp: string }
  | { type: 'candidate'; candidate: string }
  | { type: 'failed'; text: string };

export class Peer {
  private readonly signal: WebSocket;
  private connection: RTCPeerConnection | null = null;
  /** The last step of signalling; steps run one after the other. */
  private step: Promise<unknown> = Promise.resolve();
  /** Forwards pieces to the data channel, unless the link has the data channel itself. */
  private forwarder: PieceForwarder | null = null;
  ended = false;

  constructor(
    url: string,
    private readonly turn: boolean,
    private readonly link: MessagePort,
  ) {
    link.onmessage = ({ data }: MessageEvent<ToPeer>) => this.receive(data);
    this.signal = new WebSocket(url);
    this.signal.onmessage = ({ data }) => this.next(() => this.hear(JSON.parse(data)));
    // After the master's answer the signalling may end, because the connection may open without
    // more messages. The link gives up after its own time limit.
    this.signal.onclose = () =>
      this.next(() => (this.connection && this.connection.remoteDescription) || this.end());
  }

  /**
   * Whether the browser holds the connection back, until the person allows the page to reach
   * devices on the local network.
   */
  get isHeld(): boolean {
    const { connection } = this;
    return (
      !!connection && !!connection.remoteDescription && connection.iceConnectionState === 'new'
    );
  }

  /**
   * Says goodbye for the link before the page closes, because the link's own goodbye would come
   * too late. A link with the data channel says goodbye itself.
   */
  goodbye(reason: VolunteerByeReason): void {
    if (!this.forwarder) return;
    this.forwarder.take(piecesOf(JSON.stringify({ type: 'bye', reason })).buffer);
    this.close();
  }

  private receive(message: ToPeer): void {
    if (message === 'opened') this.opened();
    else if (message === 'end') this.close();
    else if (this.forwarder) this.forwarder.take(message);
  }

  private next(step: () => unknown): void {
    this.step = this.step
      .then(() => this.ended || step())
      .catch((error) => this.end(String(error)));
  }

  private hear(message: MasterSignal): unknown {
    const connection = this.connection as RTCPeerConnection;
    switch (message.type) {
      case 'servers':
        return this.offer(
          new RTCPeerConnection({
            iceServers: message.iceServers.filter(
              ({ urls }) => this.turn || !/turns?:/.test(String(urls)),
            ),
          }),
        );
      case 'answer':
        return connection.setRemoteDescription(message as RTCSessionDescriptionInit);
      case 'candidate':
        // An unusable candidate must not prevent the others.
        return connection
          .addIceCandidate({ candidate: message.candidate, sdpMLineIndex: 0 })
          .catch(() => undefined);
      case 'failed':
        return this.end(message.text);
    }
  }

  private async offer(connection: RTCPeerConnection): Promise<void> {
    this.connection = connection;
    this.giveAway(connection.createDataChannel('pando'));
    connection.onicecandidate = ({ candidate }) => {
      if (candidate && candidate.candidate)
        this.say({ type: 'candidate', candidate: candidate.candidate });
    };
    const { sdp = '' } = await connection.createOffer();
    this.say({ type: 'offer', sdp });
    await connection.setLocalDescription({ type: 'offer', sdp });
  }

  /**
   * Transfers the data channel to the link, so that frames skip the page. Old browsers cannot
   * transfer data channels.
   */
  private giveAway(channel: RTCDataChannel): void {
    try {
      this.tell({ type: 'channel', channel }, [channel as unknown as Transferable]);
    } catch {
      this.forwarder = new PieceForwarder(
        channel,
        (message, transfer) => this.tell(message, transfer),
        () => this.opened(),
        () => this.end(),
      );
    }
  }

  private say(message: VolunteerSignal): void {
    if (this.signal.readyState === WebSocket.OPEN) this.signal.send(JSON.stringify(message));
  }

  private opened(): void {
    this.hangUp();
    const tell = (path: Path) => this.tell({ type: 'open', path });
    pathOf(this.connection as RTCPeerConnection).then(tell, () => tell('direct'));
  }

  private hangUp(): void {
    this.signal.onmessage = this.signal.onclose = null;
    this.signal.close();
  }

  private tell(message: FromPeer, transfer: Transferable[] = []): void {
    this.link.postMessage(message, transfer);
  }

  private close(): void {
    this.link.onmessage = null;
    if (this.forwarder) this.forwarder.close(() => this.end());
    else this.end();
  }

  /** Ends the signalling and the connection. */
  private end(text = ''): void {
    if (this.ended) return;
    this.ended = true;
    this.hangUp();
    this.tell({ type: 'closed', text });
    this.link.close();
    if (this.connection) this.connection.close();
  }
}

/** The route of the selected candidate pair: through a TURN server, or direct. */
async function pathOf(connection: RTCPeerConnection): Promise<Path> {
  const stats = new Map<string, Record<string, string>>();
  let selected = '';
  (await connection.getStats()).forEach((entry) => {
    stats.set(entry.id, entry);
    // Firefox marks the selected pair itself; other browsers name the pair in the transport's
    // entry.
    selected = entry.selectedCandidatePairId || (entry.selected ? entry.id : selected);
  });
  const pair = stats.get(selected);
  const relayed =
    pair && [pair.localCandidateId, pair.remoteCandidateId].some((id) => isRelay(stats.get(id)));
  return relayed ? 'turn' : 'direct';
}

function isRelay(candidate: Record<string, string> | undefined): boolean {
  return candidate !== undefined && candidate.candidateType === 'relay';
}
