// Shows a learning agent to a person: its present balancing at natural speed, and its success so
// far.

import { CartPole, TRACK } from './cart-pole.js'
import { LONGEST } from './learner.js'

const TICK = 20
const COLORS = { cart: '#3b82a0', pole: '#c2703d', reward: '#2f8f5b' }
const STYLE = `
  .agent { max-width: 36rem; margin: 0 auto; }
  .agent h2 { margin: 0 0 8px; font-size: 1.25rem; }
  .agent canvas { display: block; box-sizing: border-box; width: 100%; margin: 8px 0; border: 1px solid var(--line, #cfd8d1); border-radius: 8px; background: var(--card, #fff); }
  .agent .world { height: 150px; }
  .agent .curve { height: 120px; }
  .agent p { margin: 8px 0; font-variant-numeric: tabular-nums; }
  .agent button {
    width: 100%; min-height: 56px; padding: 8px 16px; border: 0; border-radius: 8px;
    background: var(--strong, #1e6b45); color: var(--on-strong, #fff); font: inherit; font-weight: 600; cursor: pointer;
  }
  .agent button:focus { outline: 3px solid var(--strong, #1e6b45); outline-offset: 2px; }
  .agent button:disabled { opacity: 0.6; }
`

export class Picture {
  constructor (place) {
    this.title = element('h2', {})
    this.world = element('canvas', { class: 'world', role: 'img', 'aria-label': 'A cart that balances a pole' })
    this.curve = element('canvas', { class: 'curve', role: 'img', 'aria-label': 'Rewards of the episodes so far' })
    this.account = element('p', {})
    this.stop = element('button', { type: 'button' }, 'This rate is hopeless: stop it')
    this.stop.onclick = () => { this.wishes.stop = true }
    place.append(element('section', { class: 'agent' }, element('style', {}, STYLE), this.title, this.world, this.curve, this.account, this.stop))
    this.learner = null
    // The picture has an episode of its own, which does not affect the learning.
    this.shown = new CartPole(Math.random)
    this.pushes = 0
    this.lastTick = 0
  }

  /** Shows this agent until `end`. The person sets `stop` in the returned object. */
  begin (learner, steps) {
    this.learner = learner
    this.steps = steps
    this.wishes = { stop: false }
    this.title.textContent = `Learning rate ${learner.rate}`
    this.stop.disabled = false
    this.restart()
    requestAnimationFrame(now => this.frame(learner, now))
    return this.wishes
  }

  end () {
    this.draw()
    this.learner = null
    this.stop.disabled = true
  }

  frame (learner, now) {
    if (this.learner !== learner) return
    // After a time in the background, the picture skips the ticks in which nobody saw the page.
    this.lastTick = Math.max(this.lastTick, now - 5 * TICK)
    for (; this.lastTick < now; this.lastTick += TICK) this.tick()
    this.draw()
    requestAnimationFrame(now => this.frame(learner, now))
  }

  tick () {
    const stands = this.shown.push(this.learner.choice(this.shown))
    if (!stands || ++this.pushes === LONGEST) this.restart()
  }

  restart () {
    this.shown.reset()
    this.pushes = 0
  }

  draw () {
    const { rewards, steps, reward } = this.learner
    const done = Math.floor(100 * steps / this.steps)
    this.account.textContent = `${done} % learnt. ${rewards.length} episodes; the last ones: ${reward.toFixed(1)} of ${LONGEST}.`
    this.drawWorld(this.shown.state)
    this.drawCurve(rewards)
  }

  drawWorld ([place, , angle]) {
    const { pen, width, height } = penOf(this.world)
    const ground = height - 30
    const x = width / 2 + place / TRACK * (width / 2 - 30)
    line(pen, COLORS.cart, 1, [[0, ground + 10], [width, ground + 10]])
    pen.fillStyle = COLORS.cart
    pen.fillRect(x - 25, ground - 10, 50, 20)
    line(pen, COLORS.pole, 6, [[x, ground - 10], [x + 90 * Math.sin(angle), ground - 10 - 90 * Math.cos(angle)]])
  }

  drawCurve (rewards) {
    const { pen, width, height } = penOf(this.curve)
    const across = width / Math.max(1, rewards.length - 1)
    line(pen, COLORS.reward, 2, rewards.map((reward, i) => [i * across, height - 4 - reward / LONGEST * (height - 8)]))
  }
}

/** Clears a canvas. Its pen uses the page's pixels, and is sharp on every screen. */
function penOf (canvas) {
  const { clientWidth: width, clientHeight: height } = canvas
  const scale = window.devicePixelRatio || 1
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  const pen = canvas.getContext('2d')
  pen.scale(scale, scale)
  pen.lineJoin = pen.lineCap = 'round'
  return { pen, width, height }
}

function line (pen, color, width, points) {
  pen.strokeStyle = color
  pen.lineWidth = width
  pen.beginPath()
  for (const [x, y] of points) pen.lineTo(x, y)
  pen.stroke()
}

function element (name, attributes, ...content) {
  const made = document.createElement(name)
  for (const attribute of Object.keys(attributes)) made.setAttribute(attribute, attributes[attribute])
  made.append(...content)
  return made
}
