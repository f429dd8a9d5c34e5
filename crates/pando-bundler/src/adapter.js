// Stands between the runtime and a function that takes a second argument. The argument is the
// context, and it can be called as a callback.

var CALLBACK_STYLE = '/pando/1.0.0'

/**
 * What the runtime calls in place of the module's exports.
 *
 * `config.callable`: whether the function may call its second argument. `config.answersLater`:
 * whether a call that returns `undefined` may still call back; if this is null, the number of
 * parameters decides. `config.returns`: whether a value that it returns is an answer, and not the
 * number of a timer or the like. `config.names`: whether values begin with the names of files.
 * `config.env`: the variables of the environment. `config.assets`:
 * the module for assets of a tab, if the run has assets.
 */
exports.adapt = function (exported, config) {
  var fallback = member(exported, 'default')
  if (isFunction(member(exported, CALLBACK_STYLE)) || isFunction(member(fallback, CALLBACK_STYLE))) {
    return config.names ? withoutNames(exported, fallback) : exported
  }
  var f = [fallback, exported, member(fallback, 'default')].find(isFunction)
  if (!f) return exported
  if (config.answersLater === null && takesOne(f)) {
    return config.names ? function (x) { return f(split(x).value) } : exported
  }
  var mayWait = config.answersLater === null ? f.length > 1 : config.answersLater
  var isExtended = false
  return function (x, context) {
    if (!isExtended) extend(Object.getPrototypeOf(context), config)
    isExtended = true
    if (config.names) {
      var file = split(x)
      x = file.value
      define(context, 'name', file.name)
    }
    return config.callable ? new Call(context, mayWait, config.returns).answer(f, x) : f(x, context)
  }
}

/** Adds members to the contexts of all calls. */
function extend(members, config) {
  add(members, 'env', function () { return config.env })
  add(members, 'device', device)
  var host = globalThis.__pandoHost || {}
  var assets = host.assets || config.assets || none
  add(members, 'asset', function () { return assets.asset })
  add(members, 'assetUrl', function () { return assets.assetUrl })
}

/** The name and the bytes of a file: the length of the name comes first. */
function split(x) {
  var end = 4 + x.readUInt32BE(0)
  return { name: x.toString('utf8', 4, end), value: x.subarray(end) }
}

/** The same for a function in the other style, which has no context. */
function withoutNames(exported, fallback) {
  var holder = isFunction(member(exported, CALLBACK_STYLE)) ? exported : fallback
  var result = {}
  result[CALLBACK_STYLE] = function (x, cb) {
    return holder[CALLBACK_STYLE](split(x).value, cb)
  }
  return result
}

function define(holder, name, value) {
  Object.defineProperty(holder, name, { value: value, configurable: true, enumerable: true })
}

/** What answers in a run without assets. */
var none = {
  asset: function () { return Promise.reject(withoutAssets()) },
  assetUrl: function () { throw withoutAssets() }
}

function withoutAssets() {
  return new Error('the run has no assets: give a folder by --assets DIR')
}

function add(members, name, get) {
  Object.defineProperty(members, name, { get: get, configurable: true, enumerable: true })
}

/** The name of this device. */
function device() {
  var host = globalThis.__pandoHost || {}
  if (host.device) return host.device
  // A worker has the name that its page gave it. In the page itself, a field has the name.
  var field = typeof document === 'undefined' ? null : document.getElementById('name')
  return field ? field.value : globalThis.name
}

/** Whether a function clearly has no way to a second argument. */
function takesOne(f) {
  var source = Function.prototype.toString.call(f)
  return f.length < 2 && !/\barguments\b|\.\.\.|\[native code\]/.test(source)
}

function member(holder, name) {
  return Object(holder) === holder ? holder[name] : undefined
}

function isFunction(value) {
  return typeof value === 'function'
}

/** The key of the context within its form that can be called. */
var CONTEXT = Symbol('context')

/** The members of contexts that can be called: those of contexts and those of functions. */
var callable = null

/** Each call costs one function more, which gets its members from here. */
function membersOf(context) {
  var members = Object.create(Function.prototype)
  var names = Object.keys(context).concat(Object.getOwnPropertyNames(Object.getPrototypeOf(context)))
  names.forEach(function (name) {
    if (name !== 'constructor') add(members, name, function () { return this[CONTEXT][name] })
  })
  return members
}

/** One call of the function; the first answer counts. */
function Call(context, mayWait, returns) {
  this.context = context
  this.mayWait = mayWait
  this.returns = returns
  /** How the call was answered first: 'callback' or 'return'. */
  this.by = ''
  this.error = null
  this.result = undefined
  /** Settles the promise that the runtime waits for. */
  this.settle = null
}

Call.prototype.answer = function (f, x) {
  var returned
  try {
    returned = f(x, this.second())
  } catch (error) {
    if (this.by) this.logLate(error)
    else throw error
  }
  if (isThenable(returned)) return this.race(returned)
  if (!this.returns) returned = undefined
  if (this.by) {
    if (returned !== undefined) this.warn()
    return this.outcome()
  }
  if (returned === undefined && this.mayWait) return this.wait()
  this.by = 'return'
  return returned
}

/** The context, in a form that can be called as a callback. */
Call.prototype.second = function () {
  var call = this
  var context = this.context
  var second = function (error, result) { call.calledBack(error, result) }
  if (!callable) callable = membersOf(context)
  Object.setPrototypeOf(second, callable)
  second[CONTEXT] = context
  // A function has a name of its own.
  if ('name' in context) define(second, 'name', context.name)
  return second
}

Call.prototype.calledBack = function (error, result) {
  if (this.by) return this.warn()
  this.by = 'callback'
  this.error = error
  this.result = result
  if (this.settle) this.settle()
}

Call.prototype.outcome = function () {
  if (this.error) throw this.error
  return this.result
}

Call.prototype.wait = function () {
  var call = this
  return new Promise(function (resolve, reject) {
    call.settle = function () {
      if (call.error) reject(call.error)
      else resolve(call.result)
    }
  })
}

/** Waits for the first answer: of the promise that was returned, or by the callback. */
Call.prototype.race = function (returned) {
  var call = this
  var outcome = this.by ? null : this.wait()
  returned.then(
    function (result) {
      if (!call.returns) result = undefined
      if (call.by) {
        if (result !== undefined) call.warn()
      } else if (result !== undefined || !call.mayWait) {
        call.by = 'return'
        call.result = result
        call.settle()
      }
    },
    function (error) {
      if (call.by) return call.logLate(error)
      call.by = 'return'
      // The runtime shows what was thrown, whatever it is.
      call.result = Promise.reject(error)
      call.settle()
    }
  )
  return outcome || this.outcome()
}

/** Whether nobody waits for the call any more, as after a timeout. */
Call.prototype.isForgotten = function () {
  return this.context.signal.aborted
}

Call.prototype.warn = function () {
  if (this.isForgotten()) return
  this.context.log('warning: the function answered twice; the second answer is ignored')
}

Call.prototype.logLate = function (error) {
  if (this.isForgotten()) return
  this.context.log('late error:', error)
}

function isThenable(value) {
  return Object(value) === value && isFunction(value.then)
}
