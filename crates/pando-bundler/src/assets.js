// The assets of a run, for its function: `context.asset(name)` and `context.assetUrl(name)`.

/** The bytes of each asset that was asked for, as promises. */
var bytes = {}

exports.asset = function (name) {
  if (!bytes[name]) {
    bytes[name] = blobOf(name)
      .then(function (blob) { return new Response(blob).arrayBuffer() })
      .then(function (buffer) { return new Uint8Array(buffer) })
    // The next item may have more luck.
    bytes[name].catch(function () { delete bytes[name] })
  }
  return bytes[name]
}

exports.assetUrl = function (name) { return folderOfPage() + 'assets/' + encodedName(name) }

/** The name in the form for a URL. Dots would lead out of the folder of the assets. */
function encodedName(name) {
  var parts = String(name).split('/')
  if (parts.some(function (part) { return part === '' || part === '.' || part === '..' }))
    throw new Error("no asset '" + name + "': give a path below the folder of --assets, without `..`")
  return parts.map(encodeURIComponent).join('/')
}

/** The folder of the page. At a relay, workers come from blobs, but the script has its address. */
function folderOfPage() {
  var here = String(globalThis.location)
  if (/^https?:/.test(here)) return new URL('.', here).href
  var found = /https?:\/\/[^\s()]*\/(?=function\.js)/.exec(String(new Error().stack))
  if (!found) throw new Error('the address of the page is unknown: use context.asset')
  return found[0]
}

/** Questions to the page without an answer. */
var waiting = null
var lastQuestion = 0
/** Milliseconds within which the page says that it fetches an asset. */
var PAGE_SILENCE = 30000

function blobOf(name) {
  try {
    var path = encodedName(name)
  } catch (error) {
    return Promise.reject(error)
  }
  if (typeof document !== 'undefined') return globalThis.pandoAsset(path)
  if (!waiting) listen()
  return new Promise(function (resolve, reject) {
    var id = ++lastQuestion
    var silence = setTimeout(function () {
      delete waiting[id]
      reject(new Error('the page does not fetch assets: load it again'))
    }, PAGE_SILENCE)
    waiting[id] = function (answer) {
      clearTimeout(silence)
      if (answer.heard) return
      delete waiting[id]
      if (answer.blob) resolve(answer.blob)
      else reject(new Error(answer.error))
    }
    postMessage({ pandoAsset: id, path: path })
  })
}

function listen() {
  waiting = {}
  addEventListener('message', function (event) {
    var answer = event.data && waiting[event.data.pandoAsset]
    if (answer) answer(event.data)
  })
}
