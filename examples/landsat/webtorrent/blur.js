// The data goes from one to the other by WebTorrent: a scene with its picture's magnet link -> a result with its own,
// with --dom (workers have no WebRTC) and --json.
import { sha256 } from 'js-sha256'
import WebTorrent from 'webtorrent/dist/webtorrent.min.js'
import { blur } from '../blur.js'

// Devices of one network find each other without a STUN server.
const client = new WebTorrent({ tracker: { rtcConfig: { iceServers: [] } } })
client.on('error', error => console.error(error.message))

export default async ({ id, magnet }, { report }) => {
  const began = Date.now()
  const { bytes, trackers } = await download(magnet)
  const downloaded = Date.now()
  const png = blur(bytes)
  const blurred = Date.now()
  const name = id + '.png'
  const link = await offer(png, name, trackers)
  report({ cpuTime: blurred - downloaded, dataTransferTime: downloaded - began, nbItems: 1, units: 'pictures' })
  // What is not downloaded from here is not confirmed, and computed again.
  return { name, bytes: png.length, sha256: sha256(png), magnet: link }
}

async function download (magnet) {
  const torrent = client.add(magnet)
  await new Promise(resolve => torrent.once('ready', resolve))
  const bytes = new Uint8Array(await torrent.files[0].arrayBuffer())
  const trackers = torrent.announce
  client.remove(torrent, { destroyStore: true })
  return { bytes, trackers }
}

const offered = new Map()

// Offers a picture until somebody has all of it.
async function offer (png, name, trackers) {
  if (!offered.has(name)) {
    const torrent = client.seed(new Blob([png]), { name, announceList: trackers.map(tracker => [tracker]) })
    torrent.on('wire', wire => wire.on('have', () => {
      if (!wire.isSeeder || !offered.delete(name)) return
      client.remove(torrent, { destroyStore: true })
    }))
    offered.set(name, new Promise(resolve => torrent.once('ready', () => resolve(torrent.magnetURI))))
  }
  return offered.get(name)
}
