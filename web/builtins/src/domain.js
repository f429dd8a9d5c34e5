module.exports = require('domain-browser/source/index.js')
