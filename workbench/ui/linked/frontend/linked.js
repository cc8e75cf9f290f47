// The page's figures in one place, linked without asking Python: one depth, one graph
// under the pointer, one choice of rows. Python hears of what is settled.

const mounted = new WeakMap()
const CLOSE_MS = 150 // keys held down come closer together
const ANSWERED_MS = 2000 // until then, other news answers something told before

function library() {
  if (globalThis.Plotly) return Promise.resolve(globalThis.Plotly)
  return new Promise(done => globalThis.addEventListener(
    "workbench-plotly", () => done(globalThis.Plotly), { once: true }))
}

function arrived(id) {
  const found = globalThis.workbenchPayloads?.get(id)
  if (found) return Promise.resolve(found)
  return new Promise(done => {
    const hear = event => {
      if (event.detail !== id) return
      globalThis.removeEventListener("workbench-payload", hear)
      done(globalThis.workbenchPayloads.get(id))
    }
    globalThis.addEventListener("workbench-payload", hear)
  })
}

function later(state, name, act, wait = 300) {
  clearTimeout(state.timers[name])
  state.timers[name] = setTimeout(() => {
    delete state.timers[name]
    act()
  }, wait)
}

// Tells Python the first at once, and of what follows close upon it only the last.
function tell(state, name, value) {
  const act = () => {
    state.told[name] = { text: JSON.stringify(value), at: performance.now() }
    state.send(name, value)
  }
  const follows = state.timers[name]
  if (!follows) act()
  later(state, name, follows ? act : () => {}, CLOSE_MS)
}

function mount(parent) {
  const state = {
    root: element("div", "wb-linked"), cards: new Map(), timers: {}, told: {}, rows: [],
    depth: null, layer: null, hovered: null, pinned: null, heard: {},
  }
  state.bar = element("div", "wb-bar")
  state.scores = element("div", "wb-scores")
  state.body = element("div", "wb-body")
  state.root.append(state.body, state.bar)
  parent.append(state.root)
  state.seen = new IntersectionObserver(entries => {
    for (const entry of entries) {
      const card = [...state.cards.values()].find(each => each.box === entry.target)
      if (!card) continue
      card.near = entry.isIntersecting
      if (card.near && card.stale) redraw(state, card)
    }
  }, { root: parent.closest('[data-testid="stMain"]'), rootMargin: "500px 0px" })
  state.sized = new ResizeObserver(entries => {
    for (const { target } of entries) {
      const card = [...state.cards.values()].find(each => each.plot === target)
      const width = target.offsetWidth
      if (!card?.drawn || !width || card.width === width) continue
      const first = card.width === undefined
      card.width = width
      if (!first || target._fullLayout?.width !== width)
        later(state, `size ${card.name}`, () => state.plotly.Plots.resize(target), 120)
    }
  })
  return state
}

// One redraw of everything a frame, however fast the slider moves.
function schedule(state) {
  if (state.frame) return
  state.frame = requestAnimationFrame(() => {
    state.frame = null
    showDepth(state)
    for (const card of state.cards.values()) moved(state, card)
  })
}

function showDepth(state) {
  const { depth, data } = state
  if (state.slider) {
    state.slider.value = data.depths.indexOf(depth)
    state.slider.setAttribute("aria-valuetext", `depth ${depth}`)
    state.said.textContent = depth
  }
  for (const each of state.scores.querySelectorAll("[data-depth]"))
    each.classList.toggle("wb-now", Number(each.dataset.depth) === depth)
  for (const card of state.cards.values()) {
    if (!card.spec) continue
    card.heading.textContent = titleAt(state, card.spec)
    card.alt.textContent = altAt(state, card.spec)
    if (!card.layer) continue
    card.layer.max = depth
    card.layer.value = Math.min(state.layer ?? depth, depth)
    const last = Number(card.layer.value) === depth ? " (last)" : ""
    card.layerSaid.textContent = `${card.layer.value}${last}`
  }
  state.root.dataset.depth = depth
}

function setDepth(state, depth) {
  state.depth = depth
  schedule(state)
}

function fillBar(state) {
  const { data } = state
  state.bar.replaceChildren()
  state.bar.hidden = data.depths.length < 2 && !data.series.length
  if (data.depths.length > 1) {
    const label = element("label", "wb-depth", "Depth (number of layers)")
    state.slider = element("input")
    Object.assign(state.slider, {
      type: "range", min: 0, max: data.depths.length - 1, step: 1,
    })
    state.slider.oninput = () => setDepth(state, data.depths[state.slider.value])
    // Released, or a key let go: only now does Python hear of it.
    state.slider.onchange = () => tell(state, "depth", state.depth)
    state.said = element("output")
    label.append(state.slider, state.said)
    state.bar.append(label)
  }
  state.bar.append(chipsOf(state))
}

// A button a graph: lights it up in every figure, and holds it when pressed.
function chipsOf(state) {
  const chips = element("div", "wb-chips")
  chips.setAttribute("role", "group")
  chips.setAttribute("aria-label", "Light up a graph in every figure")
  const hover = mark => () => {
    state.hovered = mark
    light(state)
  }
  for (const one of state.data.series) {
    const chip = button("", () => {
      state.pinned = state.pinned === one.mark ? null : one.mark
      for (const each of chips.children)
        each.setAttribute("aria-pressed", String(each.dataset.mark === state.pinned))
      light(state)
    })
    chip.dataset.mark = one.mark
    chip.setAttribute("aria-pressed", String(state.pinned === one.mark))
    chip.append(swatch(one.colour), element("span", "", one.label))
    chip.onpointerenter = chip.onfocus = hover(one.mark)
    chip.onpointerleave = chip.onblur = hover(null)
    chips.append(chip)
  }
  return chips
}

