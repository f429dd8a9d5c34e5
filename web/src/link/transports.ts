/** Which transports a connection is tried over. */

/** `turn` is `webrtc` with the help of a TURN server, which would often be the first way found where there is a direct one. */
export type Transport = 'webrtc' | 'turn' | 'websocket';

/** What the page is and can do. */
export interface Means {
  /** The page is served by a relay. */
  relay: boolean;
  /** The browser has peer connections. */
  webrtc: boolean;
  /** The one asked for in the page's address. */
  protocol?: string;
}

/** The transports of one try, first to last: a WebSocket needs the master, or a relay that passes its bytes on. */
export function transports({ relay, webrtc, protocol }: Means): Transport[] {
  if (!webrtc || protocol === 'websocket') return ['websocket'];
  if (protocol === 'webrtc') return ['webrtc', 'turn'];
  return relay ? ['webrtc', 'turn', 'websocket'] : ['websocket'];
}
