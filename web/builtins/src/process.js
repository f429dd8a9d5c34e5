var process = module.exports = require('process/browser.js')

// The package queues callbacks with setTimeout, which browsers delay by 4 ms or more.
process.nextTick = function (callback) {
  var args = Array.prototype.slice.call(arguments, 1)
  Promise.resolve().then(function () {
    try {
      callback.apply(null, args)
    } catch (error) {
      // As in Node, the error becomes an uncaught error instead of an unhandled rejection.
      setTimeout(function () { throw error })
    }
  })
}

var performance = globalThis.performance || Date

process.hrtime = function (since) {
  var now = performance.now()
  var seconds = Math.floor(now / 1e3)
  var nanoseconds = Math.floor((now % 1e3) * 1e6)
  if (!since) return [seconds, nanoseconds]
  seconds -= since[0]
  nanoseconds -= since[1]
  return nanoseconds < 0 ? [seconds - 1, nanoseconds + 1e9] : [seconds, nanoseconds]
}
process.hrtime.bigint = function () { return BigInt(Math.floor(performance.now() * 1e6)) }
process.uptime = function () { return performance.now() / 1e3 }

process.platform = 'browser'
process.arch = 'javascript'
process.pid = 1
process.execPath = '/'
process.execArgv = []
process.release = { name: 'browser' }
process.features = {}
process.config = {}

process.emitWarning = function (warning) { console.warn(String(warning)) }
process.exit = function () { throw new Error('process.exit() is not available here') }
process.memoryUsage = function () {
  var memory = (globalThis.performance && globalThis.performance.memory) || {}
  return { rss: 0, heapTotal: memory.totalJSHeapSize || 0, heapUsed: memory.usedJSHeapSize || 0, external: 0, arrayBuffers: 0 }
}

function output (level) {
  return {
    isTTY: false,
    write: function (text) { console[level](String(text).replace(/\n$/, '')); return true }
  }
}
process.stdout = output('log')
process.stderr = output('error')
