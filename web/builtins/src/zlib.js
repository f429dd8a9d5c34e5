var zlib = module.exports = require('browserify-zlib')

var constants = {
  Z_NO_COMPRESSION: 0, Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9, Z_DEFAULT_COMPRESSION: -1
}
for (var name in zlib) {
  if (/^Z_/.test(name)) constants[name] = zlib[name]
}
zlib.constants = Object.freeze(constants)
