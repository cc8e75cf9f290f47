// Where layers put the rows: positions of a depth and layer, rings, and what is chosen.

const SCALE = 8192 // positions travel as whole numbers of this part of a unit
const ROWS = "rows", RINGS = "chosen rows"

function positions(frames, mark, depth, layer) {
  const text = frames.places[mark]?.[`${depth}/${layer}`]
  if (!text) return null
  frames.read ??= new Map()
  const name = `${mark}${depth}/${layer}`
  if (!frames.read.has(name)) {
    const flat = new Int16Array(bytesOf(text).buffer)
    const x = [], y = []
    for (let at = 0; at < flat.length; at += 2) {
      const missing = flat[at] === -32768
      x.push(missing ? null : flat[at] / SCALE)
      y.push(missing ? null : flat[at + 1] / SCALE)
    }
    frames.read.set(name, { x, y })
  }
  return frames.read.get(name)
}

function correctness(frames, mark, depth) {
  const text = frames.correct[mark]?.[depth]
  return text ? bytesOf(text) : null
}

// The figure as it is at a depth and layer, with rings around the chosen rows.
function placed(state, spec, figure) {
  const { depth } = state
  const layer = Math.min(state.layer ?? depth, depth)
  const isLaid = state.frames?.projection === spec.projection
  if (!isLaid && spec.projection === "pca") return figure
  const frames = isLaid ? state.frames : { places: {}, correct: {} }
  let waiting = false
  for (const trace of figure.data) {
    const mark = markOf(trace)
    if (trace.name !== ROWS && trace.name !== RINGS) continue
    const at = positions(frames, mark, depth, layer)
    waiting ||= !at && spec.projection === "umap"
    if (trace.name === RINGS) {
      trace.x = state.rows.map(row => at?.x[row] ?? null)
      trace.y = state.rows.map(row => at?.y[row] ?? null)
      trace.marker.color = state.ink
      // Very many rings would hide what they stand around.
      if (state.rows.length > 60) Object.assign(trace.marker, { size: 8, line: { width: 1 } })
      continue
    }
    trace.x = at?.x ?? []
    trace.y = at?.y ?? []
    const right = correctness(frames, mark, depth)
    if (!right) continue
    trace.marker.symbol = Array.from(right, one => one ? "circle" : "circle-open")
    if (spec.colour === "correctness") {
      const [yes, no] = spec.correctness
      trace.marker.color = Array.from(right, one => one ? yes : no)
    }
  }
  for (const note of figure.layout.annotations ?? []) {
    note.text = note.text.replace(/<br>depth .*$/, `<br>depth ${depth}, layer ${layer}`
      + (waiting ? ": being laid out …" : ""))
  }
  return figure
}

const dotsOf = plot => (plot.data ?? []).flatMap((trace, index) =>
  trace.name === ROWS ? [{ trace, index }] : [])

// Moves the dots to where the next layer puts them, then draws the rest.
async function move(state, card, figure) {
  const dots = dotsOf(card.plot)
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches
  const hurried = performance.now() - (card.moved ?? 0) < 400
  card.moved = performance.now()
  // Nothing glides while an outline is being drawn: Plotly would look for lost dots.
  const outlined = card.plot.layout.selections?.length
  if (!still && !hurried && !outlined && dots.length) {
    const next = figure.data.filter(trace => trace.name === ROWS)
    await state.plotly.animate(
      card.plot,
      { data: next.map(({ x, y }) => ({ x, y })), traces: dots.map(one => one.index) },
      {
        transition: { duration: 350, easing: "cubic-in-out" },
        frame: { duration: 350, redraw: false },
        mode: "immediate",
      },
    ).catch(() => {}) // a later move took its place
  }
}

// A ring around the row under the pointer, in every panel.
function echo(state, row) {
  for (const card of state.cards.values()) {
    for (const old of card.plot.querySelectorAll(".wb-echo")) old.remove()
    if (row === null || !card.embedding) continue
    for (const group of card.plot.querySelectorAll(".scatterlayer .trace")) {
      if (group.__data__?.[0]?.trace?.name !== ROWS) continue
      const dot = [...group.querySelectorAll("path.point")]
        .find(each => each.__data__?.i === row)
      if (!dot) continue
      const ring = document.createElementNS("http://www.w3.org/2000/svg", "circle")
      ring.setAttribute("class", "wb-echo")
      ring.setAttribute("r", "9")
      ring.setAttribute("transform", dot.getAttribute("transform"))
      dot.parentNode.append(ring)
    }
  }
}

