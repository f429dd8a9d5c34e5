// Typical functions for the original Pando. The value selects the package.
var BigNumber = require('bignumber.js')
var PNG = require('pngjs').PNG
var debug = require('debug')
var graphlib = require('graphlib')
var kmeans = require('ml-kmeans')
var ndarray = require('ndarray')
var pando = require('pando-computing')
var sha = require('sha.js')

var uses = {
  'sha.js': function (cb) { cb(null, sha('sha256').update('abc').digest('hex')) },
  'bignumber.js': function (cb) { cb(null, new BigNumber('12345678901').pow(3).toString(10)) },
  ndarray: function (cb) {
    var matrix = ndarray(new Float64Array(16), [4, 4])
    matrix.set(1, 2, 5)
    cb(null, matrix.transpose(1, 0).get(2, 1) + ' ' + matrix.shape)
  },
  pngjs: function (cb) {
    var png = new PNG({ width: 2, height: 2 })
    png.data.fill(7)
    new PNG().parse(PNG.sync.write(png), function (err, again) { cb(err, again && again.data.toString('hex')) })
  },
  debug: function (cb) {
    debug.enable('test:*')
    debug('test:a')('shown')
    cb(null, [debug('test:a').enabled, debug('other').enabled].join())
  },
  // graphlib checks whether `require` exists.
  graphlib: function (cb) {
    var graph = new graphlib.Graph()
    graph.setEdge('a', 'b')
    graph.setEdge('b', 'c')
    cb(null, graphlib.alg.topsort(graph).join())
  },
  // ml-kmeans also has an ES module.
  'ml-kmeans': function (cb) { cb(null, kmeans([[1], [2], [9]], 2, { initialization: [[1], [9]] }).clusters.join()) },
  'new Function': function (cb) { cb(null, new Function('x', 'return x * x')(3)) }, // eslint-disable-line no-new-func
  'implicit globals': function (cb) {
    for (i = 0; i < 3; i++); // eslint-disable-line no-undef
    cb(null, global.i + (function () { return this === global })())
  },
  'pando.report': function (cb) {
    pando.report({ cpuTime: 1, dataTransferTime: 2, nbItems: 3, units: 'items' })
    cb(null, typeof pando.version)
  }
}

module.exports['/pando/1.0.0'] = function (name, cb) {
  try {
    uses[name](cb)
  } catch (err) {
    cb(err)
  }
}
