// Draws what Python laid out: table cards or node types at given positions.
// Clicking, or the arrow keys and Enter, tells Python which one is selected.

const ROW = 20, HEAD = 44, PAD = 9

function escaped(text) {
  const names = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" }
  return String(text).replace(/[&<>"']/g, sign => names[sign])
}

function shortened(text, width, size) {
  const most = Math.max(3, Math.floor(width / (size * 0.56)))
  return text.length > most ? text.slice(0, most - 1) + "…" : text
}

function theme(element) {
  const style = getComputedStyle(element)
  const value = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise
  return {
    paper: value("--st-background-color", "#ffffff"),
    panel: value("--st-secondary-background-color", "#f4f6f9"),
    ink: value("--st-text-color", "#1f2430"),
    accent: value("--st-primary-color", "#0B6BA8"),
    font: value("--st-font", "sans-serif").replace(/"/g, "'"),
  }
}

function text(x, y, size, content, look, extra = "") {
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${look.ink}"
    font-family="${escaped(look.font)}" ${extra}>${escaped(content)}</text>`
}

// A table as an SVG picture: name, number of rows, then key, column and type.
function card(node, look, selected) {
  const { w, h } = node
  const stroke = selected ? look.accent : look.ink
  const parts = [
    `<rect x="1" y="1" width="${w - 2}" height="${h - 2}" rx="7" fill="${look.paper}"
      stroke="${stroke}" stroke-opacity="${selected ? 1 : 0.4}"
      stroke-width="${selected ? 2.5 : 1.2}"/>`,
    `<path d="M1 ${HEAD - 4} V8 a7 7 0 0 1 7 -7 H${w - 8} a7 7 0 0 1 7 7 V${HEAD - 4} Z"
      fill="${node.emphasis ? look.accent : look.ink}"
      fill-opacity="${node.emphasis ? 0.22 : 0.08}"/>`,
    text(PAD, 18, 14, shortened(node.label, w - 2 * PAD, 14), look, 'font-weight="650"'),
    text(PAD, 34, 11, node.note, look, 'opacity="0.72"'),
  ]
  node.rows.forEach(([key, name, type], index) => {
    const y = HEAD + 10 + index * ROW
    parts.push(text(PAD, y, 10, key, look, 'font-weight="700" opacity="0.7"'))
    parts.push(text(PAD + 24, y, 12, shortened(name, w - 100, 12), look))
    const right = 'text-anchor="end" opacity="0.62"'
    parts.push(text(w - PAD, y, 10.5, shortened(type, 74, 10.5), look, right))
  })
  if (node.more) {
    const y = HEAD + 10 + node.rows.length * ROW
    parts.push(text(PAD + 24, y, 11, node.more, look, 'opacity="0.62"'))
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}"
    viewBox="0 0 ${w} ${h}">${parts.join("")}</svg>`
  return "data:image/svg+xml;utf8," + encodeURIComponent(svg)
}

function elements(data, look, moved) {
  const rings = data.rings.flatMap((ring, index) => [
    {
      group: "nodes",
      data: { id: `ring:${index}`, w: 2 * ring.radius, h: 2 * ring.radius },
      position: { x: 0, y: 0 },
      classes: "ring",
    },
    {
      group: "nodes",
      data: { id: `label:${index}`, label: ring.label, w: 1, h: 1 },
      position: { x: ring.x, y: ring.y },
      classes: "said-of-ring",
    },
  ])
  const nodes = data.nodes.map(node => ({
    group: "nodes",
    data: {
      id: node.id,
      w: node.w,
      h: node.h,
      label: node.kind === "card" ? "" : `${node.label}\n${node.note}`,
      short: node.label,
      colour: node.colour || look.ink,
      picture: node.kind === "card" ? card(node, look, node.id === data.selected) : "none",
    },
    position: moved[node.id] || { x: node.x, y: node.y },
    classes: [
      node.kind,
      node.emphasis ? "emphasis" : "",
      node.dim ? "dim" : "",
      node.id === data.selected ? "chosen" : "",
    ].join(" "),
  }))
  const edges = data.edges.map(edge => ({
    group: "edges",
    data: { id: edge.id, source: edge.source, target: edge.target, label: edge.label },
    classes: [
      edge.line,
      edge.arrow,
      edge.source === edge.target ? "loop" : "",
      edge.source === edge.target && data.nodes[0].kind === "card" ? "wide" : "",
      data.selected && [edge.source, edge.target, edge.id].includes(data.selected) ? "near" : "",
      edge.marked ? "marked" : "",
    ].join(" "),
  }))
  return [...rings, ...nodes, ...edges]
}

function look2style(look) {
  const label = { "font-family": look.font, color: look.ink }
  return [
    { selector: "node", style: { width: "data(w)", height: "data(h)", "overlay-opacity": 0 } },
    { selector: ".ring", style: {
      shape: "ellipse", "background-opacity": 0, "border-width": 1,
      "border-style": "dashed", "border-color": look.ink, "border-opacity": 0.3,
      events: "no", "z-index": 0 } },
    { selector: ".said-of-ring", style: {
      ...label, "background-opacity": 0, label: "data(label)", "text-valign": "center",
      "font-size": 11, "text-background-color": look.paper, "text-background-opacity": 1,
      "text-background-padding": 2, "text-opacity": 0.75, events: "no", "z-index": 1 } },
    { selector: ".card", style: {
      shape: "round-rectangle", "background-opacity": 0, "background-image": "data(picture)",
      "background-fit": "none", "background-width": "100%", "background-height": "100%",
      "background-clip": "none" } },
    { selector: ".type, .value", style: {
      ...label, label: "data(label)", "text-wrap": "wrap", "text-valign": "bottom",
      "text-margin-y": 4, "font-size": 12, "line-height": 1.25, shape: "ellipse",
      "background-color": "data(colour)", "background-opacity": 0.85,
      "border-width": 1.5, "border-color": look.paper,
      "text-background-color": look.paper, "text-background-opacity": 0.82,
      "text-background-padding": 1, "z-index": 10 } },
    { selector: ".value", style: { shape: "diamond", "background-opacity": 0.5 } },
    { selector: ".type.emphasis", style: {
      "border-width": 4, "border-color": look.ink, "font-weight": 700 } },
    { selector: ".dim", style: { opacity: 0.4 } },
    { selector: ".type.chosen, .value.chosen", style: {
      "border-width": 4, "border-color": look.accent } },
    { selector: "edge", style: {
      "curve-style": "bezier", width: 1.5, "line-color": look.ink, "line-opacity": 0.45,
      "target-arrow-color": look.ink, "source-arrow-color": look.ink, "arrow-scale": 0.9 } },
    { selector: "edge.solid, edge.dashed, edge.dotted", style: { "target-arrow-shape": "triangle" } },
    { selector: "edge.dashed", style: { "line-style": "dashed" } },
    { selector: "edge.dotted", style: { "line-style": "dotted", opacity: 0.6 } },
    { selector: "edge.thick", style: { width: 4, "line-opacity": 0.55 } },
    { selector: "edge.both", style: { "target-arrow-shape": "none" } },
    { selector: "edge.down", style: {
      "target-arrow-shape": "none", "source-arrow-shape": "triangle" } },
    { selector: "edge.loop", style: {
      "curve-style": "bezier", "loop-direction": "-30deg", "loop-sweep": "50deg",
      "control-point-step-size": 70 } },
    { selector: "edge.wide", style: { "control-point-step-size": 120 } },
    { selector: "edge.marked", style: {
      "line-color": look.accent, "line-opacity": 1, width: 4,
      "target-arrow-color": look.accent, "source-arrow-color": look.accent } },
    { selector: ".aside", style: { opacity: 0.12, events: "no" } },
    { selector: "edge.near, edge.pointed", style: {
      ...label, "line-color": look.accent, "line-opacity": 1, width: 2.5,
      "target-arrow-color": look.accent, "source-arrow-color": look.accent,
      label: "data(label)", "font-size": 11, "text-wrap": "wrap", "text-max-width": 170,
      "text-background-color": look.paper, "text-background-opacity": 0.95,
      "text-background-padding": 2, "z-index": 20 } },
  ]
}

function library() {
  if (globalThis.workbenchCytoscape) return Promise.resolve(globalThis.workbenchCytoscape)
  return new Promise(resolve => globalThis.addEventListener(
    "workbench-cytoscape", () => resolve(globalThis.workbenchCytoscape), { once: true }))
}

// Above this, letters would be larger than those of the page around the drawing.
const LARGEST_ZOOM = 1.15
// Letters keep their size on the screen while a drawing shrinks, down to this zoom.
const LEGIBLE_ZOOM = 0.5
const CROWD = 12 // node types; more than these are written smaller
const ROOMY_ZOOM = 0.75

function fit(cy) {
  cy.fit(undefined, 16)
  if (cy.zoom() > LARGEST_ZOOM) {
    cy.zoom(LARGEST_ZOOM)
    cy.center()
  }
  const crowded = cy.nodes(".type, .value").length > CROWD
  const size = (crowded ? 10.5 : 12) / Math.max(LEGIBLE_ZOOM, Math.min(1, cy.zoom()))
  // A drawing that shrank has no room for a second line; hovering still says it.
  const line = cy.zoom() < ROOMY_ZOOM ? "short" : "label"
  cy.nodes(".type, .value").forEach(node => {
    node.style({ "font-size": size, label: node.data(line) })
  })
  cy.nodes(".said-of-ring").style("font-size", size * 0.92)
}

function nearest(cy, from, key) {
  const [dx, dy] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key]
  const here = from.position()
  let found = null, least = Infinity
  cy.nodes().filter(".card, .type, .value").forEach(node => {
    const ahead = (node.position("x") - here.x) * dx + (node.position("y") - here.y) * dy
    const aside = Math.abs((node.position("x") - here.x) * dy + (node.position("y") - here.y) * dx)
    if (ahead > 1 && ahead + 2 * aside < least) { least = ahead + 2 * aside; found = node }
  })
  return found
}

function connectKeys(state) {
  state.canvas.onkeydown = event => {
    const cy = state.cy
    if (!cy) return
    if (event.key === "Enter" && state.at) {
      event.preventDefault()
      state.choose(state.at)
    } else if (event.key.startsWith("Arrow")) {
      event.preventDefault()
      const from = cy.getElementById(state.at || state.data.selected || state.data.nodes[0].id)
      const next = state.at ? nearest(cy, from, event.key) : from
      if (next && next.length) {
        state.at = next.id()
        cy.nodes().removeClass("chosen")
        next.addClass("chosen")
        state.say(state.at)
      }
    }
  }
}

function connect(state) {
  const { cy } = state
  cy.on("tap", "node, edge", event => state.choose(event.target.id()))
  cy.on("dragfree", "node", event => {
    state.moves[event.target.id()] = { ...event.target.position() }
  })
  cy.on("mouseover", "edge", event => event.target.addClass("pointed"))
  cy.on("mouseout", "edge", event => event.target.removeClass("pointed"))
  cy.on("mouseover", "node", event => {
    event.target.connectedEdges().addClass("pointed")
    state.say(event.target.id())
  })
  cy.on("mouseout", "node", event => event.target.connectedEdges().removeClass("pointed"))
}

function frame(parent) {
  const root = document.createElement("div")
  root.className = "diagram"
  const canvas = document.createElement("div")
  canvas.className = "canvas"
  canvas.tabIndex = 0
  canvas.setAttribute("role", "application")
  const tools = document.createElement("div")
  tools.className = "tools"
  const said = document.createElement("div")
  said.className = "said"
  said.setAttribute("aria-live", "polite")
  root.append(canvas, tools, said)
  parent.append(root)
  return { root, canvas, tools, said, cy: null, signature: "", at: null, moves: {}, hops: 0 }
}

function addTools(state) {
  const zoom = factor => () => state.cy && state.cy.zoom({
    level: state.cy.zoom() * factor,
    renderedPosition: { x: state.canvas.clientWidth / 2, y: state.canvas.clientHeight / 2 },
  })
  const tools = [
    ["+", "Larger", zoom(1.25)], ["−", "Smaller", zoom(0.8)],
    ["⤢", "Fit everything", () => state.cy && fit(state.cy)],
    ["⟲", "Put every box back", () => putBack(state), "movable"],
  ]
  for (const [sign, name, act, only] of tools) {
    const button = document.createElement("button")
    button.type = "button"
    button.textContent = sign
    button.title = name
    button.setAttribute("aria-label", name)
    button.onclick = act
    if (only) button.className = only
    state.tools.append(button)
  }
  addSearch(state)
  state.canvas.addEventListener("wheel", event => {
    if (!event.ctrlKey) return
    event.preventDefault()
    zoom(event.deltaY < 0 ? 1.1 : 0.9)()
  }, { passive: false })
}

function addSearch(state) {
  const search = document.createElement("input")
  search.type = "search"
  search.placeholder = "Find a table"
  search.setAttribute("aria-label", "Find a table")
  search.oninput = () => find(state, search.value)
  search.onkeydown = event => {
    event.stopPropagation()
    if (event.key === "Enter" && state.found) state.choose(state.found)
  }
  const focus = document.createElement("select")
  focus.setAttribute("aria-label", "Show everything, or what is near the chosen table")
  for (const [hops, name] of [[0, "everything"], [1, "within 1 key"], [2, "within 2 keys"], [3, "within 3 keys"]]) {
    const option = document.createElement("option")
    option.value = hops
    option.textContent = name
    focus.append(option)
  }
  focus.onchange = () => {
    state.hops = Number(focus.value)
    setAside(state)
    if (state.cy) state.cy.animate({ fit: { eles: shown(state), padding: 16 }, duration: 0 })
  }
  search.className = focus.className = "movable"
  state.tools.prepend(search, focus)
}

// The boxes whose names hold what was typed stay; the view goes to the first.
function find(state, typed) {
  const { cy } = state
  if (!cy) return
  const wanted = typed.trim().toLowerCase()
  const boxes = cy.nodes(".card, .type, .value")
  const hits = boxes.filter(node => node.data("short").toLowerCase().includes(wanted))
  state.found = wanted && hits.length ? hits[0].id() : null
  boxes.toggleClass("aside", false)
  if (!wanted) return setAside(state)
  boxes.difference(hits).addClass("aside")
  state.said.textContent = hits.length === 1 ? "1 table found" : `${hits.length} tables found`
  if (hits.length) cy.center(hits[0])
}

function shown(state) {
  return state.cy.elements().not(".aside")
}

// What is further from the chosen box than so many lines stands back.
function setAside(state) {
  const { cy, data } = state
  if (!cy) return
  cy.elements().removeClass("aside")
  const centre = data.selected && cy.getElementById(data.selected)
  if (!state.hops || !centre || !centre.length || centre.isEdge()) return
  let near = centre
  for (let hop = 0; hop < state.hops; hop++) near = near.union(near.closedNeighborhood())
  cy.elements(".card, .type, .value, edge").difference(near).addClass("aside")
}

function putBack(state) {
  state.moves = {}
  state.signature = ""
  library().then(found => draw(state, found))
}

function draw(state, cytoscape) {
  const { data } = state
  const look = theme(state.canvas)
  const shape = JSON.stringify([data.nodes.map(n => [n.id, n.x, n.y, n.w, n.h]), data.edges.map(e => e.id)])
  const signature = JSON.stringify([data, look])
  if (signature === state.signature) return
  const sameShape = state.cy && state.shape === shape
  const view = sameShape ? { zoom: state.cy.zoom(), pan: { ...state.cy.pan() } } : null
  state.signature = signature
  state.shape = shape
  state.at = null
  state.canvas.style.height = `${data.height}px`
  state.canvas.setAttribute("aria-label", data.alt)
  state.cy?.destroy()
  state.cy = cytoscape({
    container: state.canvas,
    elements: elements(data, look, state.moves),
    style: look2style(look),
    layout: { name: "preset", fit: false },
    userZoomingEnabled: false,
    autoungrabify: !data.movable,
    boxSelectionEnabled: false,
    autounselectify: true,
    minZoom: 0.05,
    maxZoom: 3,
  })
  if (view) state.cy.viewport(view)
  else fit(state.cy)
  state.root.__cy = state.cy
  state.root.classList.toggle("fixed", !data.movable)
  connect(state)
  setAside(state)
}

const kept = new WeakMap()

export default function (component) {
  const { parentElement, data, setStateValue } = component
  let state = kept.get(parentElement)
  if (!state) {
    state = frame(parentElement)
    kept.set(parentElement, state)
    addTools(state)
    connectKeys(state)
    state.resized = new ResizeObserver(() => {
      if (!state.cy) return
      state.cy.resize()
      fit(state.cy)
    })
    state.resized.observe(state.canvas)
    state.scheme = matchMedia("(prefers-color-scheme: dark)")
    // Cytoscape looks for scrolling ancestors and finds none outside a shadow root, so
    // it would look for a click where the drawing was before the page moved.
    state.moved = () => state.cy?.resize()
    globalThis.addEventListener("scroll", state.moved, { capture: true, passive: true })
    state.canvas.addEventListener("pointerover", state.moved)
    state.canvas.addEventListener("pointerdown", state.moved, { capture: true })
    state.redraw = () => setTimeout(() => library().then(found => draw(state, found)), 100)
    state.scheme.addEventListener("change", state.redraw)
  }
  state.data = data
  state.say = id => {
    const node = data.nodes.find(each => each.id === id)
    const edge = data.edges.find(each => each.id === id)
    state.said.textContent = node ? node.alt : edge ? edge.label : ""
  }
  state.choose = id => {
    state.say(id)
    setStateValue("selected", { id, turn: Date.now() })
  }
  library().then(found => draw(state, found))
  return () => {
    state.resized.disconnect()
    globalThis.removeEventListener("scroll", state.moved, { capture: true })
    state.scheme.removeEventListener("change", state.redraw)
    state.cy?.destroy()
    state.root.remove()
    kept.delete(parentElement)
  }
}
