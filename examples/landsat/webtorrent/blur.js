// WebTorrent carries the data directly: a scene with the magnet link of its picture -> a result
// with its own magnet link, with --dom (workers have no WebRTC) and --json.
import { sha256 } from 'js-sha256'
import WebTorrent from 'webtorrent/dist/webtorrent.min.js'
import { blur } from '../blur.js'

// Devices in one network find each other without a STUN server.
const client = new WebTorrent({ tracker: { rtcConfig: { iceServers: [] } } })
client.on('error', error => console.error(error.message))

export default async ({ id, magnet }, { report }) => {
  const began = Date.now()
  const { bytes, trackers } = await download(magnet)
  const downloaded = Date.now()
  const png = blur(bytes)
  const blurred = Date.now()
  const name = id + '.png'
  while (offered.size >= MOST_OFFERED) await new Promise(resolve => setTimeout(resolve, 50))
  const link = await offer(png, name, trackers)
  report({ cpuTime: blurred - downloaded, dataTransferTime: downloaded - began, nbItems: 1, units: 'pictures' })
  // If nobody downloads the result, the result is not confirmed, and the picture is computed
  // again.
  return { name, bytes: png.length, sha256: sha256(png), magnet: link }
}

async function download (magnet) {
  const torrent = client.add(magnet, { getAnnounceOpts })
  connect(torrent)
  await new Promise((resolve, reject) => torrent.once('ready', resolve).once('error', reject))
  const bytes = new Uint8Array(await torrent.files[0].arrayBuffer())
  const trackers = torrent.announce
  client.remove(torrent, { destroyStore: true })
  return { bytes, trackers }
}

const MOST_OFFERED = 6
const LONGEST_OFFER = 60000 // milliseconds; what was not downloaded by then will not be
const offered = new Map()

// Offers a picture until another peer has downloaded all of it.
function offer (png, name, trackers) {
  if (!offered.has(name)) {
    const announceList = trackers.map(tracker => [tracker])
    const torrent = client.seed(new Blob([png]), { name, announceList, getAnnounceOpts })
    const remove = () => { if (offered.delete(name)) client.remove(torrent, { destroyStore: true }) }
    torrent.on('wire', wire => wire.on('close', () => { if (torrent.uploaded >= torrent.length) remove() }))
    setTimeout(() => { if (!torrent.destroyed) remove() }, LONGEST_OFFER)
    connect(torrent)
    const ready = new Promise((resolve, reject) => torrent.once('ready', resolve).once('error', reject))
    offered.set(name, ready.then(() => torrent.magnetURI))
  }
  return offered.get(name)
}

// This page makes the offers to connect, and the tracker passes them on to the peers present. So
// the page repeats them until a peer connects.
const getAnnounceOpts = () => ({ numwant: 1 })

function connect (torrent, delay = 200) {
  setTimeout(() => {
    if (torrent.destroyed) return
    if (torrent.numPeers === 0 && torrent.discovery) torrent.discovery.tracker.update()
    connect(torrent, Math.min(1.5 * delay, 2000))
  }, delay)
}
