module.exports = require('tty-browserify')
