// Uses a template engine that compiles text to functions.
const ejs = require('ejs')

module.exports['/pando/1.0.0'] = (x, cb) => cb(null, ejs.render('<%= x %>!', { x }))
