// A small ray tracer: spheres and a floor, one light with hard shadows, reflections. Vectors are
// arrays of three numbers.
const FAINT = 0.03 // a reflection that adds less than this to a pixel is not followed
const SAMPLES = 2 // rays per pixel, along each side
const FADE = 0.045 // how quickly the floor fades into the horizon

module.exports = function render (scene, angle, width, height) {
  const camera = cameraAt(scene.camera, angle)
  const pixels = new Uint8Array(width * height * 3)
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const color = pixel(scene, camera, x, y, width, height)
      for (let i = 0; i < 3; i++) pixels[at++] = toByte(color[i])
    }
  }
  return pixels
}

// The camera looks at its target from a point on a circle around the target.
function cameraAt ({ distance, height, target, zoom }, angle) {
  const eye = [target[0] + distance * Math.cos(angle), height, target[2] + distance * Math.sin(angle)]
  const forward = unit(sub(target, eye))
  const right = unit(cross(forward, [0, 1, 0]))
  return { eye, forward, right, up: cross(right, forward), zoom }
}

// The mean colour of the pixel's samples.
function pixel (scene, camera, x, y, width, height) {
  const sum = [0, 0, 0]
  for (let i = 0; i < SAMPLES * SAMPLES; i++) {
    const dx = (i % SAMPLES + 0.5) / SAMPLES
    const dy = (Math.floor(i / SAMPLES) + 0.5) / SAMPLES
    const right = (2 * (x + dx) - width) / height / camera.zoom
    const up = (height - 2 * (y + dy)) / height / camera.zoom
    const direction = unit(along(along(camera.forward, camera.right, right), camera.up, up))
    const color = trace(scene, camera.eye, direction, 1)
    for (let c = 0; c < 3; c++) sum[c] += Math.min(color[c], 1)
  }
  return scale(sum, 1 / (SAMPLES * SAMPLES))
}

// The colour of a ray. `weight` is the share of the ray in the pixel's sample.
function trace (scene, origin, direction, weight) {
  const hit = nearest(scene, origin, direction)
  if (!hit) return sky(scene, direction)

  const color = shade(scene, hit, direction)
  const share = fresnel(hit.material.mirror, -dot(direction, hit.normal))
  const reflected = weight * share * (1 - hit.fade)
  if (reflected > FAINT) {
    const seen = trace(scene, hit.point, reflect(direction, hit.normal), reflected)
    for (let c = 0; c < 3; c++) color[c] += (seen[c] * hit.tint[c] - color[c]) * share
  }
  return hit.fade > 0 ? mix(color, scene.horizon, hit.fade) : color
}

// Surfaces reflect more at a flat angle (Schlick's approximation).
function fresnel (mirror, cosine) {
  const flat = 1 - Math.max(cosine, 0)
  return mirror + (1 - mirror) * 0.6 * flat * flat * flat * flat * flat
}

// The light of the lamp, if no sphere blocks it, and some ambient light.
function shade (scene, { point, normal, color, material }, direction) {
  const toLight = sub(scene.light, point)
  const lightDirection = unit(toLight)
  const facing = dot(normal, lightDirection)
  if (facing <= 0 || isShadowed(scene, point, lightDirection, length(toLight))) return scale(color, scene.ambient)

  const lit = scale(color, scene.ambient + 0.85 * facing)
  const glint = dot(reflect(direction, normal), lightDirection)
  if (glint <= 0 || material.highlight === 0) return lit

  const highlight = material.highlight * Math.pow(glint, material.shine)
  return [lit[0] + highlight, lit[1] + highlight, lit[2] + highlight]
}

function isShadowed (scene, point, direction, distance) {
  for (const sphere of scene.spheres) {
    if (distanceTo(sphere, point, direction) < distance) return true
  }
  return false
}

// The first hit of the ray: point, normal, material; undefined for the sky.
function nearest (scene, origin, direction) {
  let first
  let distance = Infinity
  for (const sphere of scene.spheres) {
    const d = distanceTo(sphere, origin, direction)
    if (d < distance) {
      distance = d
      first = sphere
    }
  }
  const toFloor = direction[1] < 0 ? -origin[1] / direction[1] : Infinity
  if (toFloor < distance) return floorAt(scene.floor, origin, direction, toFloor)
  return first && sphereAt(first, origin, direction, distance)
}

function sphereAt ({ center, radius, material }, origin, direction, distance) {
  const normal = scale(sub(along(origin, direction, distance), center), 1 / radius)
  // A point slightly outside the sphere, so that the next ray does not hit the same point again.
  const point = along(center, normal, radius + 1e-6)
  // Metals colour their reflections; weaker reflections keep their colour.
  const tint = material.mirror > 0.2 ? material.color : [1, 1, 1]
  return { point, normal, material, color: material.color, tint, fade: 0 }
}

function floorAt (floor, origin, direction, distance) {
  const point = along(origin, direction, distance)
  point[1] = 1e-6
  const color = floor.colors[Math.abs(Math.floor(point[0]) + Math.floor(point[2])) % 2]
  const fade = 1 - Math.exp(-FADE * Math.max(distance - 6, 0))
  return { point, normal: [0, 1, 0], material: floor, color, tint: [1, 1, 1], fade }
}

// The distance along the ray to the sphere; Infinity if the ray misses the sphere.
function distanceTo ({ center, radius }, origin, direction) {
  const x = center[0] - origin[0]
  const y = center[1] - origin[1]
  const z = center[2] - origin[2]
  const middle = x * direction[0] + y * direction[1] + z * direction[2]
  if (middle < 0) return Infinity // spheres are only seen from outside
  const square = middle * middle - (x * x + y * y + z * z) + radius * radius
  return square < 0 ? Infinity : middle - Math.sqrt(square)
}

function sky (scene, direction) {
  return mix(scene.horizon, scene.zenith, Math.sqrt(Math.max(direction[1], 0)))
}

// Brightens the middle tones, as screens expect.
function toByte (light) {
  return Math.round(255 * light * (1.25 - 0.25 * light))
}

function dot (a, b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] }
function sub (a, b) { return [a[0] - b[0], a[1] - b[1], a[2] - b[2]] }
function scale (a, s) { return [a[0] * s, a[1] * s, a[2] * s] }
function along (a, b, s) { return [a[0] + b[0] * s, a[1] + b[1] * s, a[2] + b[2] * s] }
function mix (a, b, share) { return along(scale(a, 1 - share), b, share) }
function length (a) { return Math.sqrt(dot(a, a)) }
function unit (a) { return scale(a, 1 / length(a)) }
function reflect (direction, normal) { return along(direction, normal, -2 * dot(direction, normal)) }
function cross (a, b) { return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]] }
