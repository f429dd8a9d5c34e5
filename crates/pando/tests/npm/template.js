// A template engine that makes functions of text.
const ejs = require('ejs')

module.exports['/pando/1.0.0'] = (x, cb) => cb(null, ejs.render('<%= x %>!', { x }))
