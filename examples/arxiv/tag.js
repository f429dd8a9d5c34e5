// Shows a paper to the person at this page, and returns the person's judgement: {id, title,
// authors, abstract, link} -> {id, title, authors, link, relevant}. Runs with --dom --json.

const JUDGEMENTS = [
  { label: 'Not relevant', key: 'n', relevant: false },
  { label: 'Relevant', key: 'r', relevant: true }
]
const STYLE = `
  .paper, .no-paper { max-width: 42rem; margin: 0 auto; }
  .paper h2 { margin: 0; line-height: 1.3; outline: none; }
  .paper p { margin: 12px 0; overflow-wrap: anywhere; }
  .paper .authors { font-style: italic; }
  .paper a { color: var(--strong, #1e6b45); }
  .paper .judgements {
    position: -webkit-sticky; position: sticky; bottom: 0;
    display: flex; flex-wrap: wrap; margin: 0 -4px; padding: 8px 0; background: var(--back, #f3f6f2);
  }
  .paper button {
    flex: 1 1 9rem; min-height: 56px; margin: 4px; padding: 8px 16px;
    border: 2px solid var(--strong, #1e6b45); border-radius: 8px;
    background: var(--card, #fff); color: inherit; font: inherit; font-weight: 600; cursor: pointer;
  }
  .paper button.relevant { background: var(--strong, #1e6b45); color: var(--on-strong, #fff); }
  .paper button:focus { outline: 3px solid var(--strong, #1e6b45); outline-offset: 2px; }
  .paper kbd { margin-left: 8px; font: inherit; font-weight: 400; }
  @media (hover: none) { .paper kbd { display: none; } }
`

let desk = null

export default async (paper, { signal }) => {
  if (typeof document === 'undefined') throw new Error('papers are shown to people, in their browsers: add --dom')
  if (!paper || typeof paper.title !== 'string') throw new Error('not a paper in JSON: add --json')
  desk = desk || new Desk(document.getElementById('visualization'))
  const { id, title, authors, link } = paper
  return { id, title, authors, link, relevant: await desk.judgementOf(paper, signal) }
}

// Presents papers to a person, one after the other. The contents of a feed are inserted as text,
// never as HTML.
class Desk {
  constructor (place) {
    this.judged = null
    // Screen readers read the title aloud when a paper appears.
    this.title = element('h2', { id: 'paper-title', tabindex: '-1' })
    this.authors = element('p', { class: 'authors' })
    this.abstract = element('p', { class: 'abstract' })
    this.link = element('a', { target: '_blank', rel: 'noopener noreferrer' }, 'Read the paper')
    this.paper = element('article', { class: 'paper', 'aria-labelledby': 'paper-title' },
      this.title, this.authors, this.abstract, element('p', {}, this.link),
      element('div', { class: 'judgements', role: 'group', 'aria-label': 'What do you think of it?' },
        ...JUDGEMENTS.map(judgement => this.button(judgement))))
    this.note = element('p', { class: 'no-paper', role: 'status' })
    place.append(element('style', {}, STYLE), this.note, this.paper)
    document.addEventListener('keydown', event => this.pressed(event))
  }

  button ({ label, key, relevant }) {
    const button = element('button', { type: 'button', class: relevant ? 'relevant' : 'irrelevant', 'aria-keyshortcuts': key },
      label, element('kbd', { 'aria-hidden': 'true' }, key.toUpperCase()))
    // The second half of a double click must not judge the next paper.
    button.onclick = event => { if (event.detail < 2) this.judge(relevant) }
    return button
  }

  pressed (event) {
    const { ctrlKey, altKey, metaKey, repeat, target, key } = event
    if (ctrlKey || altKey || metaKey || repeat || target.closest('input, textarea, select')) return
    const judgement = JUDGEMENTS.find(judgement => judgement.key === key.toLowerCase())
    if (judgement) this.judge(judgement.relevant)
  }

  judgementOf (paper, signal) {
    // For example, the page was hidden for too long, or left.
    signal.addEventListener('abort', () => this.clear('This paper went to somebody else.'))
    this.show(paper)
    return new Promise(resolve => { this.judged = resolve })
  }

  show (paper) {
    this.title.textContent = paper.title
    this.authors.textContent = (paper.authors || []).join(', ')
    this.abstract.textContent = paper.abstract
    // Other kinds of addresses could run scripts.
    this.link.hidden = !/^https?:/.test(paper.link)
    this.link.href = this.link.hidden ? '' : paper.link
    this.paper.hidden = false
    this.note.textContent = ''
    if (document.activeElement && document.activeElement.closest('input')) return
    this.title.focus()
    window.scrollTo(0, 0)
  }

  judge (relevant) {
    if (!this.judged) return
    this.judged(relevant)
    this.clear('Thank you. The next paper appears here when there is one.')
  }

  clear (note) {
    this.judged = null
    this.paper.hidden = true
    this.note.textContent = note
  }
}

function element (name, attributes, ...content) {
  const made = document.createElement(name)
  for (const attribute of Object.keys(attributes)) made.setAttribute(attribute, attributes[attribute])
  made.append(...content)
  return made
}
