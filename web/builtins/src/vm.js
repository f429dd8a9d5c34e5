var vm = module.exports = require('vm-browserify')

// The package needs a document; a worker has none, and its own global scope does as "this context".
vm.runInThisContext = function (code) { return (0, eval)(code) }
vm.Script.prototype.runInThisContext = function () { return vm.runInThisContext(this.code) }
