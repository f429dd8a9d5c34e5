// Finds the number with the most steps to 1 among consecutive numbers: "START SIZE" -> "NUMBER
// STEPS".
const { BigNumber } = require('bignumber.js')
const pando = require('pando-computing')

module.exports['/pando/1.0.0'] = (range, cb) => {
  if (!/^0*[1-9]\d* [1-9]\d*$/.test(range)) return cb(new Error('not "START SIZE": ' + range))
  const [start, size] = range.split(' ')

  const began = Date.now()
  const most = mostSteps(new BigNumber(start), Number(size))
  pando.report({ cpuTime: Date.now() - began, dataTransferTime: 0, nbItems: Number(size), units: 'numbers' })

  // toString() would write numbers from 1e+21 with an exponent.
  cb(null, most.number.toFixed() + ' ' + most.steps)
}

// The first number with the most steps.
function mostSteps (start, size) {
  let most = { number: start, steps: -1 }
  for (let i = 0; i < size; i++) {
    const number = start.plus(i)
    const steps = collatz(number)
    if (steps > most.steps) most = { number, steps }
  }
  return most
}

// The number of steps to 1. A step halves an even number; it triples an odd number and adds one.
function collatz (number) {
  let steps = 0
  for (; number.gt(1); steps++) {
    number = number.mod(2).isZero() ? number.idiv(2) : number.times(3).plus(1)
  }
  return steps
}
