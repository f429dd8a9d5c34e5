// Two kinds of borrowers. Both obey the protocol of pull-stream, but nothing else.
const pull = require('pull-stream')

// A borrower that takes one action per call: asks before it has answered, answers late, early or
// never, leaves at any time, or answers a value that it does not hold.
class Borrower {
  constructor (schedule) {
    const { name, sub, values, results } = schedule.open()
    this.schedule = schedule
    this.name = name
    this.values = values(sub.source)
    this.held = []
    this.asking = false
    this.left = false
    this.wanted = null // the lender's ask for a result
    sub.sink(results((abort, cb) => {
      this.wanted = abort ? null : cb
      if (abort) cb(abort)
    }))
  }

  act (random) {
    const die = random.below(100)
    if (die < 45) this.ask()
    else if (die < 90) this.answer()
    else if (die < 94) this.leave()
    else if (die < 97) this.end(random.chance(50) ? true : new Error('broken borrower'))
    else if (this.held.length === 0) this.give(this.schedule.result(null, this.name))
  }

  work () {
    this.ask()
    this.answer()
  }

  ask () {
    if (this.asking || this.left) return
    this.asking = true
    this.values(null, (end, value) => {
      this.asking = false
      if (end) return
      this.held.push(value)
      // Some borrowers answer within the call that lent them the value.
      if (this.schedule.random.chance(20)) this.answer()
    })
  }

  answer () {
    if (this.wanted && this.held.length > 0) this.give(this.schedule.result(this.held.shift(), this.name))
  }

  give (result) {
    this.settle(null, result)
  }

  end (how) {
    this.settle(how)
  }

  settle (end, result) {
    const cb = this.wanted
    if (!cb) return
    this.wanted = null
    cb(end, result)
  }

  leave () {
    if (this.left) return
    this.left = true
    this.values(true, () => {})
  }
}

// A pipeline of pull-stream's own parts, which works without further calls. It may take only some
// values, or fail.
function pipeline (schedule) {
  const { random } = schedule
  const { name, sub, values, results } = schedule.open()
  const risk = random.pick([0, 0, 10])
  const work = (value, cb) => schedule.soon(() => {
    if (random.chance(risk)) cb(new Error('broken work'))
    else cb(null, schedule.result(value, name))
  })
  const some = random.chance(30) ? pull.take(1 + random.below(4)) : pull.through()
  pull(values(sub.source), pull.asyncMap(work), some, read => sub.sink(results(read)))
}

module.exports = { Borrower, pipeline }
