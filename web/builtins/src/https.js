module.exports = require('https-browserify')
