// Tests the parts of Node's built-ins which functions use. Returns a list of [row, result]: the
// result is 'ok' or the error.
var zlib = require('zlib')
var crypto = require('node:crypto')
var util = require('util')
var EventEmitter = require('events')
var stream = require('stream')
var path = require('path')
var assert = require('assert')
var url = require('url')

var rows = []

function row (name, check) {
  try {
    var result = check()
    rows.push([name, result === true ? 'ok' : 'answered ' + JSON.stringify(result)])
  } catch (error) {
    rows.push([name, 'threw ' + error.message])
  }
}

row('Buffer: new from an array', function () { return new Buffer([1, 2, 255]).toString('hex') === '0102ff' })
row('Buffer: new from a string', function () { return new Buffer('beef', 'hex')[0] === 0xbe })
row('Buffer: base64', function () { return Buffer.from('hello').toString('base64') === 'aGVsbG8=' && String(Buffer.from('aGVsbG8=', 'base64')) === 'hello' })
row('Buffer: base64url', function () { return Buffer.from([251, 255]).toString('base64url') === '-_8' && Buffer.from('-_8', 'base64url')[0] === 251 && Buffer.isEncoding('base64url') })
row('Buffer: alloc, concat, readUInt32BE', function () { return Buffer.concat([Buffer.alloc(2), Buffer.from([1, 2])]).readUInt32BE(0) === 258 })
row('Buffer: BigInt', function () { return Buffer.from([0, 0, 0, 0, 0, 0, 0, 7]).readBigUInt64BE(0) === BigInt(7) })
row('Buffer: is a Uint8Array, and the one of require', function () { return Buffer.from('a') instanceof Uint8Array && require('buffer').Buffer === Buffer && require('node:buffer').Buffer === Buffer })
row('zlib: gzip and gunzip', function () { return zlib.gunzipSync(zlib.gzipSync(Buffer.from('abc'.repeat(1000)))).toString().length === 3000 })
row('zlib: raw deflate', function () { return zlib.inflateRawSync(zlib.deflateRawSync('xyz')).toString() === 'xyz' })
row('zlib: deflate with a level', function () { return zlib.inflateSync(zlib.deflateSync('xyz', { level: zlib.constants.Z_BEST_COMPRESSION })).toString() === 'xyz' })
row('zlib: constants', function () { return zlib.constants.Z_BEST_COMPRESSION === 9 && zlib.constants.Z_SYNC_FLUSH === 2 })
row('zlib: brotli', function () { return typeof zlib.brotliCompressSync === 'function' })
row('crypto: sha256', function () { return crypto.createHash('sha256').update('abc').digest('hex') === 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' })
row('crypto: md5', function () { return crypto.createHash('md5').update('abc').digest('base64') === 'kAFQmDzST7DWlj99KOF/cg==' })
row('crypto: hash', function () { return crypto.hash('sha1', 'abc') === 'a9993e364706816aba3e25717850c26c9cd0d89d' })
row('crypto: hmac', function () { return crypto.createHmac('sha1', 'k').update('d').digest('hex').length === 40 })
row('crypto: randomBytes', function () { return crypto.randomBytes(8).length === 8 })
row('crypto: randomInt', function () { var n = crypto.randomInt(3, 6); return n >= 3 && n < 6 })
row('crypto: randomUUID', function () { return /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()) })
row('crypto: randomFillSync', function () { return crypto.randomFillSync(Buffer.alloc(4)).length === 4 })
row('crypto: getRandomValues', function () { return crypto.getRandomValues(new Uint8Array(4)).length === 4 })
row('crypto: timingSafeEqual', function () { return crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('a')) && !crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('b')) })
row('crypto: pbkdf2', function () { return crypto.pbkdf2Sync('p', 's', 10, 16, 'sha256').length === 16 })
row('crypto: aes', function () { var c = crypto.createCipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)); return Buffer.concat([c.update('a'), c.final()]).length === 16 })
row('crypto: ecdh', function () { return crypto.createECDH('secp256k1').generateKeys().length === 65 })
row('crypto: getHashes', function () { return crypto.getHashes().indexOf('sha512') >= 0 })
row('crypto: webcrypto only where present', function () { return crypto.subtle === undefined && crypto.webcrypto === globalThis.crypto })
row('util: inherits, format, inspect, promisify', function () { function A () {} function B () {} util.inherits(A, B); return new A() instanceof B && util.format('%s %d', 'a', 1) === 'a 1' && util.inspect({ a: 1 }) === '{ a: 1 }' && typeof util.promisify(function (cb) { cb() }) === 'function' })
row('util: TextEncoder', function () { return new util.TextEncoder().encode('a')[0] === 97 && typeof util.TextDecoder === 'function' })
row('util: isDeepStrictEqual', function () { return util.isDeepStrictEqual({ a: 1 }, { a: 1 }) && !util.isDeepStrictEqual({ a: 1 }, { a: '1' }) })
row('util/types', function () { return require('util/types').isUint8Array(new Uint8Array(1)) && !require('node:util/types').isDate(1) })
row('events: as a constructor', function () { function X () { EventEmitter.call(this) } util.inherits(X, EventEmitter); var n = 0; var x = new X(); x.on('e', function (v) { n = v }); x.emit('e', 4); return n === 4 && typeof EventEmitter.once === 'function' && EventEmitter.EventEmitter === EventEmitter })
row('stream: subclasses', function () { function R () { stream.Readable.call(this) } util.inherits(R, stream.Readable); R.prototype._read = function () {}; return new R() instanceof stream && typeof stream.Transform === 'function' && typeof stream.pipeline === 'function' })
row('stream: class syntax', function () { class W extends stream.Writable { _write (c, e, done) { done() } } return new W().write('a') })
row('stream: one copy', function () { return require('_stream_readable') === stream.Readable && crypto.createHash('md5') instanceof stream.Transform })
row('stream/promises', function () { return require('stream/promises').pipeline === stream.promises.pipeline && typeof stream.promises.finished === 'function' })
row('path', function () { return path.join('/a', '../b') === '/b' && path.posix.basename('/a/b.c') === 'b.c' && path.resolve('x') === '/x' && require('path/posix') === path })
row('assert', function () { assert(true); assert.deepStrictEqual({ a: [1] }, { a: [1] }); require('assert/strict').ok(1); try { assert.equal(1, 2) } catch (error) { return /AssertionError/.test(error.name) } })
row('url', function () { return url.parse('http://a.b/c?d=1', true).query.d === '1' && new url.URL('http://x/').host === 'x' && url.fileURLToPath('file:///a%20b') === '/a b' && url.pathToFileURL('/a b').href === 'file:///a%20b' })
row('querystring', function () { var qs = require('querystring'); return qs.stringify({ a: [1, 2] }) === 'a=1&a=2' && qs.parse('b=3').b === '3' && qs.escape('&') === '%26' })
row('os', function () { var os = require('os'); return os.EOL === '\n' && typeof os.platform() === 'string' })
row('string_decoder', function () { return new (require('string_decoder').StringDecoder)('utf8').write(Buffer.from([0xe2, 0x82])) === '' })
row('constants', function () { return require('constants').O_RDONLY === 0 })
row('punycode', function () { return require('punycode').toASCII('m\u00fcller') === 'xn--mller-kva' })
row('process', function () { return process.cwd() === '/' && process.argv.length === 0 && process.env.X === undefined && process.browser === true && require('process') === process && process.on('exit', function () {}) !== null })
row('process: hrtime', function () { return process.hrtime(process.hrtime())[0] === 0 && typeof process.hrtime.bigint() === 'bigint' && process.uptime() > 0 })
row('perf_hooks', function () { return require('perf_hooks').performance.now() > 0 })
row('console', function () { return typeof require('console').log === 'function' })
row('vm', function () { return require('vm').runInThisContext('1 + 1') === 2 })
row('timers', function () { return typeof require('timers').setTimeout === 'function' && require('timers').setImmediate === setImmediate })
row('tty, http, https, domain, sys', function () { return require('tty').isatty() === false && typeof require('http').get === 'function' && typeof require('https').get === 'function' && typeof require('domain').create === 'function' && require('sys') === util })

