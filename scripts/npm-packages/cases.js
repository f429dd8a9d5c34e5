// Functions for the original Pando, with npm packages of the same age. The right answer is the
// answer of plain Node, or `y` if given. `dom`: the function runs only in the page. `network`: the
// function needs a server, so it is only loaded.
//
// [packages, input, function, options]
/* global h, document, counter: true */
module.exports = [
  // Hashes, numbers, cryptography
  ['sha.js@2.4.11', 'abc', function (x, cb) { cb(null, require('sha.js')('sha256').update(x).digest('hex')) }],
  ['spark-md5@3.0.0', 'abc', function (x, cb) { cb(null, require('spark-md5').hash(x)) }],
  ['xxhashjs@0.2.2', 'abc', function (x, cb) { cb(null, require('xxhashjs').h32(x, 0xABCD).toString(16)) }],
  ['murmurhash-js@1.0.0', 'abc', function (x, cb) { cb(null, require('murmurhash-js').murmur3(x, 7)) }],
  ['crypto-js@3.1.9-1', 'abc', function (x, cb) { var C = require('crypto-js'); cb(null, C.SHA3(x) + ' ' + C.HmacSHA256(x, 'k') + ' ' + C.AES.decrypt(C.AES.encrypt(x, 'k'), 'k').toString(C.enc.Utf8)) }],
  ['elliptic@6.5.0', 'abc', function (x, cb) { var ec = new (require('elliptic').ec)('secp256k1'); var key = ec.keyFromPrivate('07'); cb(null, key.getPublic('hex') + key.verify('0b', key.sign('0b'))) }],
  ['secp256k1@3.7.1', '7', function (x, cb) { cb(null, require('secp256k1').publicKeyCreate(Buffer.alloc(32, +x)).toString('hex')) }],
  ['keccak@2.0.0', 'abc', function (x, cb) { cb(null, require('keccak')('keccak256').update(x).digest('hex')) }],
  ['tweetnacl@1.0.1', 'abc', function (x, cb) { var n = require('tweetnacl'); cb(null, Buffer.from(n.hash(Buffer.from(x))).toString('hex') + n.box.keyPair().publicKey.length) }],
  ['libsodium-wrappers@0.7.5', 'abc', function (x, cb) { var s = require('libsodium-wrappers'); s.ready.then(function () { cb(null, s.to_hex(s.crypto_generichash(16, x))) }, cb) }],
  ['bitcoinjs-lib@5.1.3', '3', function (x, cb) { var b = require('bitcoinjs-lib'); cb(null, b.payments.p2pkh({ pubkey: b.ECPair.fromPrivateKey(Buffer.alloc(32, +x)).publicKey }).address) }],
  ['bignumber.js@8.1.1', '12345678901', function (x, cb) { var B = require('bignumber.js'); cb(null, new B(x).pow(3).toString(10)) }],
  ['bn.js@4.11.8', '12345678901', function (x, cb) { var BN = require('bn.js'); cb(null, new BN(x).pow(new BN(5)).toString(16)) }],
  ['big-integer@1.6.44', '12345678901', function (x, cb) { cb(null, require('big-integer')(x).modPow(65537, '1000000007').toString()) }],
  ['decimal.js@10.2.0', '2', function (x, cb) { cb(null, require('decimal.js').sqrt(x).toString()) }],
  ['fraction.js@4.0.12', '0.333', function (x, cb) { cb(null, require('fraction.js')(x).add(1).toFraction()) }],
  ['jsbn@1.1.0', '123456789', function (x, cb) { var B = require('jsbn').BigInteger; cb(null, new B(x).pow(4).toString()) }],
  ['mathjs@5.10.3', '3', function (x, cb) { var m = require('mathjs'); cb(null, m.eval('det([1, 2; x, 4]) + sqrt(-x)', { x: +x }).toString() + m.derivative('x^2', 'x')) }],
  ['numeric@1.2.6', '3', function (x, cb) { var n = require('numeric'); cb(null, n.prettyPrint(n.inv([[1, +x], [2, 4]])).replace(/\s+/g, ' ')) }],
  ['seedrandom@3.0.1', 'hello', function (x, cb) { cb(null, require('seedrandom')(x)()) }],
  ['random-js@2.1.0', '5', function (x, cb) { var r = require('random-js'); cb(null, r.integer(0, 1e6)(r.MersenneTwister19937.seed(+x))) }],
  ['mersenne-twister@1.1.0', '5', function (x, cb) { cb(null, new (require('mersenne-twister'))(+x).random()) }],
  ['jstat@1.9.0', '2', function (x, cb) { var s = require('jstat'); cb(null, (s.jStat || s).normal.cdf(+x, 0, 1)) }],
  ['simple-statistics@7.0.2', '2,4,9', function (x, cb) { cb(null, require('simple-statistics').standardDeviation(x.split(',').map(Number))) }],
  ['simplex-noise@2.4.0', '0.3', function (x, cb) { cb(null, new (require('simplex-noise'))('seed').noise2D(+x, 1)) }],

  // Arrays, images
  ['ndarray@1.0.18', '5', function (x, cb) { var a = require('ndarray')(new Float64Array(16), [4, 4]); a.set(1, 2, +x); cb(null, a.transpose(1, 0).get(2, 1) + ' ' + a.shape) }],
  ['ndarray-ops@1.2.2 ndarray@1.0.18', '5', function (x, cb) { var a = require('ndarray')(new Float64Array(16), [4, 4]); var o = require('ndarray-ops'); o.random(a); o.assigns(a, +x); cb(null, o.sum(a)) }],
  ['zeros@1.0.0 ndarray-ops@1.2.2', '5', function (x, cb) { var a = require('zeros')([3, +x]); require('ndarray-ops').addseq(a, 2); cb(null, require('ndarray-ops').sum(a)) }],
  ['pngjs@3.4.0', '9', function (x, cb) {
    var PNG = require('pngjs').PNG
    var png = new PNG({ width: 2, height: 2 })
    for (var i = 0; i < 16; i++) png.data[i] = x
    new PNG().parse(PNG.sync.write(png), function (err, again) { cb(err, again && again.data.toString('hex')) })
  }],
  ['pngjs@3.4.0 concat-stream@1.6.2', '9', function (x, cb) {
    var png = new (require('pngjs').PNG)({ width: 2, height: 2 })
    png.data.fill(+x)
    png.pack().pipe(require('concat-stream')(function (bytes) { cb(null, bytes.toString('base64')) }))
  }, { as: 'pngjs, streamed' }],
  ['jpeg-js@0.3.6', '99', function (x, cb) { var j = require('jpeg-js'); var im = j.decode(j.encode({ width: 8, height: 8, data: Buffer.alloc(256, +x) }, 90).data); cb(null, im.width + ' ' + im.data[0]) }],
  ['upng-js@2.1.0', '7', function (x, cb) { var U = require('upng-js'); var png = U.encode([new Uint8Array(16).fill(+x).buffer], 2, 2, 0); cb(null, new Uint8Array(U.toRGBA8(U.decode(png))[0]).join()) }],
  ['omggif@1.0.10', '3', function (x, cb) { var o = require('omggif'); var b = []; var g = new o.GifWriter(b, 2, 2, { palette: [0, 0xffffff] }); g.addFrame(0, 0, 2, 2, [0, 1, 1, 0]); cb(null, Buffer.from(b.slice(0, g.end())).toString('hex')) }],
  ['gif-encoder@0.7.2 concat-stream@1.6.2', '3', function (x, cb) { var g = new (require('gif-encoder'))(2, 2); g.pipe(require('concat-stream')(function (b) { cb(null, b.length + b.toString('latin1', 0, 6)) })); g.writeHeader(); g.addFrame(Buffer.alloc(16, +x)); g.finish() }],
  ['get-pixels@3.3.2', 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', function (x, cb) {
    require('get-pixels')(x, function (err, pixels) { cb(err, pixels && [].slice.call(pixels.data).join() + ' ' + pixels.shape) })
  }],
  ['get-pixels@3.3.2', 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', function (x, cb) {
    require('get-pixels')(x, function (err, pixels) { cb(err, pixels && [].slice.call(pixels.data).join() + ' ' + pixels.shape) })
  }, { dom: true, as: 'get-pixels, --dom' }],
  ['save-pixels@2.3.4 zeros@1.0.0 concat-stream@1.6.2', '5', function (x, cb) { require('save-pixels')(require('zeros')([2, 2, 3]), 'png').pipe(require('concat-stream')(function (b) { cb(null, b.toString('hex', 0, 8)) })) }],
  ['jimp@0.6.4', '0xff8800ff', function (x, cb) { var J = require('jimp'); J = J.default || J; new J(4, 4, +x, function (err, im) { if (err) return cb(err); im.blur(1).resize(2, 2).getBuffer('image/png', function (err, b) { cb(err, b && b.toString('hex', 0, 8) + im.getPixelColor(0, 0)) }) }) }],
  ['three@0.100.0', '1', function (x, cb) { var T = require('three'); var v = new T.Vector3(1, 0, 0).applyQuaternion(new T.Quaternion().setFromAxisAngle(new T.Vector3(0, 0, 1), +x)); cb(null, v.toArray().join() + new T.Raycaster(new T.Vector3(0, 0, 5), new T.Vector3(0, 0, -1)).intersectObject(new T.Mesh(new T.SphereGeometry(1, 8, 8))).length) }],
  ['gl-matrix@2.8.1', '1', function (x, cb) { var m = require('gl-matrix').mat4; cb(null, [].join.call(m.rotateX(m.create(), m.create(), +x))) }],
  ['canvas@2.6.0', '1', function (x, cb) { var c = require('canvas').createCanvas(2, 2); cb(null, c.getContext('2d').getImageData(0, 0, 1, 1).data.join()) }, { dom: true, y: '0,0,0,0', as: 'canvas, --dom' }],
  ['canvas@2.6.0', '1', function (x, cb) { var c = require('canvas').createCanvas(2, 2); cb(null, c.getContext('2d').getImageData(0, 0, 1, 1).data.join()) }, { y: '0,0,0,0' }],
  ['sharp@0.22.1', '1', function (x, cb) { require('sharp')({ create: { width: 2, height: 2, channels: 3, background: 'red' } }).raw().toBuffer(function (err, b) { cb(err, b && b.length) }) }, { y: '12' }],

  // Data structures, control flow, streams
  ['async@2.6.2', '1,2,3', function (x, cb) { require('async').mapLimit(x.split(','), 2, function (n, done) { setTimeout(done, 1, null, n * n) }, function (err, all) { cb(err, all.join()) }) }],
  ['lodash@4.17.15', '4,6,1', function (x, cb) { var _ = require('lodash'); cb(null, _(x.split(',')).map(Number).sortBy().chunk(2).value().join(' ') + _.template('<%= a %>')({ a: 1 })) }],
  ['underscore@1.9.1', '4,6,1', function (x, cb) { var _ = require('underscore'); cb(null, _.chain(x.split(',')).map(Number).sortBy().value() + _.template('<%= a %>')({ a: 1 })) }],
  ['ramda@0.26.1', '4,6', function (x, cb) { var R = require('ramda'); cb(null, R.pipe(R.split(','), R.map(Number), R.sum)(x)) }],
  ['immutable@3.8.2', '4', function (x, cb) { var I = require('immutable'); cb(null, I.fromJS({ a: [1, +x] }).updateIn(['a', 1], function (n) { return n + 1 }).toString()) }],
  ['moment@2.24.0', '2019-12-09', function (x, cb) { cb(null, require('moment').utc(x).add(3, 'days').format('dddd LL')) }],
  ['date-fns@1.30.1', '2019-12-09', function (x, cb) { cb(null, require('date-fns').addDays(x, 3).toISOString().slice(0, 10)) }],
  ['bluebird@3.5.5', '5', function (x, cb) { var P = require('bluebird'); P.map([1, 2, +x], function (n) { return P.delay(1, n * n) }).then(function (all) { cb(null, all.join()) }, cb) }],
  ['q@1.5.1', '5', function (x, cb) { var Q = require('q'); Q.delay(x, 1).then(function (x) { return x + '!' }).nodeify(cb) }],
  ['rsvp@4.8.5', '5', function (x, cb) { new (require('rsvp').Promise)(function (ok) { ok(x) }).then(function (x) { cb(null, x + '!') }) }],
  ['rxjs@6.5.2', '5', function (x, cb) { var r = require('rxjs'); var o = require('rxjs/operators'); r.range(1, +x).pipe(o.delay(1), o.map(function (n) { return n * n }), o.toArray()).subscribe(function (all) { cb(null, all.join()) }) }],
  ['highland@2.13.4', '1,2', function (x, cb) { require('highland')(x.split(',')).map(Number).collect().toCallback(function (err, all) { cb(err, all.join()) }) }],
  ['pull-stream@3.6.14', '1,2', function (x, cb) { var p = require('pull-stream'); p(p.values(x.split(',')), p.asyncMap(function (n, done) { setTimeout(done, 1, null, 2 * n) }), p.collect(function (err, all) { cb(err, all.join()) })) }],
  ['through2@2.0.5 concat-stream@1.6.2', 'abc', function (x, cb) { var t = require('through2')(function (c, e, done) { done(null, String(c).toUpperCase()) }); t.pipe(require('concat-stream')(function (b) { cb(null, String(b)) })); t.end(x) }],
  ['event-stream@4.0.1', 'a b', function (x, cb) { var e = require('event-stream'); e.readArray(x.split(' ')).pipe(e.mapSync(function (w) { return w + w })).pipe(e.writeArray(function (err, all) { cb(err, all.join()) })) }],
  ['split2@3.1.1', 'a b', function (x, cb) { var s = require('split2')(' '); var all = []; s.on('data', function (w) { all.push(w) }).on('end', function () { cb(null, all.join()) }); s.end(x) }],
  ['JSONStream@1.3.5', '{"a":[1,2]}', function (x, cb) { var all = []; var s = require('JSONStream').parse('a.*'); s.on('data', function (n) { all.push(n) }).on('end', function () { cb(null, all.join()) }); s.end(x) }],
  ['memdown@4.0.0 levelup@4.1.0', 'v', function (x, cb) { var db = require('levelup')(require('memdown')()); db.put('k', x, function (err) { if (err) return cb(err); db.get('k', function (err, v) { cb(err, v && String(v)) }) }) }],
  ['rbush@2.0.2', '5', function (x, cb) { var t = require('rbush')(); t.load([{ minX: 0, minY: 0, maxX: +x, maxY: 2 }]); cb(null, t.search({ minX: 1, minY: 1, maxX: 2, maxY: 2 }).length) }],
  ['kd-tree-javascript@1.0.3', '5', function (x, cb) { var k = require('kd-tree-javascript').kdTree; cb(null, new k([{ a: 1 }, { a: 7 }], function (p, q) { return Math.abs(p.a - q.a) }, ['a']).nearest({ a: +x }, 1)[0][0].a) }],
  ['graphlib@2.1.7', '5', function (x, cb) { var g = new (require('graphlib').Graph)(); g.setEdge('a', 'b'); g.setEdge('b', 'c'); cb(null, JSON.stringify(require('graphlib').alg.dijkstra(g, 'a'))) }],
  ['dagre@0.8.4', '5', function (x, cb) { var d = require('dagre'); var g = new d.graphlib.Graph().setGraph({}).setDefaultEdgeLabel(function () { return {} }); g.setNode('a', { width: 9, height: 9 }); g.setNode('b', { width: 9, height: 9 }); g.setEdge('a', 'b'); d.layout(g); cb(null, g.node('b').y) }],
  ['pathfinding@0.4.18', '3', function (x, cb) { var P = require('pathfinding'); cb(null, new P.AStarFinder().findPath(0, 0, 3, +x, new P.Grid(5, 5)).join(' ')) }],
  ['javascript-astar@0.4.1', '1', function (x, cb) { var a = require('javascript-astar'); cb(null, a.astar.search(new a.Graph([[1, 1], [0, 1]]), { x: 0, y: 0 }.x === 0 && new a.Graph([[1, 1], [0, 1]]).grid[0][0], new a.Graph([[1, 1], [0, 1]]).grid[1][1]).length >= 0) }],
  ['delaunator@4.0.0', '3', function (x, cb) { var D = require('delaunator'); D = D.default || D; cb(null, D.from([[0, 0], [0, +x], [3, 0], [3, 3]]).triangles.join()) }],
  ['d3@5.9.7', '7', function (x, cb) { var d3 = require('d3'); cb(null, d3.scaleLinear().domain([0, 10]).range([0, 1])(+x) + d3.extent([3, 1, 2]).join() + d3.geoDistance([0, 0], [1, 1]) + d3.csvParse('a\n1')[0].a) }],
  ['turf@3.0.14', '5', function (x, cb) { var t = require('turf'); cb(null, t.area(t.buffer(t.point([0, 0]), +x, 'kilometers')).toFixed(0)) }],

  // Texts and formats
  ['debug@4.1.1', 'a', function (x, cb) { var d = require('debug'); d.enable('a:*'); d('a:b')('hello %s', x); cb(null, d('a:b').enabled) }],
  ['chalk@2.4.2', 'a', function (x, cb) { cb(null, require('chalk').constructor({ enabled: true, level: 1 }).red(x).length) }],
  ['minimist@1.2.0', '--a=3 b', function (x, cb) { cb(null, JSON.stringify(require('minimist')(x.split(' ')))) }],
  ['validator@11.1.0', 'a@b.ch', function (x, cb) { cb(null, require('validator').isEmail(x)) }],
  ['left-pad@1.3.0', 'a', function (x, cb) { cb(null, require('left-pad')(x, 5)) }],
  ['deep-equal@1.0.1', 'a', function (x, cb) { cb(null, require('deep-equal')({ a: [x] }, { a: [x] })) }],
  ['uuid@3.3.3', 'a', function (x, cb) { cb(null, require('uuid/v5')(x, require('uuid/v5').URL) + require('uuid/v4')().length) }],
  ['nanoid@2.1.0', 'a', function (x, cb) { cb(null, require('nanoid')().length) }],
  ['iconv-lite@0.5.0', 'ü', function (x, cb) { var i = require('iconv-lite'); cb(null, i.encode(x, 'win1252').toString('hex') + i.decode(Buffer.from('82a0', 'hex'), 'shift_jis')) }],
  ['pako@1.0.10', 'abc', function (x, cb) { var p = require('pako'); cb(null, p.inflate(p.deflate(x), { to: 'string' })) }],
  ['jszip@3.2.2', 'abc', function (x, cb) { var Z = require('jszip'); new Z().file('a', x).generateAsync({ type: 'nodebuffer', compression: 'DEFLATE' }).then(function (b) { return Z.loadAsync(b) }).then(function (z) { return z.file('a').async('string') }).then(function (s) { cb(null, s) }, cb) }],
  ['lz-string@1.4.4', 'abcabc', function (x, cb) { var l = require('lz-string'); cb(null, l.compressToBase64(x) + l.decompress(l.compress(x))) }],
  ['brotli@1.3.2', 'iwWAaGVsbG8gYnJvdGxpAw==', function (x, cb) { cb(null, Buffer.from(require('brotli/decompress')(Buffer.from(x, 'base64'))).toString()) }, { as: 'brotli/decompress' }],
  ['brotli@1.3.2', 'abcabcabcabcabcabcabcabcabcabcabcabcabcabc', function (x, cb) { var b = require('brotli'); cb(null, Buffer.from(b.decompress(Buffer.from(b.compress(Buffer.from(x))))).toString()) }],
  ['csv-parse@4.4.6', 'a,"b,c"', function (x, cb) { require('csv-parse')(x, function (err, rows) { cb(err, JSON.stringify(rows)) }) }],
  ['papaparse@4.6.3', 'a,"b,c"', function (x, cb) { cb(null, JSON.stringify(require('papaparse').parse(x).data)) }],
  ['xml2js@0.4.19', '<a b="1">c</a>', function (x, cb) { require('xml2js').parseString(x, function (err, o) { cb(err, JSON.stringify(o)) }) }],
  ['fast-xml-parser@3.12.17', '<a>1</a>', function (x, cb) { cb(null, JSON.stringify(require('fast-xml-parser').parse(x))) }],
  ['cheerio@0.22.0', '<p class=a>hi</p>', function (x, cb) { cb(null, require('cheerio').load(x)('.a').text()) }],
  ['msgpack-lite@0.1.26', 'a', function (x, cb) { var m = require('msgpack-lite'); cb(null, m.encode({ x: [x] }).toString('hex') + m.decode(m.encode({ x: x })).x) }],
  ['protobufjs@6.8.8', 'a', function (x, cb) { var T = require('protobufjs').parse('syntax="proto3"; message T { string a = 1; }').root.lookupType('T'); cb(null, Buffer.from(T.encode({ a: x }).finish()).toString('hex')) }],
  ['avsc@5.4.10', 'a', function (x, cb) { var t = require('avsc').Type.forValue({ a: 'b' }); cb(null, t.toBuffer({ a: x }).toString('hex')) }],
  ['bson@4.0.2', 'a', function (x, cb) { var B = require('bson'); cb(null, B.deserialize(B.serialize({ a: x })).a) }],
  ['base64-js@1.3.0', 'abcd', function (x, cb) { cb(null, require('base64-js').toByteArray(x).join()) }],
  ['natural@0.6.3', 'running dogs', function (x, cb) { cb(null, require('natural').PorterStemmer.tokenizeAndStem(x).join()) }],
  ['compromise@11.14.3', 'She sells seashells', function (x, cb) { cb(null, require('compromise')(x).verbs().out('array').join()) }],
  ['jsonata@1.6.5', '{"a":[1,2]}', function (x, cb) { cb(null, require('jsonata')('$sum(a)').evaluate(JSON.parse(x))) }],

  // Code generators
  ['handlebars@4.1.2', 'a', function (x, cb) { cb(null, require('handlebars').compile('Hi {{x}}')({ x: x })) }],
  ['mustache@3.0.1', 'a', function (x, cb) { cb(null, require('mustache').render('Hi {{x}}', { x: x })) }],
  ['ejs@2.6.2', 'a', function (x, cb) { cb(null, require('ejs').render('<% if (x) { %>Hi <%= x %><% } %>', { x: x })) }],
  ['dot@1.1.3', 'a', function (x, cb) { cb(null, require('dot').template('Hi {{=it.x}}')({ x: x })) }],
  ['pug@2.0.4', 'a', function (x, cb) { cb(null, require('pug').render('p= x', { x: x })) }],
  ['nunjucks@3.2.0', 'a', function (x, cb) { cb(null, require('nunjucks').renderString('Hi {{ x }}', { x: x })) }],
  ['ajv@6.10.2', '5', function (x, cb) { cb(null, new (require('ajv'))().validate({ type: 'number', minimum: 3 }, +x)) }],
  ['esprima@4.0.1 escodegen@1.11.1', '1+a', function (x, cb) { cb(null, require('escodegen').generate(require('esprima').parse(x))) }],
  ['acorn@6.1.1', '1+a', function (x, cb) { cb(null, require('acorn').parse(x).body[0].expression.operator) }],
  ['static-eval@2.0.2 esprima@4.0.1', '1+2*3', function (x, cb) { cb(null, require('static-eval')(require('esprima').parse(x).body[0].expression)) }],
  ['uglify-js@3.6.0', 'var a = 1 + 1', function (x, cb) { cb(null, require('uglify-js').minify(x).code) }],
  ['regenerator-runtime@0.13.3', '3', function (x, cb) {
    var regeneratorRuntime = require('regenerator-runtime')
    var marked = regeneratorRuntime.mark(function count () { var i; return regeneratorRuntime.wrap(function (c) { while (1) switch (c.prev = c.next) { case 0: i = 0; case 1: if (!(i < x)) { c.next = 7; break } c.next = 4; return i; case 4: i++; c.next = 1; break; case 7: case 'end': return c.stop() } }, marked) })
    cb(null, Array.from(marked()).join())
  }],
  ['babel-runtime@6.26.0', '3', function (x, cb) { var P = require('babel-runtime/core-js/promise').default; P.resolve(x).then(function (x) { cb(null, x + require('babel-runtime/helpers/typeof').default(x)) }) }],

  // Learning, games, physics
  ['ml-matrix@5.3.0', '3', function (x, cb) { var M = require('ml-matrix'); cb(null, M.inverse(new M.Matrix([[1, +x], [2, 4]])).to1DArray().join()) }],
  ['ml-kmeans@4.2.1', '3', function (x, cb) { cb(null, require('ml-kmeans')([[1], [2], [9]], 2, { initialization: [[1], [9]] }).clusters.join()) }],
  ['ml-knn@3.0.0', '3', function (x, cb) { var K = require('ml-knn'); cb(null, new K([[1], [9]], [0, 1], { k: 1 }).predict([+x])) }],
  ['brain.js@1.6.1', '1', function (x, cb) { var n = new (require('brain.js').NeuralNetwork)({ hiddenLayers: [3] }); n.train([{ input: [0], output: [1] }, { input: [1], output: [0] }], { iterations: 3000 }); cb(null, n.run([+x])[0] < 0.3) }],
  ['synaptic@1.1.4', '1', function (x, cb) { var s = require('synaptic'); var p = new s.Architect.Perceptron(2, 3, 1); new s.Trainer(p).XOR({ iterations: 50 }); cb(null, p.activate([1, +x]).length) }],
  ['neataptic@1.4.7', '1', function (x, cb) { cb(null, new (require('neataptic').architect.Perceptron)(2, 3, 1).activate([+x, 1]).length) }],
  ['convnetjs@0.3.0', '1', function (x, cb) { var c = require('convnetjs'); var n = new c.Net(); n.makeLayers([{ type: 'input', out_sx: 1, out_sy: 1, out_depth: 2 }, { type: 'softmax', num_classes: 2 }]); cb(null, n.forward(new c.Vol([+x, 2])).w.length) }],
  ['@tensorflow/tfjs-core@1.2.7', '3', function (x, cb) { var tf = require('@tensorflow/tfjs-core'); tf.tensor([1, 2, +x]).square().sum().data().then(function (d) { cb(null, d[0]) }, cb) }],
  ['@tensorflow/tfjs@1.2.7', '3', function (x, cb) { var tf = require('@tensorflow/tfjs'); tf.setBackend('cpu'); var m = tf.sequential(); m.add(tf.layers.dense({ units: 1, inputShape: [1], kernelInitializer: 'ones' })); m.predict(tf.tensor2d([[+x]])).data().then(function (d) { cb(null, d[0]) }, cb) }],
  ['chess.js@0.10.2', 'e4', function (x, cb) { var c = new (require('chess.js').Chess)(); c.move(x); cb(null, c.moves().length + c.fen()) }],
  ['matter-js@0.14.2', '1', function (x, cb) { var M = require('matter-js'); var e = M.Engine.create(); var b = M.Bodies.rectangle(0, 0, 9, 9); M.World.add(e.world, b); M.Engine.update(e, 100); cb(null, b.position.y.toFixed(6)) }],
  ['cannon@0.6.2', '1', function (x, cb) { var C = require('cannon'); var w = new C.World(); w.gravity.set(0, 0, -9.8); var b = new C.Body({ mass: 1, shape: new C.Sphere(1) }); w.addBody(b); for (var i = 0; i < 60; i++) w.step(1 / 60); cb(null, b.position.z.toFixed(6)) }],

  // Compiled by Emscripten and others
  ['sql.js@0.5.0', '3', function (x, cb) { var db = new (require('sql.js').Database)(); db.run('create table t (a); insert into t values (1), (' + x + ')'); cb(null, db.exec('select sum(a) from t')[0].values[0][0]) }],
  ['viz.js@2.1.2', 'digraph { a -> b }', function (x, cb) { var V = require('viz.js'); var r = require('viz.js/full.render.js'); new V({ Module: r.Module, render: r.render }).renderString(x).then(function (s) { cb(null, s.replace(/\n/g, '').length) }, cb) }],
  ['xxhash-wasm@0.3.1', 'abc', function (x, cb) { var w = require('xxhash-wasm'); (w.default || w)().then(function (h) { cb(null, h.h32(x)) }, cb) }],

  // Network: loaded only
  ['request@2.88.0', 'a', function (x, cb) { cb(null, typeof require('request').get) }, { network: true }],
  ['axios@0.19.0', 'a', function (x, cb) { cb(null, typeof require('axios').get) }, { network: true }],
  ['socket.io-client@2.2.0', 'a', function (x, cb) { cb(null, typeof require('socket.io-client').connect) }, { network: true }],
  ['webtorrent@0.103.0', 'a', function (x, cb) { cb(null, typeof require('webtorrent')) }, { network: true }],
  ['jquery@3.4.1', '<p>hi</p>', function (x, cb) { cb(null, require('jquery')(x).text()) }, { dom: true, y: 'hi' }],

  // Old parts of the language
  ['', '3', function (x, cb) { cb(null, new Function('x', 'return x * x')(x)) }, { as: 'new Function' }], // eslint-disable-line no-new-func
  ['', '3', function (x, cb) { for (h = 0; h < x; h++); counter = h; cb(null, h + global.counter + (function () { return this === global })()) }, { as: 'implicit globals', y: '7' }],
  ['', '3', function (x, cb) { var require_ = eval; cb(null, require_('1 + 2') + eval('x') + arguments.callee.length) }, { as: 'eval, arguments.callee' }], // eslint-disable-line
  ['', '3', function (x, cb) { require('pando-computing').report({ cpuTime: 1, dataTransferTime: 0, nbItems: 1, units: 'items' }); cb(null, new Buffer(x).toString('hex')) }, { as: 'pando.report, new Buffer', y: '33' }],
  ['', '3', function (x, cb) { window.answer = function () { cb(null, x + document.getElementById('visualization').children.length) }; document.getElementById('visualization').innerHTML = '<button id="b" onclick="answer()">ok</button>'; document.getElementById('b').click() }, { dom: true, y: '31', as: 'inline event handlers' }]
]
