// Unpacks old Chromiums from npm packages for servers into FOLDER/VERSION/chromium, once.
//   node set-up.mjs FOLDER
// On failure, prints the reason and exits with status 1.

import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, createReadStream, createWriteStream, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createBrotliDecompress } from 'node:zlib'

const from = dirname(fileURLToPath(import.meta.url))
const to = process.argv[2]
const LOCK = 'package-lock.json'
/** A copy of the lock file of the unpacked packages, written last. */
const stamp = join(to, 'unpacked.json')

async function main () {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('their packages are for Linux on x86-64')
  if (existsSync(stamp) && readFileSync(stamp).equals(readFileSync(join(from, LOCK)))) return
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  for (const file of ['package.json', LOCK, '.npmrc']) copyFileSync(join(from, file), join(to, file))
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-progress'], { cwd: to, stdio: ['ignore', 'ignore', 'pipe'] })
  const packages = readdirSync(join(to, 'node_modules')).filter((name) => name.startsWith('chromium-'))
  for (const name of packages) await unpack(join(to, 'node_modules', name, 'bin'), join(to, name.slice('chromium-'.length)))
  rmSync(join(to, 'node_modules'), { recursive: true })
  copyFileSync(join(from, LOCK), stamp)
}

/** Unpacks only the program. Tests do not need the libraries in the other archives. */
async function unpack (bin, folder) {
  mkdirSync(folder)
  const file = join(folder, 'chromium')
  const packed = readdirSync(bin).find((name) => /^chromium.*\.br$/.test(name))
  await pipeline(createReadStream(join(bin, packed)), createBrotliDecompress(), createWriteStream(file))
  chmodSync(file, 0o755)
  execFileSync(file, ['--no-sandbox', '--headless', '--disable-gpu', '--dump-dom', 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'], timeout: 60_000 })
}

main().catch((error) => {
  console.log(`${error.message}\n${error.stderr ?? ''}`.trim().split('\n').slice(0, 5).join(' '))
  process.exitCode = 1
})
