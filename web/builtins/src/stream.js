var stream = module.exports = require('stream-browserify')

// As in Node, every stream is an instance of Stream. In the package, streams inherit only from
// EventEmitter.
Object.setPrototypeOf(stream.Readable.prototype, stream.prototype)
Object.setPrototypeOf(stream.Writable.prototype, stream.prototype)

function promised (callbackStyle) {
  return function () {
    var args = Array.prototype.slice.call(arguments)
    return new Promise(function (resolve, reject) {
      callbackStyle.apply(null, args.concat(function (error) { error ? reject(error) : resolve() }))
    })
  }
}

stream.promises = { finished: promised(stream.finished), pipeline: promised(stream.pipeline) }
