// Runs parts of the agent without pando: node agent.mjs COMMAND ARGUMENT…
import agent from '../agent/agent.js'
import { CartPole } from '../agent/cart-pole.js'
import { Network } from '../agent/network.js'
import { randomFrom } from '../agent/random.js'

const commands = { train, swing, gradient }

/** Prints the function's result for each argument. */
async function train (...lines) {
  for (const line of lines) console.log(JSON.stringify(await agent(line, { report () {} })))
}

/** Prints the states after each of the pushes, such as 0110, from a fixed first state. */
function swing (pushes) {
  const world = new CartPole(randomFrom(1))
  console.log(world.state.join(' '))
  for (const push of pushes) console.log(Number(world.push(Number(push))), world.state.join(' '))
}

/** Prints each part of the gradient, and the difference quotient of the loss. */
function gradient () {
  const random = randomFrom(1)
  const network = new Network([4, 6, 5, 2], random)
  network.parameters.forEach((_, i) => { network.parameters[i] = random() - 0.5 })
  const inputs = Float64Array.from({ length: 8 }, () => random() - 0.5)
  const errors = () => [network.forward(inputs, 0)[1] - 3, network.forward(inputs, 4)[0] + 2]
  const loss = () => errors().reduce((sum, error) => sum + error * error / 2, 0)
  network.backward(1, network.forward(inputs, 0)[1] - 3)
  network.backward(0, network.forward(inputs, 4)[0] + 2)
  network.parameters.forEach((parameter, i) => {
    const at = moved => {
      network.parameters[i] = parameter + moved
      return loss()
    }
    console.log(network.gradient[i], (at(1e-5) - at(-1e-5)) / 2e-5)
    network.parameters[i] = parameter
  })
}

const [command, ...rest] = process.argv.slice(2)
await commands[command](...rest)
