var url = module.exports = require('url/url.js')

url.URL = globalThis.URL
url.URLSearchParams = globalThis.URLSearchParams
url.fileURLToPath = function (file) { return decodeURIComponent(new URL(file).pathname) }
url.pathToFileURL = function (path) { return new URL('file://' + encodeURI(path).replace(/[?#]/g, encodeURIComponent)) }
