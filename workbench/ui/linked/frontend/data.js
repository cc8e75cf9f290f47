// What a Plotly figure holds, as plain values: for CSV files, tables and positions.

const ARRAYS = {
  f8: Float64Array, f4: Float32Array, i1: Int8Array, u1: Uint8Array,
  i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array,
}

function bytesOf(text) {
  return Uint8Array.from(atob(text), sign => sign.charCodeAt(0))
}

// Plotly writes numbers as base64; a shape says how a table of them is cut into rows.
function plain(values) {
  if (!values || values.bdata === undefined) return values ? Array.from(values) : []
  const flat = new ARRAYS[values.dtype](bytesOf(values.bdata).buffer)
  if (!values.shape) return Array.from(flat)
  const width = Number(String(values.shape).split(",").pop())
  return Array.from({ length: flat.length / width }, (_, row) =>
    Array.from(flat.subarray(row * width, (row + 1) * width)))
}

const unescaped = text => String(text)
  .replace(/<br>/g, " ").replace(/<[^>]*>/g, "")
  .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&")

const markOf = trace => trace?.meta?.mark ?? trace?.meta ?? ""
const detailsOf = trace => trace?.meta?.details ?? []

function axisTitle(layout, axis) {
  const own = layout[`${axis}axis`]?.title?.text
  if (own) return unescaped(own)
  const other = Object.keys(layout).find(name =>
    name.startsWith(`${axis}axis`) && layout[name]?.title?.text)
  return other ? unescaped(layout[other].title.text) : axis
}

// Every point that is drawn: a header and rows.
function tableOf(figure) {
  const details = [...new Set(figure.data.flatMap(detailsOf))]
  const header = ["panel", "line", axisTitle(figure.layout, "x"),
    axisTitle(figure.layout, "y"), "value", ...details]
  const rows = []
  for (const trace of figure.data) {
    if (trace.hoverinfo === "skip") continue
    const panel = (trace.xaxis ?? "x").slice(1) || "1"
    const x = plain(trace.x), y = plain(trace.y)
    const own = detailsOf(trace), extra = own.length ? plain(trace.customdata) : []
    const name = [unescaped(trace.name ?? ""), said(trace)].filter(Boolean).join(" ")
    if (trace.z) {
      plain(trace.z).forEach((line, at) => line.forEach((value, place) =>
        rows.push([panel, name, x[place], y[at], value, ...details.map(() => "")])))
      continue
    }
    x.forEach((value, at) => rows.push([
      panel, name, value, y[at], "",
      ...details.map(one => own.includes(one) ? extra[at]?.[own.indexOf(one)] : ""),
    ]))
  }
  return [header, ...rows].map(row => row.map(cell =>
    typeof cell === "string" ? unescaped(cell) : cell ?? ""))
}

const said = trace => String(markOf(trace)).trim().split("\t").join(" ")

function csvOf(rows) {
  const cell = value => {
    let text = String(value)
    // A spreadsheet would run a text that begins like a formula.
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`
    return /[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text
  }
  return rows.map(row => row.map(cell).join(",")).join("\r\n") + "\r\n"
}

function save(name, href) {
  const link = document.createElement("a")
  link.href = href
  link.download = name
  document.body.append(link)
  link.click()
  link.remove()
}

function saveText(name, text, type = "text/csv") {
  const href = URL.createObjectURL(new Blob([text], { type }))
  save(name, href)
  setTimeout(() => URL.revokeObjectURL(href), 5000)
}
