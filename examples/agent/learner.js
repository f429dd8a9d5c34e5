// Deep Q-learning (Mnih et al., 2015): a network learns the value of each push from stored
// experiences.

import { CartPole } from './cart-pole.js'
import { Network } from './network.js'
import { randomFrom } from './random.js'

/** The most pushes in an episode, and so the best reward. */
export const LONGEST = 200

const SIZES = [4, 24, 24, 2]
const DISCOUNT = 0.98
/** The reward for each push that keeps the pole upright: all values are between 0 and 1. */
const REWARD = 1 - DISCOUNT
const BATCH = 16
const MEMORY = 5000
/** The number of steps before the first lesson. */
const LOOK_AROUND = 200
/** The number of steps with decreasing randomness, and the final share of random pushes. */
const EXPLORE = 1500
const CURIOSITY = 0.02
/** The number of steps between two copies to the frozen network. */
const FREEZE = 150
/** The number of last episodes that count for the reward. */
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
    /** The rewards of the episodes that have ended. */
    this.rewards = []
    this.current = 0
  }

  /** Makes one push, and learns one lesson. */
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

  /** The mean reward of the last episodes, or the reward so far of the first episode. */
  get reward () {
    const last = this.rewards.slice(-LAST)
    return last.length === 0 ? this.current : last.reduce((sum, reward) => sum + reward, 0) / last.length
  }

  /** The push that the agent considers best. */
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
