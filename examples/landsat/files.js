// Pando carries the data: the bytes of a picture -> the bytes of the blurred picture, with
// --files.
import { blur } from './blur.js'

export default (bytes, { report }) => {
  const began = Date.now()
  const png = blur(bytes)
  report({ cpuTime: Date.now() - began, dataTransferTime: 0, nbItems: 1, units: 'pictures' })
  return png
}
