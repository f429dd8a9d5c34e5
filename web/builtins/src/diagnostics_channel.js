// A channel without subscribers: in browsers, nothing subscribes.
class Channel {
  constructor (name) {
    this.name = name
    this.hasSubscribers = false
  }

  publish () {}
  subscribe () {}
  unsubscribe () { return false }
  bindStore () {}
  unbindStore () { return false }
  runStores (data, f, self, ...args) { return f.apply(self, args) }
}

const channel = (name) => new Channel(name)

exports.Channel = Channel
exports.channel = channel
exports.hasSubscribers = () => false
exports.subscribe = () => {}
exports.unsubscribe = () => false
exports.tracingChannel = (name) => ({
  start: channel(`tracing:${name}:start`),
  end: channel(`tracing:${name}:end`),
  asyncStart: channel(`tracing:${name}:asyncStart`),
  asyncEnd: channel(`tracing:${name}:asyncEnd`),
  error: channel(`tracing:${name}:error`),
  hasSubscribers: false,
  subscribe () {},
  unsubscribe () { return false },
  traceSync: (f, context, self, ...args) => f.apply(self, args),
  tracePromise: async (f, context, self, ...args) => f.apply(self, args),
  traceCallback: (f, position, context, self, ...args) => f.apply(self, args)
})
