// Spheres on a checkered floor. y points up, the floor is y = 0, colours are from 0 to 1.
const gold = { color: [1.0, 0.70, 0.22], highlight: 0.7, shine: 60, mirror: 0.25 }
const mirror = { color: [0.95, 0.97, 1.0], highlight: 0.9, shine: 200, mirror: 0.82 }

const colors = [
  [0.90, 0.16, 0.18], [0.96, 0.52, 0.10], [0.25, 0.70, 0.28],
  [0.10, 0.62, 0.72], [0.16, 0.34, 0.86], [0.62, 0.22, 0.74]
]

// A ring of glossy balls in two alternating sizes around one large mirror.
const ring = colors.map((color, i) => {
  const angle = i * 2 * Math.PI / colors.length
  const radius = i % 2 === 0 ? 0.55 : 0.4
  return sphere([2.1 * Math.cos(angle), radius, 2.1 * Math.sin(angle)], radius, { color, highlight: 0.7, shine: 90, mirror: 0.18 })
})

module.exports = {
  spheres: [sphere([0, 1.15, 0], 1.15, mirror), sphere([0, 2.62, 0], 0.34, gold)].concat(ring),
  floor: { colors: [[0.86, 0.85, 0.80], [0.20, 0.22, 0.27]], highlight: 0, shine: 1, mirror: 0.12 },
  light: [5, 9, 3.5],
  ambient: 0.27,
  horizon: [0.80, 0.87, 0.95],
  zenith: [0.25, 0.45, 0.78],
  camera: { distance: 6.6, height: 3.3, target: [0, 1.05, 0], zoom: 2.1 }
}

function sphere (center, radius, material) {
  return { center, radius, material }
}
