// Unpacks what a page of figures shows and leaves it behind for the component that
// draws it. A component of its own, because its message never changes while a reader
// moves the depth or chooses rows: the browser keeps it and nothing is sent again.

globalThis.workbenchPayloads ??= new Map()

async function unpack(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))
  return JSON.parse(await new Response(stream).text())
}

export default function (component) {
  const payloads = globalThis.workbenchPayloads
  unpack(component.data).then(found => {
    payloads.delete(found.id)
    payloads.set(found.id, found)
    while (payloads.size > 80) payloads.delete(payloads.keys().next().value)
    globalThis.dispatchEvent(new CustomEvent("workbench-payload", { detail: found.id }))
  })
}
