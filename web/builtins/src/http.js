module.exports = require('stream-http')
