// One attempt to mine a block, as in Bitcoin: hashes the header with each of `count` nonces,
// starting with `nonce`, until a hash is at most the target: { header, target, nonce, count } -> {
// nonce, hashes }. The nonce is null if no hash was small enough.
const Sha256 = require('sha.js/sha256')
const pando = require('pando-computing')

module.exports['/pando/1.0.0'] = (attempt, cb) => {
  const header = Buffer.from(attempt.header, 'hex')
  const target = Buffer.from(attempt.target, 'hex')
  if (header.length !== 80 || target.length !== 32) return cb(new Error('not an attempt: ' + JSON.stringify(attempt)))

  const began = Date.now()
  const outcome = search(header, target, attempt.nonce, attempt.count)
  pando.report({ cpuTime: Date.now() - began, dataTransferTime: 0, nbItems: outcome.hashes, units: 'hashes' })
  cb(null, outcome)
}

function search (header, target, first, count) {
  for (let i = 0; i < count; i++) {
    header.writeUInt32LE(first + i, 76)
    if (isAtMost(sha256(sha256(header)), target)) return { nonce: first + i, hashes: i + 1 }
  }
  return { nonce: null, hashes: count }
}

function sha256 (bytes) {
  return new Sha256().update(bytes).digest()
}

// Compares a hash, whose lowest byte comes first, with the target, whose highest byte comes first.
function isAtMost (hash, target) {
  for (let i = 0; i < 32; i++) {
    if (hash[31 - i] !== target[i]) return hash[31 - i] < target[i]
  }
  return true
}
