// StreamLender for the callback protocol of pull-stream, in which a read is `read(abort, (end,
// value) => …)`: lends one stream to any number of borrowers, and outputs their results in the
// order of the values.
//
//   const lender = new Lender()
//   pull(values, lender, pull.collect(done))
//   const sub = lender.open()                  // as many as one likes, at any time
//   pull(sub, pull.asyncMap(work), sub)
//
// A borrower answers its values in the order of lending. It closes by aborting, or by ending its
// results. A pull-stream can express nothing else, so a single value cannot be handed back, and
// property 12 of the lender does not apply.
const drain = require('pull-stream/sinks/drain')

module.exports = class Lender {
  // `window`: the limit for values that are read and not yet output.
  constructor (window = Infinity) {
    this.window = window
    this.input = null // reads the input, once there is one
    this.reading = false // whether it owes an answer
    this.end = null // how the input ended: true, or an error
    this.read = 0 // values read
    this.values = [] // read and not yet output, in order
    this.returned = [] // those of them that nobody has and that have no result, oldest first
    this.asks = [] // borrowers' that wait
    this.output = null // the output's ask
    this.serving = false

    this.sink = read => {
      this.input = read
      if (this.end) read(this.end, () => {})
      else this.serve()
    }
    this.source = (abort, cb) => {
      if (abort) return this.abort(abort, cb)
      this.output = cb
      this.serve()
    }
  }

  // Opens a new sub-stream.
  open () {
    const sub = { held: [], closed: false }
    const source = (abort, cb) => {
      if (abort) {
        this.close(sub)
        cb(abort)
      } else if (sub.closed || this.isDone()) {
        cb(true)
      } else {
        this.asks.push({ sub, cb })
        this.serve()
      }
    }
    return { source, sink: drain(result => this.accept(sub, result), () => this.close(sub)) }
  }

  // Closes a sub-stream. Its values will be lent again.
  close (sub) {
    if (sub.closed) return
    sub.closed = true
    this.giveBack(sub.held)
    sub.held = []
    const asks = this.asks.filter(ask => ask.sub === sub)
    this.asks = this.asks.filter(ask => ask.sub !== sub)
    for (const ask of asks) ask.cb(true)
    this.serve()
  }

  // Accepts a result for the oldest value that the borrower holds. A borrower that holds no value
  // is closed.
  accept (sub, result) {
    const value = sub.held.shift()
    if (!value) {
      this.close(sub)
      return false
    }
    this.finish(value, result)
    this.serve()
  }

  // The output is aborted, so the lender stops everything.
  abort (reason, cb) {
    const open = this.input && !this.end
    this.end = this.end || reason
    this.values = []
    this.returned = []
    if (this.output) this.answerOutput(reason)
    this.serve()
    if (open) this.input(reason, () => cb(reason))
    else cb(reason)
  }

  // Does everything that is possible now. Callbacks may call the lender again and change its
  // state, so the loop repeats until nothing is left to do.
  serve () {
    if (this.serving) return
    this.serving = true
    while (this.lendNext() || this.dismissNext() || this.readNext() || this.outputNext());
    this.serving = false
  }

  lendNext () {
    if (this.asks.length === 0 || this.returned.length === 0) return false
    const { sub, cb } = this.asks.shift()
    const value = this.take()
    sub.held.push(value)
    cb(null, value.value)
    return true
  }

  dismissNext () {
    if (this.asks.length === 0 || !this.isDone()) return false
    this.asks.shift().cb(true)
    return true
  }

  readNext () {
    if (!this.mayRead()) return false
    this.reading = true
    this.input(null, (end, value) => {
      this.reading = false
      if (this.end) return
      if (end) this.end = end
      else this.add({ index: this.read++, value, finished: false, result: undefined })
      this.serve()
    })
    return true
  }

  outputNext () {
    if (!this.output) return false
    if (this.mayEnd()) this.answerOutput(this.end)
    else if (this.mayOutput()) this.answerOutput(null, this.values.shift().result)
    else return false
    return true
  }

  answerOutput (end, result) {
    const cb = this.output
    this.output = null
    cb(end, result)
  }

  add (value) {
    this.values.push(value)
    this.returned.push(value)
  }

  take () {
    return this.returned.shift()
  }

  giveBack (values) {
    this.returned = this.returned.concat(values).sort((a, b) => a.index - b.index)
  }

  finish (value, result) {
    value.finished = true
    value.result = result
  }

  mayRead () {
    return this.input !== null && !this.reading && !this.end && this.asks.length > 0 && this.values.length < this.window
  }

  mayOutput () {
    return this.values.length > 0 && this.values[0].finished
  }

  mayEnd () {
    return this.values.length === 0 && this.end !== null
  }

  // Whether no value will be lent any more.
  isDone () {
    return this.end !== null && this.values.every(value => value.finished)
  }
}
