// A bundle has no files to require. A `require` of `createRequire` throws the error which Node
// throws for a missing module.
function notThere (name) {
  const error = new Error(`Cannot find module '${name}': it is not in the bundle`)
  error.code = 'MODULE_NOT_FOUND'
  throw error
}

exports.createRequire = () => Object.assign((name) => notThere(name), { resolve: notThere })
exports.builtinModules = []
exports.isBuiltin = () => false
