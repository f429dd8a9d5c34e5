// The required behaviour of a lender, checked by searching through lists. The oracle observes
// every ask and answer at the lender's boundaries before the receiver does, and throws a Violation
// of the broken property.
const { Violation } = require('./protocol')

module.exports = class Oracle {
  constructor (window) {
    this.window = window
    this.values = [] // all that were read: { value, holder, result, finished }
    this.outputs = 0
    this.lendings = 0
    this.asks = [] // sub-streams that wait
    this.closed = new Set()
    this.input = { connected: false, asked: false, end: null, aborted: false }
    this.output = { asked: false, end: null, aborted: false }
  }

  // Observes the input, which the lender reads.
  watchInput () {
    const { input } = this
    return {
      ask: () => {
        input.asked = true
        if (this.asks.length === 0) fail(1, 'the input is read, and nobody asks')
        if (this.oldestToLend() !== undefined) fail(6, 'the input is read, and a value that came back waits')
        if (this.isFull()) fail(11, `the input is read beyond the window of ${this.window}`)
      },
      answer: (end, value) => {
        input.asked = false
        if (this.output.aborted) return
        if (end) input.end = end
        else this.values.push({ value, holder: null, since: 0, cameBack: false, finished: false, result: undefined })
      },
      abort: () => {
        input.aborted = true
        if (!this.output.aborted) fail(4, 'the input is aborted, and the output is not')
      }
    }
  }

  // Observes the values of a sub-stream, which a borrower reads.
  watchValues (sub) {
    return {
      mayAskAfterEnd: true,
      ask: () => this.asks.push(sub),
      answer: (end, value) => {
        this.asks.splice(this.asks.indexOf(sub), 1)
        if (!end) this.lent(sub, value)
        else if (!this.closed.has(sub) && !this.isDone()) fail(3, `${sub} is told done before the end`)
      },
      abort: () => this.close(sub)
    }
  }

  // Observes the results of a sub-stream, which the lender reads.
  watchResults (sub) {
    return {
      ask: () => {},
      mayWait: true,
      answer: (end, result) => end ? this.close(sub) : this.result(sub, result),
      abort: () => {
        if (!this.closed.has(sub)) fail(2, `the results of ${sub} are aborted, and it is open`)
      }
    }
  }

  // Observes the output.
  watchOutput () {
    const { output } = this
    return {
      mayAskAfterEnd: true,
      ask: () => { output.asked = true },
      answer: (end, result) => {
        output.asked = false
        if (end) this.ended(end)
        else this.printed(result)
      },
      abort: () => {
        output.aborted = true
        output.end = true
        this.outputs = this.values.length
      }
    }
  }

  ended (end) {
    const { input, output } = this
    if (output.aborted) return
    output.end = end
    const left = this.inProgress()
    if (input.end === null) fail(4, 'the output ends before the input')
    if (left > 0) fail(4, `the output ends, and ${left} of the values read have not been output`)
    if (end !== input.end) fail(4, `the input ended with ${input.end}, the output with ${end}`)
  }

  printed (result) {
    const index = this.values.findIndex(value => value.finished && value.result === result)
    if (index < 0) fail(10, `${say(result)} is output, which is no accepted result`)
    if (index !== this.outputs) fail(5, `the result of value ${index} is output, and it is the turn of value ${this.outputs}`)
    this.outputs++
  }

  lent (sub, value) {
    const index = this.values.findIndex(known => known.value === value)
    if (index < 0) fail(6, `${sub} is lent ${say(value)}, which was not read`)
    const { holder, finished } = this.values[index]
    if (this.closed.has(sub)) fail(6, `${sub} is closed, and is lent value ${index}`)
    if (this.isDone()) fail(8, `${sub} is lent value ${index} after the end`)
    if (holder !== null) fail(9, `${sub} is lent value ${index}, which ${holder} holds`)
    if (finished) fail(9, `${sub} is lent value ${index}, which has a result`)
    if (index !== this.oldestToLend()) fail(6, `${sub} is lent value ${index}, and value ${this.oldestToLend()} waits`)
    this.values[index].holder = sub
    this.values[index].since = this.lendings++
  }

  // A result belongs to the oldest value that the sub-stream holds, in the order of lending. A
  // sub-stream that answers without holding a value is closed.
  result (sub, result) {
    let held = null
    for (const value of this.values) {
      if (value.holder === sub && (held === null || value.since < held.since)) held = value
    }
    if (held === null) return this.close(sub)
    held.holder = null
    held.finished = true
    held.result = result
  }

  close (sub) {
    this.closed.add(sub)
    for (const value of this.values) {
      if (value.holder !== sub) continue
      value.holder = null
      value.cameBack = true
    }
  }

  // Checks the conditions that hold whenever the lender has nothing left to do.
  check () {
    const { input, output } = this
    const oldest = this.oldestToLend()
    for (const sub of this.asks) {
      if (this.closed.has(sub)) fail(3, `${sub} is closed, and its ask has no answer`)
      if (oldest !== undefined) fail(this.values[oldest].cameBack ? 6 : 3, `${sub} asks, and value ${oldest} is not lent`)
      if (this.isDone()) fail(8, `${sub} asks after the end, and has no answer`)
      if (input.connected && !input.asked && input.end === null && !this.isFull()) fail(3, `${sub} asks, and the input is not read`)
    }
    if (!output.asked) return
    const next = this.values[this.outputs]
    if (next && next.finished) fail(5, `value ${this.outputs} has its result, and is not output`)
    if (!next && input.end !== null) fail(4, 'the output does not end after the last result')
  }

  // At the end of a schedule: an aborted output must have aborted the input.
  checkEnd () {
    const { input, output } = this
    const running = input.connected && input.end === null && !input.aborted
    if (output.aborted && running) fail(0, 'the output was aborted, and the input was not')
  }

  inProgress () {
    return this.values.length - this.outputs
  }

  isFull () {
    return this.inProgress() >= this.window
  }

  oldestToLend () {
    for (let index = this.outputs; index < this.values.length; index++) {
      const { holder, finished } = this.values[index]
      if (holder === null && !finished) return index
    }
  }

  isDone () {
    if (this.output.aborted) return true
    if (this.input.end === null) return false
    for (let index = this.outputs; index < this.values.length; index++) {
      if (!this.values[index].finished) return false
    }
    return true
  }
}

function fail (property, what) {
  throw new Violation(property, what)
}

function say (thing) {
  return JSON.stringify(thing)
}