function choose(state, rows) {
  state.rows = [...new Set(rows)].sort((a, b) => a - b)
  tellChosen(state)
  for (const card of state.cards.values()) if (card.embedding) redraw(state, card, false)
  later(state, "rows", () => state.send("rows", state.rows))
}

function tellChosen(state) {
  const count = state.rows.length
  const keys = state.frames?.keys
  for (const card of state.cards.values()) {
    if (!card.embedding || !card.chosen) continue
    const named = keys && count && count <= 5
      ? `: ${state.rows.map(row => keys[row]).join(", ")}` : ""
    card.chosen.textContent = count
      ? `${count} ${count === 1 ? "row" : "rows"} chosen${named}`
      : "No row chosen: click a dot, or draw around some"
    card.clear.disabled = !count
    card.take.disabled = !count || state.csvOf !== state.rows.join()
  }
}

// What stands under an embedding: which layer, which rows.
function rowTools(state, card) {
  const bar = element("div", "wb-row-tools")
  const label = element("label", "", "Layer")
  card.layer = element("input")
  Object.assign(card.layer, { type: "range", min: 0, step: 1 })
  card.layer.setAttribute("aria-label", "Layer, 0 is the input")
  card.layerSaid = element("output")
  card.layer.oninput = () => {
    const value = Number(card.layer.value)
    state.layer = value === state.depth ? null : value
    schedule(state)
  }
  card.layer.onchange = () => tellLayer(state)
  label.append(card.layer, card.layerSaid)
  // One layer at a time comes from UMAP, so there is nothing to play.
  const play = card.play = button("Play the layers", () => playLayers(state, play))
  const find = element("input", "wb-find")
  Object.assign(find, { type: "text", placeholder: "Row by its key", size: 12 })
  find.setAttribute("aria-label", "Choose a row by its key, then Enter")
  find.onkeydown = event => {
    if (event.key !== "Enter" || !state.frames) return
    const row = state.frames.keys.indexOf(find.value.trim())
    find.setCustomValidity(row < 0 ? "This row is not among those drawn." : "")
    if (row < 0) find.reportValidity()
    else choose(state, [...state.rows, row])
  }
  find.oninput = () => find.setCustomValidity("")
  card.clear = button("Clear", () => choose(state, []))
  card.take = button("Chosen rows (CSV)", () =>
    saveText("chosen-rows.csv", state.data.csv))
  card.chosen = element("span", "wb-chosen")
  card.chosen.setAttribute("aria-live", "polite")
  bar.append(label, play, find, card.clear, card.take, card.chosen)
  return bar
}

function tellLayer(state) {
  later(state, "layer", () => {
    // A word for the last one: nothing at all would be no news to Python.
    if (state.layer !== state.data.layer) state.send("layer", state.layer ?? "last")
  })
}

async function playLayers(state, play) {
  if (state.playing) {
    state.playing = false
    return
  }
  state.playing = true
  play.textContent = "Stop"
  for (let layer = 0; layer <= state.depth && state.playing; layer++) {
    state.layer = layer === state.depth ? null : layer
    schedule(state)
    await new Promise(done => setTimeout(done, 900))
  }
  state.playing = false
  play.textContent = "Play the layers"
  tellLayer(state)
}

function connectRows(state, card) {
  const rowsIn = event => (event?.points ?? [])
    .filter(point => point.data.name === ROWS).map(point => point.pointIndex)
  card.plot.on("plotly_click", event => {
    const [row] = rowsIn(event)
    if (row === undefined) return
    const others = state.rows.filter(each => each !== row)
    choose(state, others.length === state.rows.length ? [...others, row] : others)
  })
  card.plot.on("plotly_selected", event => {
    if (!event) return
    const rows = rowsIn(event)
    // After Plotly has ended its own drawing, which needs the plot as it is.
    setTimeout(() => rows.length ? choose(state, rows) : redraw(state, card, false))
  })
}
