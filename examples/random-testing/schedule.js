// One random schedule: a lender between an input, an output and borrowers with random actions,
// observed by the oracle.
const Oracle = require('./oracle')
const Random = require('./random')
const { Borrower, pipeline } = require('./borrowers')
const { Checked, Violation } = require('./protocol')

// The greatest number of rounds until the end. A schedule that needs more rounds hangs.
const LONGEST_END = 500

module.exports = class Schedule {
  // `tell`, if given, receives a line for every event.
  constructor (seed, Lender, tell) {
    const random = this.random = new Random(seed)
    const window = random.pick([1, 2, 3, 5, 12, Infinity])
    this.lender = new Lender(window)
    this.oracle = new Oracle(window)
    this.tell = tell
    this.streams = []
    this.later = [] // answers whose time has not come
    this.delays = random.pick([0, 20, 50, 100]) // percent of the answers
    this.borrowers = []
    this.opened = 0
    this.results = 0
    this.steps = 0
  }

  // Runs the schedule. Throws the first Violation, or returns the number of steps.
  run () {
    this.output = this.checked('output', this.lender.source, this.oracle.watchOutput())
    const mostOpened = 1 + this.random.below(8)
    for (let left = 20 + this.random.below(100); left > 0; left--) this.step(() => this.anything(mostOpened))
    this.finish()
    return this.steps
  }

  step (what) {
    this.steps++
    what()
    this.oracle.check()
  }

  anything (mostOpened) {
    const { random } = this
    const die = random.below(1000)
    if (die < 50) this.connect()
    else if (die < 150) this.opened < mostOpened && this.enter()
    else if (die < 350) this.answerOne()
    else if (die < 500) this.consume()
    else if (die < 502) this.stop()
    else if (this.borrowers.length > 0) random.pick(this.borrowers).act(random)
  }

  // From now on all participants behave well: all results must come out, and the output must end.
  finish () {
    this.step(() => this.connect())
    this.borrowers.push(new Borrower(this))
    for (let round = 0; this.oracle.output.end === null || this.later.length > 0; round++) {
      if (round > LONGEST_END) throw new Violation(4, 'the output does not end')
      this.step(() => this.answerOne())
      this.step(() => this.consume())
      for (const borrower of this.borrowers) this.step(() => borrower.work())
    }
    this.borrowers.push(new Borrower(this))
    for (const borrower of this.borrowers) this.step(() => borrower.ask())
    for (const stream of this.streams) stream.checkEnd()
    this.oracle.checkEnd()
  }

  connect () {
    const { input } = this.oracle
    if (input.connected) return
    input.connected = true
    this.lender.sink(this.checked('input', this.input(), this.oracle.watchInput()))
  }

  enter () {
    if (this.random.chance(30)) pipeline(this)
    else this.borrowers.push(new Borrower(this))
  }

  // Opens a sub-stream. Also returns functions that add checks to its two directions.
  open () {
    const name = `sub ${++this.opened}`
    return {
      name,
      sub: this.lender.open(),
      values: read => this.checked(name, read, this.oracle.watchValues(name)),
      results: read => this.checked(`results of ${name}`, read, this.oracle.watchResults(name))
    }
  }

  consume () {
    const { asked, aborted } = this.oracle.output
    if (!asked && !aborted) this.output(null, () => {})
  }

  stop () {
    if (!this.oracle.output.aborted) this.output(true, () => {})
  }

  // An input of some values and then an end or an error. As the protocol requires, it can be
  // aborted at any time.
  input () {
    const values = this.random.below(30)
    const end = this.random.chance(25) ? new Error('broken input') : true
    let read = 0
    let asked = null
    const answer = (end, value) => {
      const cb = asked
      asked = null
      cb(end, value)
    }
    return (abort, cb) => {
      if (abort) {
        if (asked) answer(abort)
        return this.soon(() => cb(abort))
      }
      asked = cb
      this.soon(() => {
        if (asked !== cb) return
        if (read === values) answer(end)
        else answer(null, { value: read++ })
      })
    }
  }

  // A result. All results differ.
  result (value, by) {
    return { of: value && value.value, by, number: this.results++ }
  }

  // Calls `what` now or later.
  soon (what) {
    if (this.random.chance(this.delays)) this.later.push(what)
    else what()
  }

  answerOne () {
    if (this.later.length > 0) this.later.splice(this.random.below(this.later.length), 1)[0]()
  }

  checked (name, read, watch) {
    const checked = new Checked(name, read, watch, this.tell)
    this.streams.push(checked)
    return checked.read
  }
}
