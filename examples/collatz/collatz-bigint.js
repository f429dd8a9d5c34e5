// The same as collatz.js with JavaScript's own BigInt instead of bignumber.js: many times faster,
// for browsers from 2018 on (iOS: from 2020).
const pando = require('pando-computing')

const [ZERO, ONE, TWO, THREE] = [0, 1, 2, 3].map(BigInt)

module.exports['/pando/1.0.0'] = (range, cb) => {
  if (!/^0*[1-9]\d* [1-9]\d*$/.test(range)) return cb(new Error('not "START SIZE": ' + range))
  const [start, size] = range.split(' ')

  const began = Date.now()
  const most = mostSteps(BigInt(start), Number(size))
  pando.report({ cpuTime: Date.now() - began, dataTransferTime: 0, nbItems: Number(size), units: 'numbers' })

  cb(null, most.number + ' ' + most.steps)
}

// The first number with the most steps.
function mostSteps (start, size) {
  let most = { number: start, steps: -1 }
  for (let i = 0; i < size; i++) {
    const number = start + BigInt(i)
    const steps = collatz(number)
    if (steps > most.steps) most = { number, steps }
  }
  return most
}

// The number of steps to 1. A step halves an even number; it triples an odd number and adds one.
function collatz (number) {
  let steps = 0
  for (; number > ONE; steps++) {
    number = number % TWO === ZERO ? number / TWO : number * THREE + ONE
  }
  return steps
}
