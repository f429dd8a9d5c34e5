// A pole on a cart. Pushes of the cart to the left or right, fifty times a second, keep the pole
// upright (Barto, Sutton and Anderson, 1983).

const GRAVITY = 9.8
const CART_MASS = 1
const POLE_MASS = 0.1
const HALF_LENGTH = 0.5
const FORCE = 10
const TICK = 0.02

/** The distance from the middle at which the cart leaves its track, in metres. */
export const TRACK = 2.4
/** The angle at which the pole counts as fallen: 12 degrees, in radians. */
export const FALLEN = 12 * Math.PI / 180

const RANGES = [TRACK, 2, FALLEN, 2]

export class CartPole {
  constructor (random) {
    this.random = random
    /** The place and speed of the cart, the angle and angular speed of the pole. */
    this.state = new Float64Array(4)
    this.sensed = new Float64Array(4)
    this.reset()
  }

  /** Starts again with the pole almost upright and the cart almost at rest. */
  reset () {
    for (let i = 0; i < 4; i++) this.state[i] = this.random() * 0.1 - 0.05
  }

  /** The state for the agent: numbers from about -1 to 1. The next call overwrites the array. */
  get senses () {
    for (let i = 0; i < 4; i++) this.sensed[i] = this.state[i] / RANGES[i]
    return this.sensed
  }

  /** Pushes to the left (0) or right (1). Returns whether the pole still stands. */
  push (action) {
    const [place, speed, angle, turn] = this.state
    const [sin, cos] = sinAndCos(angle)
    const mass = CART_MASS + POLE_MASS
    const pushed = ((action === 1 ? FORCE : -FORCE) + POLE_MASS * HALF_LENGTH * turn * turn * sin) / mass
    const turning = (GRAVITY * sin - cos * pushed) / (HALF_LENGTH * (4 / 3 - POLE_MASS * cos * cos / mass))
    const speeding = pushed - POLE_MASS * HALF_LENGTH * turning * cos / mass
    this.state[0] = place + TICK * speed
    this.state[1] = speed + TICK * speeding
    this.state[2] = angle + TICK * turn
    this.state[3] = turn + TICK * turning
    return Math.abs(this.state[0]) <= TRACK && Math.abs(this.state[2]) <= FALLEN
  }
}

// Series instead of Math.sin and Math.cos, because their last digits differ between browsers. The
// error is below 1e-9 while the pole stands.
function sinAndCos (angle) {
  const square = angle * angle
  return [
    angle * (1 - square / 6 * (1 - square / 20 * (1 - square / 42))),
    1 - square / 2 * (1 - square / 12 * (1 - square / 30 * (1 - square / 56)))
  ]
}
