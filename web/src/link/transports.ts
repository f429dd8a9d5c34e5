/** The transports for an attempt to connect. */

/**
 * `turn` is `webrtc` with a TURN server. Both are separate, because with a TURN server a browser
 * often finds the relayed route first, even if a direct route exists.
 */
export type Transport = 'webrtc' | 'turn' | 'websocket';

/** The kind of the page, and the abilities of its browser. */
export interface TransportOptions {
  /** Whether a relay serves the page. */
  relay: boolean;
  /** Whether the browser has peer connections. */
  webrtc: boolean;
  /** The transport that the page's address asks for. */
  protocol?: string;
}

/**
 * The transports of one attempt in order. A WebSocket needs a reachable master, or a relay which
 * forwards its bytes.
 */
export function transports({ relay, webrtc, protocol }: TransportOptions): Transport[] {
  if (!webrtc || protocol === 'websocket') return ['websocket'];
  if (protocol === 'webrtc') return ['webrtc', 'turn'];
  return relay ? ['webrtc', 'turn', 'websocket'] : ['websocket'];
}
