// The smallest application: one second of simulated work for each number.
module.exports['/pando/1.0.0'] = (x, cb) => {
  const square = Number(x) * Number(x)
  if (Number.isNaN(square)) return cb(new Error('not a number: ' + x))
  setTimeout(() => cb(null, square), 1000)
}
