// The data does not pass through Pando: the address of a picture -> a description of the uploaded
// result, with --json.
import { sha256 } from 'js-sha256'
import { blur } from './blur.js'

// The upload of the previous picture.
let uploading = Promise.resolve()

export default async ({ id, picture, upload }, { report }) => {
  const began = Date.now()
  const bytes = await download(picture)
  const downloaded = Date.now()
  const png = blur(bytes)
  const blurred = Date.now()
  // The next picture is computed during the upload of the previous one, but only one upload runs
  // at a time.
  await uploading
  report({ cpuTime: blurred - downloaded, dataTransferTime: downloaded - began + Date.now() - blurred, nbItems: 1, units: 'pictures' })

  const name = id + '.png'
  // If the upload fails, the result is not confirmed, and the picture is computed again.
  uploading = put(upload + name, png).catch(error => console.error(name + ' is not uploaded: ' + error.message))
  return { name, bytes: png.length, sha256: sha256(png) }
}

async function download (url) {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`)
  return new Uint8Array(await response.arrayBuffer())
}

async function put (url, png) {
  const response = await fetch(url, { method: 'PUT', headers: { 'Content-Type': 'image/png' }, body: png })
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
}
