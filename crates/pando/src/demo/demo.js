// The function of `pando demo`: renders one tile of a picture of the Mandelbrot set. It runs
// unchanged in browsers and on this machine.
//
// All devices must agree on every pixel. So the function uses only the four basic operations and
// the square root, because all JavaScript engines round these alike (and not sines or logarithms).

// The part of the plane in the picture.
const CENTRE = { re: -0.7436438870372, im: 0.1318259042053 }
const WIDTH = 5.1e-5

const MOST_STEPS = 6000
const SAMPLES = 3 // per pixel, in both directions
const FAR = 2 ** 20 // the square of the distance from which a point has escaped

const INSIDE = [10, 8, 26]
const COLOURS = [
  [8, 16, 48],
  [22, 60, 122],
  [72, 150, 190],
  [222, 240, 232],
  [255, 208, 120],
  [230, 112, 72],
  [112, 28, 82],
]
const STEPS_PER_ROUND = 480 // after so many steps, the colours begin again
const LIGHT = { x: -0.6, y: 0.6, height: 1.3 }

// `text` says which tile: {"x":640,"y":320,"size":64,"width":1600,"height":1024}, in pixels.
// The result is the address of an image, so that pages show it as it is.
export default function render(text) {
  const { x, y, size, width, height } = JSON.parse(text)
  const pixels = []
  for (let row = y; row < y + size; row++) {
    for (let column = x; column < x + size; column++) {
      pixels.push(pixel(column - width / 2, height / 2 - row, WIDTH / width))
    }
  }
  return 'data:image/bmp;base64,' + btoa(bitmap(pixels, size))
}

// The mean colour of the samples in one pixel. `x` and `y` count pixels from the centre.
function pixel(x, y, scale) {
  const sum = [0, 0, 0]
  for (let sample = 0; sample < SAMPLES * SAMPLES; sample++) {
    const right = ((sample % SAMPLES) + 0.5) / SAMPLES
    const down = (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES
    const colour = colourAt(CENTRE.re + (x + right) * scale, CENTRE.im + (y - down) * scale)
    for (let part = 0; part < 3; part++) sum[part] += colour[part]
  }
  return sum.map((part) => Math.round(part / (SAMPLES * SAMPLES)))
}

// Repeats z = z² + c until z has escaped, together with the derivative of z by c.
function colourAt(cre, cim) {
  let [re, im, dre, dim] = [0, 0, 0, 0]
  for (let step = 0; step < MOST_STEPS; step++) {
    const derivative = 2 * (re * dre - im * dim) + 1
    dim = 2 * (re * dim + im * dre)
    dre = derivative
    const [re2, im2] = [re * re, im * im]
    im = 2 * re * im + cim
    re = re2 - im2 + cre
    const distance = re * re + im * im
    if (distance > FAR) {
      const smooth = step + 1 - log2(log2(distance) / log2(FAR))
      return shaded(smooth, { re, im, dre, dim })
    }
  }
  return INSIDE
}

// The colour for a number of steps, as of a surface in the light whose slope follows z/z'.
function shaded(steps, { re, im, dre, dim }) {
  const slope = { x: re * dre + im * dim, y: im * dre - re * dim }
  const length = Math.sqrt(slope.x * slope.x + slope.y * slope.y)
  const light = (slope.x * LIGHT.x + slope.y * LIGHT.y) / length + LIGHT.height
  const brightness = Math.max(0.15, light / (1 + LIGHT.height)) * 1.25
  const place = ((steps % STEPS_PER_ROUND) / STEPS_PER_ROUND) * COLOURS.length
  const first = Math.floor(place)
  const t = place - first
  const share = t * t * (3 - 2 * t)
  const [from, to] = [COLOURS[first], COLOURS[(first + 1) % COLOURS.length]]
  return from.map((part, at) => Math.min(255, (part + (to[at] - part) * share) * brightness))
}

function log2(x) {
  let whole = 0
  for (; x >= 2; x /= 2) whole++
  const t = (x - 1) / (x + 1)
  const t2 = t * t
  // The series of the logarithm; 1 / ln 2 = 1.4426950408889634.
  const sum = t * (1 + t2 * (1 / 3 + t2 * (1 / 5 + t2 * (1 / 7 + t2 / 9))))
  return whole + 2 * sum * 1.4426950408889634
}

// A square bitmap (BMP), as a text with one letter per byte.
function bitmap(pixels, size) {
  const [u16, u32] = [2, 4].map((bytes) => (n) => {
    let text = ''
    for (let byte = 0; byte < bytes; byte++) text += String.fromCharCode((n >> (8 * byte)) & 255)
    return text
  })
  const head = 54
  const length = 3 * size * size
  // A negative height: the first row is the uppermost.
  const text = ['BM', u32(head + length), u32(0), u32(head), u32(40), u32(size), u32(-size)]
  text.push(u16(1), u16(24), u32(0), u32(length), u32(0), u32(0), u32(0), u32(0))
  for (const [red, green, blue] of pixels) text.push(String.fromCharCode(blue, green, red))
  return text.join('')
}
