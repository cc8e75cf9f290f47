// A card a figure: drawn when it comes near, redrawn when the depth moves.

// The card's heading stands where the figure's own title would; panels have more room.
const lift = figure => figure.layout.margin.t > 80 ? 50 : 34

function element(tag, name = "", text = "") {
  const made = document.createElement(tag)
  if (name) made.className = name
  if (text) made.textContent = text
  return made
}

function button(text, act) {
  const made = element("button", "", text)
  made.type = "button"
  made.onclick = act
  return made
}

function figureAt(state, spec) {
  const found = spec.figures[state.depth] ?? spec.figures["*"]
    ?? Object.values(spec.figures)[0]
  const figure = structuredClone(found)
  for (const shape of figure.layout.shapes ?? []) {
    if (shape.name === "depth") shape.x0 = shape.x1 = state.depth
  }
  return spec.colour && figure.data.some(trace => trace.name === ROWS)
    ? placed(state, spec, figure) : figure
}

function altAt(state, spec) {
  return spec.alts[state.depth] ?? spec.alts["*"] ?? Object.values(spec.alts)[0]
}

function titleAt(state, spec) {
  return spec.titles[state.depth] ?? spec.titles["*"] ?? Object.values(spec.titles)[0]
}

function heightOf(card, figure) {
  if (document.fullscreenElement === card.box) {
    const others = [...card.box.children].filter(each => each !== card.plot && each !== card.alt)
    const taken = others.reduce((sum, each) => sum + each.offsetHeight, 0)
    return Math.max(240, innerHeight - taken - 60)
  }
  return figure.layout.height - lift(figure)
}

function shown(card, figure) {
  const { title, ...layout } = figure.layout
  layout.height = heightOf(card, figure)
  layout.margin = { ...layout.margin, t: layout.margin.t - lift(figure) }
  layout.uirevision = card.name
  if (card.embedding) {
    layout.dragmode = "lasso"
    // What was drawn around is ringed; Plotly is to forget the outline it drew.
    layout.selections = []
    layout.selectionrevision = card.turn
  }
  return layout
}

const CONFIG = {
  displaylogo: false,
  // Plotly offers to upload a figure unless it is told not to; nothing leaves here.
  showSendToCloud: false,
  plotlyServerURL: "",
  responsive: false,
  modeBarButtonsToRemove: ["toImage"],
}
const PLAIN = { ...CONFIG, modeBarButtonsToRemove: ["toImage", "lasso2d", "select2d"] }

async function redraw(state, card, glides = true) {
  if (!card.near || !card.spec || !state.plotly) {
    card.stale = true
    return
  }
  card.stale = false
  const figure = figureAt(state, card.spec)
  const turn = card.turn = (card.turn ?? 0) + 1
  if (card.embedding && card.drawn && glides) await move(state, card, figure)
  if (turn !== card.turn || !card.box.isConnected) return
  const config = card.embedding ? CONFIG : PLAIN
  await state.plotly.react(card.plot, figure.data, shown(card, figure), config)
  if (!card.drawn) {
    card.drawn = true
    connect(state, card)
  }
  card.box.dataset.drawn = state.depth
  light(state)
}

// Moves the rule where that is all there is to do.
function moved(state, card) {
  const { spec, plot } = card
  if (!card.drawn || !card.near || card.stale || card.embedding || spec.figures[state.depth])
    return redraw(state, card)
  const change = {}
  ;(plot.layout.shapes ?? []).forEach((shape, at) => {
    if (shape.name === "depth")
      change[`shapes[${at}].x0`] = change[`shapes[${at}].x1`] = state.depth
  })
  if (Object.keys(change).length) state.plotly.relayout(plot, change)
  card.box.dataset.drawn = state.depth
}

function connect(state, card) {
  card.plot.on("plotly_hover", event => {
    const [point] = event.points
    state.hovered = markOf(point.data)
    light(state)
    echo(state, point.data.name === ROWS ? point.pointIndex : null)
  })
  card.plot.on("plotly_unhover", () => {
    state.hovered = null
    light(state)
    echo(state, null)
  })
  if (card.embedding) connectRows(state, card)
}

// Everything that belongs to another graph stands back.
function light(state) {
  const lit = state.hovered || state.pinned
  for (const card of state.cards.values()) {
    for (const group of card.plot.querySelectorAll(".trace, .hm")) {
      const mark = markOf(group.__data__?.[0]?.trace)
      const back = lit && mark && !mark.startsWith(lit) && !lit.startsWith(mark)
      group.style.opacity = back ? 0.12 : ""
    }
  }
  for (const each of state.root.querySelectorAll("[data-mark]")) {
    const back = lit && !each.dataset.mark.startsWith(lit) && !lit.startsWith(each.dataset.mark)
    each.classList.toggle("wb-back", Boolean(back))
    each.classList.toggle("wb-lit", Boolean(lit && !back))
  }
}

