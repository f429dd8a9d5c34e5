// Reads the pixels of a picture, and approves them with a button that has an inline handler.
var getPixels = require('get-pixels')

module.exports['/pando/1.0.0'] = function (url, cb) {
  getPixels(url, function (err, pixels) {
    if (err) return cb(err)
    approve = function (word) { cb(null, word + ' ' + pixels.shape + ' ' + [].slice.call(pixels.data)) } // eslint-disable-line no-undef
    document.getElementById('visualization').innerHTML = '<button onclick="approve(\'yes\')">ok</button>'
    document.querySelector('#visualization button').click()
  })
}
