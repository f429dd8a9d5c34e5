// Checks the protocol of pull-stream. The `read` of a `Checked` does the same as the given `read`,
// but reports each ask, answer and abort to `watch`, and throws a Violation when one side breaks a
// rule:
//
// - one ask at a time; an abort may interrupt the ask; no ask follows an abort or an end
// - every ask and every abort is answered once; an abort after the ask that it interrupts
// - no values follow an end or an abort
class Violation extends Error {
  // `property`: the number of the lender's property, 0 for this protocol.
  constructor (property, message) {
    super(message)
    this.property = property
  }
}

class Checked {
  // `tell`, if given, receives a text for every event.
  constructor (name, read, watch, tell) {
    this.name = name
    this.inner = read
    this.watch = watch
    this.tell = tell
    this.asking = false
    this.aborting = false
    this.aborted = false
    this.ended = false
    this.read = (abort, cb) => abort ? this.abort(abort, cb) : this.ask(cb)
  }

  ask (cb) {
    this.say('asked')
    if (this.asking) this.breach('asked again before the answer')
    if (this.aborted) this.breach('asked after it was aborted')
    if (this.ended && !this.watch.mayAskAfterEnd) this.breach('asked after its end')
    this.asking = true
    this.watch.ask()
    let answered = false
    this.inner(null, (end, value) => {
      this.say('answers', end, value)
      if (answered) this.breach('answered one ask twice')
      if (!end && (this.ended || this.aborted)) this.breach('gave a value after its end')
      answered = true
      this.asking = false
      this.ended = this.ended || Boolean(end)
      this.watch.answer(end, value)
      cb(end, value)
    })
  }

  abort (reason, cb) {
    this.say('aborted')
    if (this.aborted) this.breach('aborted twice')
    this.aborted = this.aborting = true
    this.watch.abort(reason)
    this.inner(reason, end => {
      this.say('answers the abort', end)
      if (!this.aborting) this.breach('answered an abort twice')
      if (!end) this.breach('answered an abort with no end')
      if (this.asking) this.breach('answered an abort before the ask that it cuts short')
      this.aborting = false
      this.ended = true
      cb(end)
    })
  }

  // Checks the state after the last event.
  checkEnd () {
    if (this.aborting) this.breach('never answered its abort')
    if (this.asking && !this.watch.mayWait) this.breach('never answered')
  }

  breach (what) {
    throw new Violation(0, `${this.name}: ${what}`)
  }

  say (what, end, value) {
    if (this.tell) this.tell(`${this.name} ${what}${end ? `: ${end}` : value ? `: ${JSON.stringify(value)}` : ''}`)
  }
}

module.exports = { Checked, Violation }
