// The lender with a deliberate bug: each class breaks one rule, most of them only when things happen in an unlucky order. The number is
// that of the property it breaks; 0 is the protocol of pull-stream.
const Lender = require('./lender')

module.exports = {
  // 1: reads on as soon as it can, asked or not.
  eager: class extends Lender {
    mayRead () { return this.input !== null && !this.reading && !this.end && this.values.length < this.window }
  },

  // 3: does not answer the ask of a borrower that closes.
  deaf: class extends Lender {
    close (sub) {
      this.asks = this.asks.filter(ask => ask.sub !== sub)
      super.close(sub)
    }
  },

  // 3: does not look who waits when values come back.
  asleep: class extends Lender {
    close (sub) {
      const { serving } = this
      this.serving = true
      super.close(sub)
      this.serving = serving
    }
  },

  // 4: ends when the input does, whatever is still being computed.
  hasty: class extends Lender {
    mayEnd () { return this.end !== null && !this.mayOutput() }
  },

  // 4: the input's error overtakes the values before it.
  alarmed: class extends Lender {
    mayEnd () { return this.end instanceof Error || super.mayEnd() }
  },

  // 5: outputs what is finished first.
  unordered: class extends Lender {
    finish (value, result) {
      super.finish(value, result)
      this.values.sort((a, b) => b.finished - a.finished || a.index - b.index)
    }
  },

  // 6: loses what a borrower held when it closed.
  lossy: class extends Lender {
    giveBack () {}
  },

  // 6: lends what came back in the order of coming back, not the oldest first.
  jumbled: class extends Lender {
    giveBack (values) { this.returned = this.returned.concat(values) }
  },

  // 8: leaves those waiting who ask after the last output.
  endless: class extends Lender {
    isDone () { return this.values.length > 0 && super.isDone() }
  },

  // 9: lends a value twice, when two borrowers wait for it and another one.
  twice: class extends Lender {
    take () { return this.asks.length > 0 && this.returned.length > 1 ? this.returned[0] : super.take() }
  },

  // 10: takes what a closed borrower answers.
  late: class extends Lender {
    close (sub) {
      const held = sub.held.slice()
      super.close(sub)
      sub.held = held
    }
  },

  // 11: reads one value more than the window.
  wide: class extends Lender {
    constructor (window) { super(window + 1) }
  },

  // 0: reads again before it has been answered.
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