function swatch(colour) {
  const made = element("span", "wb-swatch")
  made.style.background = colour
  return made
}

// What is said of each graph, every depth in the same place so that nothing jumps.
function fillScores(state) {
  state.scores.replaceChildren(...state.data.series.map(one => {
    const box = element("div", "wb-score")
    box.dataset.mark = one.mark
    const head = element("div", "wb-score-head")
    head.append(swatch(one.colour), element("span", "", one.label))
    const stack = element("div", "wb-stack")
    for (const depth of state.data.depths) {
      const layer = element("div", "wb-at")
      layer.dataset.depth = depth
      layer.append(...saidAt(state.words?.[one.mark]?.[depth], one.deltas[depth]))
      stack.append(layer)
    }
    box.append(head, stack)
    return box
  }))
}

function saidAt(at, delta) {
  if (!at) return [element("div", "wb-waiting-score", "…")]
  const shows = element("div", "wb-shows", "At this depth: ")
  shows.append(element("b", "", at.kinds))
  return [
    element("div", "wb-quiet", at.title),
    element("div", "wb-value", at.value),
    element("div", "wb-quiet", at.note),
    ...(delta ? [element("div", "wb-delta", delta)] : []),
    shows,
    ...at.lines.map(line => element("p", "wb-quiet", line)),
  ]
}

function fillBody(state) {
  const wanted = new Set()
  const sections = state.data.sections.map(section => {
    const box = element("section", "wb-section")
    const grid = element("div", "wb-grid")
    for (const figure of section.figures) {
      wanted.add(figure.name)
      if (!state.cards.has(figure.name))
        state.cards.set(figure.name, makeCard(state, figure))
      grid.append(state.cards.get(figure.name).box)
    }
    box.append(element("h2", "", section.title), grid)
    return box
  })
  for (const [name, card] of state.cards) {
    if (wanted.has(name)) continue
    state.seen.unobserve(card.box)
    state.sized.unobserve(card.plot)
    if (card.drawn) state.plotly.purge(card.plot)
    state.cards.delete(name)
  }
  const [first, ...others] = sections
  state.body.replaceChildren(first, state.scores, ...others)
}

// Asks for what each figure shows, and draws it when it comes.
function fetchFigures(state) {
  for (const { figures } of state.data.sections) {
    for (const { name, payload } of figures) {
      const card = state.cards.get(name)
      if (card.wanted === payload) continue
      card.wanted = payload
      arrived(payload).then(spec => {
        if (card.wanted !== payload || !card.box.isConnected) return
        card.spec = spec
        fillCard(state, card)
        showDepth(state)
        tellChosen(state)
        redraw(state, card)
      })
    }
  }
}

// Takes over what Python says, unless the reader has moved on meanwhile.
function hear(state, name, value, take) {
  const text = JSON.stringify(value)
  const told = state.told[name]
  if (told && told.text !== text && performance.now() - told.at < ANSWERED_MS) return
  delete state.told[name]
  if (state.heard[name] === text) return
  state.heard[name] = text
  if (!state.timers[name]) take(value)
}

function update(state, data) {
  const style = getComputedStyle(state.root)
  state.ink = style.getPropertyValue("--st-text-color").trim() || "#1f2430"
  state.paper = style.getPropertyValue("--st-background-color").trim() || "#ffffff"
  state.data = data
  state.csvOf = data.rows.join()
  const before = `${state.depth}/${state.layer}`
  let ringed = false
  hear(state, "depth", data.depth, value => { state.depth = value })
  hear(state, "layer", data.layer, value => { state.layer = value })
  hear(state, "rows", data.rows, value => {
    ringed = value.join() !== state.rows.join()
    state.rows = value
  })
  hear(state, "outline", data.sections.map(one => one.figures.map(each => each.name)),
    () => fillBody(state))
  hear(state, "bar", [data.depths, data.series.map(one => [one.mark, one.label])],
    () => fillBar(state))
  hear(state, "scores", [data.series, Boolean(state.words)], () => fillScores(state))
  fetchFigures(state)
  showDepth(state)
  tellChosen(state)
  for (const card of state.cards.values()) {
    if (!card.drawn) continue
    if (before !== `${state.depth}/${state.layer}` || (ringed && card.embedding)) moved(state, card)
  }
  light(state)
}

// What comes once for all depths: the words on each graph, and where rows are.
function fetchShared(state, data) {
  if (data.said && state.saidOf !== data.said) {
    state.saidOf = data.said
    arrived(data.said).then(words => {
      if (state.saidOf !== data.said) return
      state.words = words
      if (state.data) update(state, state.data)
    })
  }
  if (data.frames && state.framesOf !== data.frames) {
    state.framesOf = data.frames
    arrived(data.frames).then(frames => {
      if (state.framesOf !== data.frames) return
      state.frames = frames
      tellChosen(state)
      for (const card of state.cards.values())
        if (card.embedding) redraw(state, card)
    })
  }
}

export default function (component) {
  const { parentElement, data, setStateValue } = component
  let state = mounted.get(parentElement)
  if (!state) {
    state = mount(parentElement)
    mounted.set(parentElement, state)
    library().then(plotly => {
      state.plotly = plotly
      for (const card of state.cards.values()) redraw(state, card)
    })
  }
  state.send = setStateValue
  update(state, data)
  fetchShared(state, data)
  return () => {
    Object.values(state.timers).forEach(clearTimeout)
    state.playing = false
    state.seen.disconnect()
    state.sized.disconnect()
    for (const card of state.cards.values()) if (card.drawn) state.plotly.purge(card.plot)
    state.root.remove()
    mounted.delete(parentElement)
  }
}
