module.exports = require('constants-browserify')
