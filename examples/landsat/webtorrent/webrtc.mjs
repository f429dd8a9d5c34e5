// Corrects the WebRTC of Node's WebTorrent, version 1.2.2. Import this before WebTorrent.
import { RTCPeerConnection } from 'webrtc-polyfill'

const { close, dispatchEvent } = RTCPeerConnection.prototype
const closed = new WeakSet()

// When the number of closed connections reaches the number of opened ones, the library shuts down
// completely, even with newer connections. It also counts a connection twice that is closed twice.
new RTCPeerConnection({ iceServers: [] }) // never closed
RTCPeerConnection.prototype.close = function () {
  if (closed.has(this)) return
  closed.add(this)
  close.call(this)
}

// The library does not report the end of the candidates, so every offer and answer would wait 5 s.
RTCPeerConnection.prototype.dispatchEvent = function (event) {
  const dispatched = dispatchEvent.call(this, event)
  if (event.type === 'icegatheringstatechange' && this.iceGatheringState === 'complete') this.onicecandidate?.({ candidate: null })
  return dispatched
}
