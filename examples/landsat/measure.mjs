// Blurs the same pictures in all three ways, in one tab of a headless Chromium, and prints a
// table: node measure.mjs
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = fileURLToPath(new URL('.', import.meta.url))
const { values: options } = parseArgs({
  options: {
    count: { type: 'string', default: '24' }, // pictures
    size: { type: 'string', default: '512' }, // their width and height
    bin: { type: 'string', default: join(here, '../../target/release') }, // the programs
    chromium: { type: 'string', default: 'chromium' }
  }
})
const CHROMIUM = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-renderer-backgrounding', '--disable-background-timer-throttling'
]
const work = mkdtempSync(join(tmpdir(), 'landsat-'))
const pictures = join(work, 'pictures')
const program = name => join(options.bin, name)
const running = new Set()

process.on('exit', () => {
  running.forEach(child => child.kill('SIGKILL'))
  rmSync(work, { recursive: true, force: true })
})
sample()
const rows = [await files(), await http(), await webtorrent()]
const [hashes] = rows.map(row => row.hashes)
if (rows.some(row => row.hashes !== hashes)) throw new Error('the ways differ in their results')
console.log(`${options.count} pictures of ${options.size} × ${options.size} pixels, ${mb(inFiles(pictures))} MB; blurred, ${mb(inFiles(rows[0].results))} MB\n`)
console.log('| the data goes | time | through pando | of that, pictures |\n|---|---|---|---|')
rows.forEach(({ way, seconds, bytes, data }) => console.log(`| ${way} | ${seconds.toFixed(1)} s | ${mb(bytes)} MB | ${mb(data)} MB |`))
process.exit()

function sample () {
  const { status } = spawnSync(program('landsat-sample'), [pictures, '--count', options.count, '--size', options.size, '--base', 'http://base/'], { stdio: 'inherit' })
  if (status !== 0) throw new Error('no pictures')
}

function scenes (...more) {
  return spawnSync(program('landsat-scenes'), [join(pictures, 'c1/L8/scene_list.gz'), '--base', 'http://base/', ...more], { encoding: 'utf8' }).stdout
}

async function files () {
  const results = join(work, 'files')
  const lines = scenes('--print', 'name')
  const row = await map('with --files, through pando', 'files.js', ['--files', '--output-dir', results, '--ext', 'png'], lines, results)
  return { ...row, data: inFiles(pictures) + inFiles(results) }
}

async function http () {
  const results = join(work, 'http')
  const server = start(program('landsat-server'), ['--pictures', pictures, '--results', results, '--bind', '127.0.0.1', '--port', '0'])
  const url = (await said(server, /http:\S+\//)).replace('pictures/', '')
  const lines = scenes('--upload', url + 'results/').replaceAll('http://base/', url + 'pictures/')
  const confirm = `'${program('landsat-arrived')}' '${results}'`
  return map('by HTTP', 'http.js', ['--json', '--confirm', confirm], lines, results)
}

async function webtorrent () {
  const results = join(work, 'webtorrent')
  const depot = start('node', [join(here, 'webtorrent/depot.mjs'), '--pictures', pictures, '--results', results, '--port', '0'])
  const desk = await said(depot, /http:\S+\//)
  let lines = ''
  depot.stdout.on('data', data => { lines += data })
  depot.stdin.end(scenes())
  await once(depot.stdout, 'end')
  const confirm = `node '${here}webtorrent/collect.mjs' ${desk}`
  return map('by WebTorrent', 'webtorrent/blur.js', ['--json', '--dom', '--confirm', confirm], lines, results)
}

// Runs pando over the lines with one tab, and counts the bytes between the two.
async function map (way, f, more, lines, results) {
  const pando = start(program('pando'), [join(here, f), '--stdin', '--cores', '0', '--bind', '127.0.0.1', '--port', '0', ...more], pictures)
  const page = new URL(await said(pando, /http:\S+\//))
  const counted = await counter(Number(page.port))
  page.port = counted.port
  page.hash = 'cores=1;'
  const profile = join(work, 'profile-' + f.replace('/', '-'))
  const tab = start(options.chromium, [...CHROMIUM, `--user-data-dir=${profile}`, page.href])
  await said(pando, / joined /)
  const before = performance.now()
  pando.stdout.resume()
  pando.stdin.end(lines)
  const [status] = await once(pando, 'exit')
  if (status !== 0) throw new Error(`${way}: pando ended with ${status}: ${pando.heard}`)
  const seconds = (performance.now() - before) / 1000
  tab.kill()
  await once(tab, 'exit')
  return { way, seconds, results, bytes: counted.bytes(), data: 0, hashes: hashes256(results) }
}

// A proxy to pando that counts the bytes in both directions.
async function counter (port) {
  let bytes = 0
  const server = createServer(client => {
    const master = connect(port, '127.0.0.1')
    for (const [from, to] of [[client, master], [master, client]]) {
      from.on('data', data => { bytes += data.length })
      from.on('error', () => to.destroy())
      from.pipe(to)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: server.address().port, bytes: () => bytes }
}

function start (command, args, cwd) {
  const child = spawn(command, args, { cwd })
  running.add(child)
  child.once('exit', () => running.delete(child))
  child.stdin.on('error', () => {})
  child.heard = ''
  child.stderr.on('data', data => { child.heard += data })
  if (command === options.chromium) child.stdout.resume()
  return child
}

// Waits for a match of `text` in the complete lines of the child's standard error.
async function said (child, text) {
  for (;;) {
    const found = text.exec(child.heard.slice(0, child.heard.lastIndexOf('\n') + 1))
    if (found) return found[0]
    if (child.exitCode !== null) throw new Error(`it ended: ${child.heard}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

function under (folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile()).map(entry => join(entry.parentPath || entry.path, entry.name))
}

function inFiles (folder) {
  return under(folder).filter(name => !name.endsWith('.gz')).reduce((sum, name) => sum + readFileSync(name).length, 0)
}

// The hashes of all results, independent of the file names.
function hashes256 (folder) {
  return under(folder).map(name => createHash('sha256').update(readFileSync(name)).digest('hex')).sort().join()
}

function mb (bytes) {
  return (bytes / 1e6).toFixed(1)
}
