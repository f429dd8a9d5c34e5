// Lets an agent learn with one learning rate, and returns its success: "RATE STEPS SEED" -> {rate,
// reward, episodes, steps, stopped}. In a page (--dom) this shows the agent, and a person can stop
// the learning.

import { Learner } from './learner.js'
import { Picture } from './picture.js'

/** Milliseconds of learning between two pauses, in which the page handles clicks. */
const SLICE = 12

let picture = null

export default async (line, context) => {
  const { rate, steps, seed } = parse(line)
  const learner = new Learner(rate, seed)
  const began = Date.now()
  const stopped = typeof document === 'undefined' ? learn(learner, steps) : await show(learner, steps, context)
  context.report({ cpuTime: Date.now() - began, dataTransferTime: 0, nbItems: learner.steps, units: 'steps' })
  return { rate, reward: learner.reward, episodes: learner.rewards.length, steps: learner.steps, stopped }
}

function parse (line) {
  const [rate, steps, seed] = line.split(' ').map(Number)
  if (!(rate > 0 && rate < Infinity && Number.isInteger(steps) && steps > 0 && Number.isInteger(seed))) {
    throw new Error('not "RATE STEPS SEED": ' + line)
  }
  return { rate, steps, seed }
}

function learn (learner, steps) {
  while (learner.steps < steps) learner.step()
  return false
}

async function show (learner, steps, { signal }) {
  picture = picture || new Picture(document.getElementById('visualization'))
  const wishes = picture.begin(learner, steps)
  while (learner.steps < steps && !wishes.stop && !signal.aborted) {
    const until = performance.now() + SLICE
    while (learner.steps < steps && performance.now() < until) learner.step()
    await pause()
  }
  picture.end()
  return wishes.stop
}

// Lets the page draw and handle clicks. In a hidden page a timer would be slowed down, but a
// message is not.
function pause () {
  return new Promise(resolve => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}
