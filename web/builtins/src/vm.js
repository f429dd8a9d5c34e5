var vm = module.exports = require('vm-browserify')

// The package needs a document. A worker has none, so "this context" is the worker's global
// scope.
vm.runInThisContext = function (code) { return (0, eval)(code) }
vm.Script.prototype.runInThisContext = function () { return vm.runInThisContext(this.code) }
