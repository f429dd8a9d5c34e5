// Finds, among consecutive numbers, the one that takes the most steps to reach 1:
// "START SIZE" -> "NUMBER STEPS".
const { BigNumber } = require('bignumber.js')
const pando = require('pando-computing')

module.exports['/pando/1.0.0'] = (range, cb) => {
  if (!/^0*[1-9]\d* [1-9]\d*$/.test(range)) return cb(new Error('not "START SIZE": ' + range))
  const [start, size] = range.split(' ')

  const began = Date.now()
  const most = mostSteps(new BigNumber(start), Number(size))
  pando.report({ cpuTime: Date.now() - began, dataTransferTime: 0, nbItems: Number(size), units: 'numbers' })

  // Not toString(), which writes numbers from 1e+21 with an exponent.
  cb(null, most.number.toFixed() + ' ' + most.steps)
}

// The first of the numbers that has the most steps.
function mostSteps (start, size) {
  let most = { number: start, steps: -1 }
  for (let i = 0; i < size; i++) {
    const number = start.plus(i)
    const steps = collatz(number)
    if (steps > most.steps) most = { number, steps }
  }
  return most
}

// Steps to 1: an even number is halved, an odd one is tripled and one is added.
function collatz (number) {
  let steps = 0
  for (; number.gt(1); steps++) {
    number = number.mod(2).isZero() ? number.idiv(2) : number.times(3).plus(1)
  }
  return steps
}
