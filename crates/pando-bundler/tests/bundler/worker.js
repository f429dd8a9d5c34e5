// Runs a bundle in a context with the globals of a browser's worker and without Node's, and calls
// its function: node worker.js BUNDLE INPUT. Prints {"result": …} or {"error": …} as JSON.
'use strict'
const fs = require('fs')
const vm = require('vm')

const context = vm.createContext({
  console, setTimeout, clearTimeout, setInterval, clearInterval, performance, MessageChannel,
  TextEncoder, TextDecoder, URL, URLSearchParams, Blob, atob, btoa, AbortController, fetch,
  // A page over plain HTTP has only this member of `crypto`.
  crypto: { getRandomValues: array => globalThis.crypto.getRandomValues(array) }
})
vm.runInContext('globalThis.self = globalThis', context)
context.__pandoHost = { version: '0.1.0', report: info => { context.reported = info } }

class Context {
  index = 1
  get signal () { return new AbortController().signal }
  get log () { return console.error }
}

const [file, input] = process.argv.slice(2)

function answer (error, result) {
  const text = error ? { error: String((error && error.message) || error) } : { result }
  process.stdout.write(JSON.stringify(text))
}

try {
  vm.runInContext(fs.readFileSync(file, 'utf8'), context, { filename: 'function.js' })
  const { exports, esm } = context.__pandoModule
  const callbackStyle = exports['/pando/1.0.0'] || (exports.default && exports.default['/pando/1.0.0'])
  const plain = typeof exports === 'function' ? exports : exports.default
  if (callbackStyle) callbackStyle(input, answer)
  else if (plain) Promise.resolve(input).then(x => plain(x, new Context())).then(result => answer(null, result), answer)
  else answer(null, { esm, exports })
} catch (error) {
  answer(error)
}
