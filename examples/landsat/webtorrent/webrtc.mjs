// What the WebRTC of Node's WebTorrent lacks, of version 1.2.2; to be imported before WebTorrent.
import { RTCPeerConnection } from 'webrtc-polyfill'

const { close, dispatchEvent } = RTCPeerConnection.prototype
const closed = new WeakSet()

// When as many were closed as were opened, all is torn down, also what has been opened in the meantime. And one that is
// closed twice is counted twice.
new RTCPeerConnection({ iceServers: [] }) // never closed
RTCPeerConnection.prototype.close = function () {
  if (closed.has(this)) return
  closed.add(this)
  close.call(this)
}

// It does not say when the last candidate was found, for which every offer and answer would wait 5 s.
RTCPeerConnection.prototype.dispatchEvent = function (event) {
  const dispatched = dispatchEvent.call(this, event)
  if (event.type === 'icegatheringstatechange' && this.iceGatheringState === 'complete') this.onicecandidate?.({ candidate: null })
  return dispatched
}
