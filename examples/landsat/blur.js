// Blurs pictures: the bytes of a JPEG -> the bytes of a PNG.
import { encode } from 'fast-png'
import jpeg from 'jpeg-js'

const SIGMA = 3 // of the bell curve, in pixels
const RADIUS = Math.ceil(3 * SIGMA) // beyond it the curve is as good as zero
const CHANNELS = 3

export function blur (bytes) {
  const { width, height, data } = jpeg.decode(bytes, { useTArray: true, formatAsRGBA: false, maxMemoryUsageInMB: 1024 })
  const pixels = Float32Array.from(data)
  const row = width * CHANNELS
  // A two-dimensional bell curve is the product of one along the rows and one along the columns.
  for (let y = 0; y < height; y++) {
    for (let c = 0; c < CHANNELS; c++) blurLine(pixels, y * row + c, CHANNELS, width)
  }
  for (let at = 0; at < row; at++) blurLine(pixels, at, row, height)
  return encode({ width, height, channels: CHANNELS, data: new Uint8Array(Uint8ClampedArray.from(pixels).buffer) })
}

const weights = bell()

function bell () {
  const curve = Array.from({ length: 2 * RADIUS + 1 }, (_, i) => Math.exp(-((i - RADIUS) ** 2) / (2 * SIGMA ** 2)))
  const sum = curve.reduce((a, b) => a + b)
  return curve.map(weight => weight / sum)
}

// Blurs `length` values with the distance `step`, in place. Beyond its ends a line continues with
// its first or last value.
function blurLine (values, start, step, length) {
  const line = new Float32Array(length + 2 * RADIUS)
  for (let i = 0; i < line.length; i++) {
    line[i] = values[start + step * Math.min(Math.max(i - RADIUS, 0), length - 1)]
  }
  for (let i = 0; i < length; i++) {
    let sum = 0
    for (let k = 0; k < weights.length; k++) sum += weights[k] * line[i + k]
    values[start + step * i] = sum
  }
}
