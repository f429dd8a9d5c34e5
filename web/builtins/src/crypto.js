var randomBytes = require('randombytes')
var createHash = require('create-hash')
var createHmac = require('create-hmac')
var pbkdf2 = require('pbkdf2')

var crypto = module.exports = {
  randomBytes: randomBytes,
  pseudoRandomBytes: randomBytes,
  createHash: createHash,
  Hash: createHash,
  createHmac: createHmac,
  Hmac: createHmac,
  pbkdf2: pbkdf2.pbkdf2,
  pbkdf2Sync: pbkdf2.pbkdf2Sync
}

// Ciphers, keys and signatures take 60 ms to load in every worker, so they load at their first
// use.
;[
  'Cipher', 'createCipher', 'Cipheriv', 'createCipheriv', 'Decipher', 'createDecipher', 'Decipheriv', 'createDecipheriv',
  'getCiphers', 'listCiphers', 'DiffieHellmanGroup', 'createDiffieHellmanGroup', 'getDiffieHellman',
  'createDiffieHellman', 'DiffieHellman', 'createSign', 'Sign', 'createVerify', 'Verify', 'createECDH',
  'publicEncrypt', 'privateEncrypt', 'publicDecrypt', 'privateDecrypt', 'randomFill', 'randomFillSync',
  'createCredentials', 'constants', 'getHashes'
].forEach(function (name) {
  Object.defineProperty(crypto, name, {
    configurable: true,
    enumerable: true,
    get: function () { return require('crypto-browserify')[name] }
  })
})

// `subtle` and `webcrypto.randomUUID` exist on secure origins only, `getRandomValues` on all.
var web = globalThis.crypto

crypto.webcrypto = web
crypto.subtle = web && web.subtle
crypto.getRandomValues = function (array) { return web.getRandomValues(array) }

crypto.randomUUID = function () {
  var bytes = crypto.randomBytes(16)
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

crypto.randomInt = function (min, max, callback) {
  if (typeof max !== 'number') {
    callback = max
    max = min
    min = 0
  }
  var range = max - min
  if (!(range > 0 && range <= 0xffffffffffff)) throw new RangeError('the range of randomInt must be within 1 and 2**48 - 1')
  var limit = 0x1000000000000 - (0x1000000000000 % range)
  var random
  do random = crypto.randomBytes(6).readUIntBE(0, 6); while (random >= limit)
  random = min + (random % range)
  if (!callback) return random
  Promise.resolve().then(function () { callback(null, random) })
}

crypto.timingSafeEqual = function (a, b) {
  if (a.byteLength !== b.byteLength) throw new RangeError('Input buffers must have the same byte length')
  var left = new Uint8Array(a.buffer || a, a.byteOffset || 0, a.byteLength)
  var right = new Uint8Array(b.buffer || b, b.byteOffset || 0, b.byteLength)
  var difference = 0
  for (var i = 0; i < left.length; i++) difference |= left[i] ^ right[i]
  return difference === 0
}

crypto.hash = function (algorithm, data, encoding) {
  var hash = crypto.createHash(algorithm).update(data)
  return encoding === 'buffer' ? hash.digest() : hash.digest(encoding || 'hex')
}
