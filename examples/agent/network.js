// A network with rectified linear units, trained with Adam (Kingma and Ba, 2015). All computations
// use only + - * / and Math.sqrt, which every engine rounds equally: the same seed gives the same
// network on every device.

const MEAN_DECAY = 0.9
const SQUARE_DECAY = 0.999
const TINY = 1e-8

export class Network {
  /** `sizes`: the sizes of the input, of each hidden layer, and of the output. */
  constructor (sizes, random) {
    let count = 0
    this.layers = sizes.slice(1).map((outputs, i) => {
      const layer = { inputs: sizes[i], outputs, at: count, input: null, output: new Float64Array(outputs), errors: new Float64Array(outputs) }
      count += outputs * (sizes[i] + 1)
      return layer
    })
    this.input = new Float64Array(sizes[0])
    // For each unit: its bias, then its weights.
    this.parameters = new Float64Array(count)
    this.gradient = new Float64Array(count)
    this.means = new Float64Array(count)
    this.squares = new Float64Array(count)
    this.meanLeft = this.squareLeft = 1
    // The last layer begins with zeros, because nothing is known about any action.
    for (const layer of this.layers.slice(0, -1)) this.begin(layer, random)
  }

  begin ({ inputs, outputs, at }, random) {
    const bound = Math.sqrt(6 / inputs)
    for (let o = 0; o < outputs; o++) {
      for (let i = 1; i <= inputs; i++) this.parameters[at + o * (inputs + 1) + i] = (random() * 2 - 1) * bound
    }
  }

  /** The outputs for the input at `from` in `values`. The next call overwrites the array. */
  forward (values, from = 0) {
    let input = this.input
    for (let i = 0; i < input.length; i++) input[i] = values[from + i]
    const { parameters, layers } = this
    const last = layers[layers.length - 1]
    for (const layer of layers) {
      const { inputs, outputs, output } = layer
      let p = layer.at
      for (let o = 0; o < outputs; o++) {
        let sum = parameters[p++]
        for (let i = 0; i < inputs; i++) sum += parameters[p++] * input[i]
        output[o] = sum > 0 || layer === last ? sum : 0
      }
      layer.input = input
      input = output
    }
    return input
  }

  /** Adds the gradient of `error` ** 2 / 2, the loss of the last `forward` at this output. */
  backward (output, error) {
    const { parameters, gradient, layers } = this
    layers[layers.length - 1].errors.fill(0)[output] = error
    for (let l = layers.length - 1; l >= 0; l--) {
      const { inputs, outputs, at, input, errors } = layers[l]
      const below = l > 0 ? layers[l - 1].errors.fill(0) : null
      for (let o = 0; o < outputs; o++) {
        const e = errors[o]
        if (e === 0) continue
        const p = at + o * (inputs + 1)
        gradient[p] += e
        for (let i = 0; i < inputs; i++) {
          gradient[p + 1 + i] += e * input[i]
          if (below !== null && input[i] > 0) below[i] += e * parameters[p + 1 + i]
        }
      }
    }
  }

  /** Takes one step of Adam along the summed gradient of `count` examples, and resets it. */
  learn (rate, count) {
    this.meanLeft *= MEAN_DECAY
    this.squareLeft *= SQUARE_DECAY
    const step = rate * Math.sqrt(1 - this.squareLeft) / (1 - this.meanLeft)
    const { parameters, gradient, means, squares } = this
    for (let i = 0; i < parameters.length; i++) {
      const slope = gradient[i] / count
      means[i] += (1 - MEAN_DECAY) * (slope - means[i])
      squares[i] += (1 - SQUARE_DECAY) * (slope * slope - squares[i])
      parameters[i] -= step * means[i] / (Math.sqrt(squares[i]) + TINY)
      gradient[i] = 0
    }
  }

  /** Copies the parameters of another network with the same sizes. */
  copy (other) {
    this.parameters.set(other.parameters)
  }
}
