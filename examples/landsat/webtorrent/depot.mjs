// Offers the pictures of the scenes on standard input by WebTorrent, and prints each scene with
// its magnet link. Then downloads the results that collect.mjs asks for, until a signal ends the
// program.
import { createHash } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { closeSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { json } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { Server } from 'bittorrent-tracker'
import MemoryStore from 'memory-chunk-store'
import './webrtc.mjs'
import WebTorrent from 'webtorrent'

const { values: options } = parseArgs({
  options: {
    pictures: { type: 'string' },
    results: { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' }, // by which volunteers reach the tracker
    port: { type: 'string', default: '8700' }, // of the tracker; 0: any
    desk: { type: 'string', default: '0' }, // at which results are asked for, on this machine alone
    patience: { type: 'string', default: '30' } // for the data of a result, in seconds
  }
})
if (!options.pictures || !options.results) {
  console.error('node depot.mjs --pictures DIR --results DIR [--host NAME] [--port 8700] [--desk 0] [--patience 30] <SCENES >SCENES-WITH-LINKS')
  process.exit(2)
}
const PLAIN = /^[0-9A-Za-z][\w.-]{0,199}$/
// The depot answers offers to connect, but makes none: offers of Node's WebRTC sometimes fail with
// "Got a remote candidate without ICE transport".
const getAnnounceOpts = () => ({ numwant: 0 })
const seeding = new Map() // torrents of pictures, by their scenes

await mkdir(options.results, { recursive: true })
const tracker = new Server({ udp: false, http: false, stats: false, ws: true })
tracker.on('warning', () => {})
tracker.listen(Number(options.port))
await once(tracker, 'listening')
const announce = [`ws://${options.host}:${tracker.ws.address().port}`]

EventEmitter.defaultMaxListeners = 0 // all torrents listen to one connection to the tracker
const client = new WebTorrent({
  dht: false, lsd: false, utPex: false, utp: false, natUpnp: false, natPmp: false, tracker: { rtcConfig: { iceServers: [] } }
})
client.on('error', fail)

// Only programs on this machine can ask for results.
const desk = createServer((request, response) => {
  json(request).then(collect).then(() => response.end(), error => {
    response.statusCode = 504
    response.end(error.message)
  })
})
desk.listen(Number(options.desk), '127.0.0.1')
await once(desk, 'listening')
console.error(`Collecting results at http://127.0.0.1:${desk.address().port}/`)

for await (const line of createInterface({ input: process.stdin })) {
  const scene = JSON.parse(line)
  if (!scene.file || scene.file.split('/').includes('..')) fail(new Error(`this is not a scene with a file: ${line}`))
  const torrent = client.seed(join(options.pictures, scene.file), { announce, getAnnounceOpts })
  await once(torrent, 'trackerAnnounce')
  seeding.set(scene.id, torrent)
  if (!process.stdout.write(JSON.stringify({ ...scene, magnet: torrent.magnetURI }) + '\n')) await once(process.stdout, 'drain')
}
process.stdout.write('', () => closeSync(process.stdout.fd))

async function collect ({ name, bytes, sha256, magnet }) {
  if (!PLAIN.test(name)) throw new Error(`${JSON.stringify(name)} is not the name of a result`)
  const torrent = client.add(magnet, { store: MemoryStore, getAnnounceOpts })
  try {
    const data = await within(Number(options.patience), download(torrent, bytes), `${name} has not arrived within ${options.patience} s`)
    const hash = createHash('sha256').update(data).digest('hex')
    if (data.length !== bytes || hash !== sha256) throw new Error(`${name} is another file than the one announced`)
    const part = join(options.results, `.${hash}.part`)
    await writeFile(part, data)
    await rename(part, join(options.results, name))
  } finally {
    await remove(torrent)
  }
  const scene = name.replace(/\.png$/, '')
  if (seeding.has(scene)) await remove(seeding.get(scene))
  seeding.delete(scene)
}

async function download (torrent, length) {
  await once(torrent, 'ready')
  if (torrent.length !== length) throw new Error(`${torrent.name} is another file than the one announced`)
  return Buffer.from(await torrent.files[0].arrayBuffer())
}

function within (seconds, promise, why) {
  let timer
  const late = new Promise((resolve, reject) => { timer = setTimeout(() => reject(new Error(why)), seconds * 1000) })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

function remove (torrent) {
  return new Promise(resolve => client.remove(torrent, resolve))
}

function fail (error) {
  console.error('depot: ' + error.message)
  process.exit(1)
}
