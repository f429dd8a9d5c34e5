// The lender with a deliberate bug. Each class breaks one rule, most of them only when events come
// in a rare order. The number is the number of the broken property; 0 is the protocol of
// pull-stream.
const Lender = require('./lender')

module.exports = {
  // 1: reads as soon as possible, even if nobody asks.
  eager: class extends Lender {
    mayRead () { return this.input !== null && !this.reading && !this.end && this.values.length < this.window }
  },

  // 3: does not answer the pending ask of a borrower that closes.
  deaf: class extends Lender {
    close (sub) {
      this.asks = this.asks.filter(ask => ask.sub !== sub)
      super.close(sub)
    }
  },

  // 3: does not serve waiting borrowers when values come back.
  asleep: class extends Lender {
    close (sub) {
      const { serving } = this
      this.serving = true
      super.close(sub)
      this.serving = serving
    }
  },

  // 4: ends when the input ends, even if values are still being computed.
  hasty: class extends Lender {
    mayEnd () { return this.end !== null && !this.mayOutput() }
  },

  // 4: the error of the input comes before the results of earlier values.
  alarmed: class extends Lender {
    mayEnd () { return this.end instanceof Error || super.mayEnd() }
  },

  // 5: outputs finished results before earlier results that are not finished.
  unordered: class extends Lender {
    finish (value, result) {
      super.finish(value, result)
      this.values.sort((a, b) => b.finished - a.finished || a.index - b.index)
    }
  },

  // 6: loses the values of a borrower that closes.
  lossy: class extends Lender {
    giveBack () {}
  },

  // 6: lends returned values in the order of their return, not the oldest first.
  jumbled: class extends Lender {
    giveBack (values) { this.returned = this.returned.concat(values) }
  },

  // 8: does not answer borrowers that ask after the last output.
  endless: class extends Lender {
    isDone () { return this.values.length > 0 && super.isDone() }
  },

  // 9: lends a value twice when two or more values wait to be lent.
  twice: class extends Lender {
    take () { return this.asks.length > 0 && this.returned.length > 1 ? this.returned[0] : super.take() }
  },

  // 10: accepts results of a closed borrower.
  late: class extends Lender {
    close (sub) {
      const held = sub.held.slice()
      super.close(sub)
      sub.held = held
    }
  },

  // 11: reads one value more than the window allows.
  wide: class extends Lender {
    constructor (window) { super(window + 1) }
  },

  // 0: reads again before the previous read is answered.
  greedy: class extends Lender {
    mayRead () {
      const { reading } = this
      this.reading = reading && this.asks.length < 2
      const may = super.mayRead()
      this.reading = reading
      return may
    }
  },

  // 0: does not abort the input when its output is aborted.
  rude: class extends Lender {
    abort (reason, cb) {
      this.end = this.end || reason
      super.abort(reason, cb)
    }
  }
}
