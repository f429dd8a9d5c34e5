// Random numbers from a seed (sfc32).
module.exports = class Random {
  constructor (seed) {
    this.a = seed >>> 0
    this.b = Math.floor(seed / 0x100000000) >>> 0
    this.c = 0x9e3779b9
    this.counter = 1
    for (let i = 0; i < 12; i++) this.next()
  }

  // A whole number below 2 ** 32.
  next () {
    const next = (this.a + this.b + this.counter++) >>> 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = ((this.c << 21) | (this.c >>> 11)) + next | 0
    return next
  }

  // A whole number below `bound`.
  below (bound) {
    return this.next() % bound
  }

  // True in `percent` of 100 cases.
  chance (percent) {
    return this.below(100) < percent
  }

  pick (list) {
    return list[this.below(list.length)]
  }
}
