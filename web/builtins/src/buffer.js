var buffer = module.exports = require('buffer/index.js')
var Buffer = buffer.Buffer

buffer.Blob = globalThis.Blob
buffer.atob = globalThis.atob && globalThis.atob.bind(globalThis)
buffer.btoa = globalThis.btoa && globalThis.btoa.bind(globalThis)
buffer.constants = { MAX_LENGTH: buffer.kMaxLength, MAX_STRING_LENGTH: 0x1fffffe8 }

// Node knows base64url since version 15.7. The package's base64 decoder accepts both alphabets.
function isUrl (encoding) {
  return typeof encoding === 'string' && encoding.toLowerCase() === 'base64url'
}

var from = Buffer.from
Buffer.from = function (value, encoding, length) {
  return from(value, isUrl(encoding) ? 'base64' : encoding, length)
}

var isEncoding = Buffer.isEncoding
Buffer.isEncoding = function (encoding) { return isUrl(encoding) || isEncoding(encoding) }

var toString = Buffer.prototype.toString
Buffer.prototype.toString = function (encoding, start, end) {
  if (!isUrl(encoding)) return toString.apply(this, arguments)
  return toString.call(this, 'base64', start, end).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}
