// Tests the lender of lender.js with random schedules: "SEED COUNT" -> JSON, with the first
// violation if there is one. "SEED COUNT BUG" tests one of the lenders of broken.js. The seeds are
// SEED, SEED + 1, …; when COUNT is 1, a violation contains all events.
const pando = require('pando-computing')
const Lender = require('./lender')
const broken = require('./broken')
const Schedule = require('./schedule')

module.exports['/pando/1.0.0'] = (line, cb) => {
  const [, seed, count, bug] = /^(\d{1,15}) ([1-9]\d{0,8})(?: (\w+))?$/.exec(line) || []
  if (!seed) return cb(new Error(`not "SEED COUNT" or "SEED COUNT BUG": ${line}`))
  if (bug && !Object.prototype.hasOwnProperty.call(broken, bug)) {
    return cb(new Error(`no such bug: ${bug}; there are ${Object.keys(broken).join(', ')}`))
  }

  const began = Date.now()
  const answer = test(Number(seed), Number(count), bug)
  pando.report({ cpuTime: Date.now() - began, dataTransferTime: 0, nbItems: answer.schedules, units: 'schedules' })
  cb(null, JSON.stringify(answer))
}

// Runs the schedules until the first violation.
function test (first, count, bug) {
  const answer = { lender: 'pull-stream', schedules: 0, steps: 0 }
  const events = []
  const tell = count === 1 ? event => events.push(event) : undefined
  for (let seed = first; seed < first + count && !answer.violation; seed++) {
    answer.schedules++
    try {
      answer.steps += new Schedule(seed, bug ? broken[bug] : Lender, tell).run()
    } catch (error) {
      answer.violation = { seed, bug, property: error.property, what: error.message }
      if (tell) answer.violation.events = events
    }
  }
  return answer
}