function picture(state, card, format) {
  const figure = figureAt(state, card.spec)
  figure.layout.paper_bgcolor = figure.layout.plot_bgcolor = state.paper
  const size = { width: Math.max(700, card.plot.offsetWidth), height: figure.layout.height }
  state.plotly.toImage(figure, { format, scale: format === "png" ? 2 : 1, ...size })
    .then(href => save(`${card.name}.${format}`, href))
}

function showTable(state, card) {
  const open = card.table.hidden
  card.table.hidden = !open
  card.asTable.setAttribute("aria-expanded", String(open))
  if (!open) return
  const [header, ...rows] = tableOf(figureAt(state, card.spec))
  const most = 300
  const table = element("table"), head = element("thead"), body = element("tbody")
  const line = (cells, tag) => {
    const row = element("tr")
    row.append(...cells.map(cell => element(tag, "", wording(cell))))
    return row
  }
  head.append(line(header, "th"))
  body.append(...rows.slice(0, most).map(row => line(row, "td")))
  const more = rows.length > most ? `, the first ${most} of ${rows.length}; CSV has all` : ""
  table.append(element("caption", "", `${titleAt(state, card.spec)}${more}`), head, body)
  card.table.replaceChildren(table)
}

function wording(cell) {
  return typeof cell === "number" ? String(Number(cell.toPrecision(5))) : String(cell)
}

function toggleHow(card, open) {
  card.how.hidden = !open
  card.ask.setAttribute("aria-expanded", String(open))
}

function makeCard(state, { name, wide, height, embedding }) {
  const card = { name, embedding, spec: null, near: false, stale: true }
  card.box = element("figure", `wb-figure${wide ? " wb-wide" : ""}`)
  card.box.dataset.figure = name
  card.heading = element("h3", "", "Drawing …")
  card.heading.id = `wb-title-${name}`
  card.alt = element("figcaption", "wb-unseen")
  card.alt.id = `wb-alt-${name}`
  card.box.setAttribute("aria-labelledby", card.heading.id)
  card.box.setAttribute("aria-describedby", card.alt.id)
  card.how = element("div", "wb-how")
  card.how.hidden = true
  // In braces: a handler that returns false would swallow every other key.
  card.box.onkeydown = event => {
    if (event.key === "Escape") toggleHow(card, false)
  }
  const head = element("div", "wb-head")
  head.append(card.heading, toolsOf(state, card), card.how)
  card.choices = element("div", "wb-choices")
  card.plot = element("div", "wb-plot")
  card.plot.style.minHeight = `${height - 34}px`
  card.table = element("div", "wb-table")
  card.table.hidden = true
  card.table.tabIndex = 0
  card.table.setAttribute("role", "region")
  card.table.setAttribute("aria-label", "The figure as a table")
  card.box.append(head, card.choices, card.plot)
  if (embedding) card.box.append(rowTools(state, card))
  card.box.append(card.table, card.alt)
  card.box.onfullscreenchange = () => setTimeout(() => redraw(state, card), 60)
  state.seen.observe(card.box)
  state.sized.observe(card.plot)
  return card
}

function toolsOf(state, card) {
  const tools = element("div", "wb-tools")
  card.ask = button("How to read", () => toggleHow(card, card.how.hidden))
  card.asTable = button("Table", () => showTable(state, card))
  for (const each of [card.ask, card.asTable]) each.setAttribute("aria-expanded", "false")
  tools.append(
    card.ask, card.asTable,
    button("CSV", () =>
      saveText(`${card.name}.csv`, csvOf(tableOf(figureAt(state, card.spec))))),
    button("PNG", () => picture(state, card, "png")),
    button("SVG", () => picture(state, card, "svg")),
    button("Full screen", () => document.fullscreenElement
      ? document.exitFullscreen() : card.box.requestFullscreen()),
  )
  for (const each of tools.children) each.disabled = true
  return tools
}

function fillCard(state, card) {
  const { spec } = card
  for (const each of card.box.querySelectorAll(".wb-tools button")) {
    each.disabled = false
    each.setAttribute("aria-label", `${each.textContent}: ${titleAt(state, spec)}`)
  }
  const figure = spec.figures["*"] ?? Object.values(spec.figures)[0]
  card.plot.style.minHeight = `${figure.layout.height - lift(figure)}px`
  card.how.replaceChildren(
    element("p", "", spec.how), element("p", "", altAt(state, spec)),
    element("p", "wb-source", `Numbers from ${spec.source}.`),
    button("Close", () => {
      toggleHow(card, false)
      card.ask.focus()
    }),
  )
  card.choices.replaceChildren(...(spec.choices ?? []).map(each => choiceOf(state, each)))
  if (spec.note) card.choices.append(element("p", "wb-quiet wb-note", spec.note))
  if (card.play) card.play.disabled = spec.projection === "umap"
}

// A choice that Python answers: it is committed at once and the page follows.
function choiceOf(state, choice) {
  const label = element("label", "", `${choice.label} `)
  const select = element("select")
  for (const [value, text] of choice.options) {
    const option = element("option", "", text)
    option.value = value
    option.selected = value === choice.value
    select.append(option)
  }
  select.onchange = () => state.send(choice.name, select.value)
  label.append(select)
  return label
}
