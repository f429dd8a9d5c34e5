// There are no files to require from: what `createRequire` makes throws what Node throws for a module that is not there.
function notThere (name) {
  const error = new Error(`Cannot find module '${name}': it is not in the bundle`)
  error.code = 'MODULE_NOT_FOUND'
  throw error
}

exports.createRequire = () => Object.assign((name) => notThere(name), { resolve: notThere })
exports.builtinModules = []
exports.isBuiltin = () => false
