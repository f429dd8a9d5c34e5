var querystring = module.exports = require('querystring-es3/index.js')

querystring.escape = encodeURIComponent
querystring.unescape = decodeURIComponent
