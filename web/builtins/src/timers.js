var tasks = new Map()
var lastId = 0
var channel

// Browsers slow down nested setTimeout(f, 0), but not a MessageChannel. In Node the port would
// keep the process alive, so the port is referenced only while tasks wait.
function open () {
  channel = new MessageChannel()
  channel.port1.onmessage = function (event) { run(event.data) }
  if (channel.port1.unref) channel.port1.unref()
}

function hold (held) {
  if (channel.port1.ref) channel.port1[held ? 'ref' : 'unref']()
}

function post (id) {
  if (typeof MessageChannel !== 'function') return setTimeout(run, 0, id)
  if (!channel) open()
  hold(true)
  channel.port2.postMessage(id)
}

function run (id) {
  var task = tasks.get(id)
  tasks.delete(id)
  if (channel && tasks.size === 0) hold(false)
  if (task) task.callback.apply(null, task.args)
}

exports.setImmediate = function (callback) {
  lastId += 1
  tasks.set(lastId, { callback: callback, args: Array.prototype.slice.call(arguments, 1) })
  post(lastId)
  return lastId
}

exports.clearImmediate = function (id) { tasks.delete(id) }

;['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'].forEach(function (name) {
  exports[name] = function () { return globalThis[name].apply(globalThis, arguments) }
})

exports.promises = {
  setTimeout: function (delay, value) {
    return new Promise(function (resolve) { setTimeout(resolve, delay, value) })
  },
  setImmediate: function (value) {
    return new Promise(function (resolve) { exports.setImmediate(resolve, value) })
  },
  setInterval: async function * (delay, value) {
    for (;;) yield await exports.promises.setTimeout(delay, value)
  }
}