async function asyncRows () {
  var next = await new Promise(function (resolve) {
    var steps = []
    setImmediate(function (a) { steps.push(a); resolve(steps) }, 'immediate')
    process.nextTick(function (a) { steps.push(a) }, 'tick')
  })
  row('nextTick comes before setImmediate', function () { return next.join() === 'tick,immediate' })

  var upper = await new Promise(function (resolve) {
    var transform = new stream.Transform({ transform: function (chunk, encoding, done) { done(null, String(chunk).toUpperCase()) } })
    var got = ''
    transform.on('data', function (chunk) { got += chunk }).on('end', function () { resolve(got) })
    transform.write('ab')
    transform.end('c')
  })
  row('stream: a Transform', function () { return upper === 'ABC' })

  var chunks = []
  await stream.promises.pipeline(stream.Readable.from(['a', 'b']), zlib.createGzip(), zlib.createGunzip(),
    new stream.Writable({ write: function (chunk, encoding, done) { chunks.push(String(chunk)); done() } }))
  row('stream: a pipeline through zlib, from Readable.from', function () { return chunks.join('') === 'ab' })

  var unzipped = await util.promisify(zlib.gunzip)(await util.promisify(zlib.gzip)('q'))
  row('zlib: with callbacks', function () { return String(unzipped) === 'q' })

  var timers = require('node:timers/promises')
  var waited = await timers.setTimeout(1, 'later') + await timers.setImmediate('now')
  row('timers/promises', function () { return waited === 'laternow' })

  var key = await util.promisify(crypto.pbkdf2)('p', 's', 10, 16, 'sha256')
  row('crypto: pbkdf2 with a callback', function () { return key.length === 16 })

  var consumers = require('node:stream/consumers')
  var consumed = await consumers.json(stream.Readable.from(['{"a":', '1}']))
  row('stream/consumers', function () { return consumed.a === 1 })
  row('stream/web', function () { return require('stream/web').ReadableStream === globalThis.ReadableStream })
  row('diagnostics_channel', function () { return !require('node:diagnostics_channel').channel('a').hasSubscribers })
  row('module: createRequire', function () {
    try { require('module').createRequire('/a.js')('b') } catch (error) { return error.code === 'MODULE_NOT_FOUND' }
  })

  var once = EventEmitter.once
  var emitter = new EventEmitter()
  setTimeout(function () { emitter.emit('done', 5) })
  var emitted = await once(emitter, 'done')
  row('events: once', function () { return emitted[0] === 5 })
}

module.exports['/pando/1.0.0'] = function (x, cb) {
  asyncRows().then(function () { cb(null, rows) }, cb)
}
