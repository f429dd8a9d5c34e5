// Asks the depot at the given address to collect the result on standard input, for pando
// --confirm.
import { text } from 'node:stream/consumers'

const response = await fetch(process.argv[2], { method: 'POST', body: await text(process.stdin) })
if (!response.ok) {
  console.error(await response.text())
  process.exit(1)
}
