var util = module.exports = require('util/util.js')

util.TextEncoder = globalThis.TextEncoder
util.TextDecoder = globalThis.TextDecoder
util.isDeepStrictEqual = function (a, b) {
  try {
    require('assert').deepStrictEqual(a, b)
    return true
  } catch (error) {
    return false
  }
}
