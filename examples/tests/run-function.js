// Applies a function to each line of standard input, one after the other, like one core of Pando:
// node run-function.js FUNCTION.js. Reports go to standard error, one JSON text per line.
const Module = require('module')
const path = require('path')
const readline = require('readline')

const load = Module._load
Module._load = function (name, ...rest) {
  if (name !== 'pando-computing') return load.call(this, name, ...rest)
  return { report: info => console.error(JSON.stringify(info)) }
}
const apply = require(path.resolve(process.argv[2]))['/pando/1.0.0']

async function main () {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const result = await new Promise((resolve, reject) => apply(line, (err, y) => err ? reject(err) : resolve(y)))
    console.log(String(result))
  }
}

main().catch(err => {
  console.error(err.message)
  process.exit(1)
})
