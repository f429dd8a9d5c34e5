// Deep Q-learning (Mnih et al., 2015): a network learns the value of each push from stored
// experiences.

import { CartPole } from './cart-pole.js'
import { Network } from './network.js'
import { randomFrom } from './random.js'

/** An episode ends after so many pushes, with the pole upright: the best reward. */
export const LONGEST = 200

const SIZES = [4, 24, 24, 2]
const DISCOUNT = 0.98
/** For each push that leaves the pole upright: so the values are between 0 and 1. */
const REWARD = 1 - DISCOUNT
const BATCH = 16
const MEMORY = 5000
/** Steps before the first lesson. */
const LOOK_AROUND = 200
/** Steps in which pushes become less and less random, and how random they stay. */
const EXPLORE = 1500
const CURIOSITY = 0.02
/** Steps between two copies of the network that says what comes next. */
const FREEZE = 150
/** Episodes that count. */
const LAST = 20

export class Learner {
  constructor (rate, seed) {
    this.rate = rate
    this.random = randomFrom(seed)
    this.network = new Network(SIZES, this.random)
    this.frozen = new Network(SIZES, this.random)
    this.frozen.copy(this.network)
    this.world = new CartPole(this.random)
    this.memory = new Memory()
    this.steps = 0
    /** Rewards of the episodes that have ended. */
    this.rewards = []
    this.current = 0
  }

  /** One push, and one lesson. */
  step () {
    const { world, memory } = this
    const action = this.random() < this.curiosity ? Math.floor(this.random() * 2) : this.choice(world)
    memory.before(world.senses, action)
    const stands = world.push(action)
    memory.after(world.senses, stands)
    this.current++
    if (!stands || this.current === LONGEST) {
      this.rewards.push(this.current)
      this.current = 0
      world.reset()
    }
    this.steps++
    if (this.steps % FREEZE === 0) this.frozen.copy(this.network)
    if (this.steps > LOOK_AROUND) this.learn()
  }

  /** Pushes upright in an episode: the mean of the last episodes, or of the one that goes on if none has ended. */
  get reward () {
    const last = this.rewards.slice(-LAST)
    return last.length === 0 ? this.current : last.reduce((sum, reward) => sum + reward, 0) / last.length
  }

  /** What the agent would do. */
  choice (world) {
    const values = this.network.forward(world.senses)
    return values[1] > values[0] ? 1 : 0
  }

  get curiosity () {
    return Math.max(CURIOSITY, 1 - this.steps / EXPLORE)
  }

  learn () {
    const { network, frozen, memory } = this
    for (let i = 0; i < BATCH; i++) {
      const at = Math.floor(this.random() * memory.count)
      const next = frozen.forward(memory.next, at * 4)
      // A fallen pole has no future reward.
      const target = REWARD + (memory.stands[at] ? DISCOUNT * Math.max(next[0], next[1]) : 0)
      const action = memory.actions[at]
      network.backward(action, network.forward(memory.states, at * 4)[action] - target)
    }
    network.learn(this.rate, BATCH)
  }
}

/** The last experiences. */
class Memory {
  constructor () {
    this.states = new Float64Array(MEMORY * 4)
    this.next = new Float64Array(MEMORY * 4)
    this.actions = new Uint8Array(MEMORY)
    this.stands = new Uint8Array(MEMORY)
    this.count = this.at = 0
  }

  before (state, action) {
    this.states.set(state, this.at * 4)
    this.actions[this.at] = action
  }

  after (state, stands) {
    this.next.set(state, this.at * 4)
    this.stands[this.at] = stands ? 1 : 0
    this.at = (this.at + 1) % MEMORY
    this.count = Math.min(this.count + 1, MEMORY)
  }
}
