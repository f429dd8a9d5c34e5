// Renders one frame: the angle of the camera (radians, as text) -> its 300x300 RGB pixels,
// compressed by gzip, in base64.
const zlib = require('zlib')
const render = require('./render')
const scene = require('./scene')

module.exports['/pando/1.0.0'] = (cameraPos, cb) => {
  try {
    const angle = parseFloat(cameraPos)
    if (!isFinite(angle)) throw new Error('not an angle: ' + cameraPos)
    const pixels = render(scene, angle, 300, 300)
    // `new Buffer`, as in the paper: functions for old versions of Node run unchanged.
    cb(null, zlib.gzipSync(new Buffer(pixels)).toString('base64'))
  } catch (err) {
    cb(err)
  }
}
