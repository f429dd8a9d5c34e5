/** Which transports a connection is tried over. */

export type Transport = 'webrtc' | 'websocket';

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
  if (protocol === 'webrtc') return ['webrtc'];
  return relay ? ['webrtc', 'websocket'] : ['websocket'];
}
