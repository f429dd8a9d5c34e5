const bytes = async (stream) => {
  const chunks = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

exports.buffer = bytes
exports.arrayBuffer = async (stream) => new Uint8Array(await bytes(stream)).buffer
exports.blob = async (stream) => new Blob([await bytes(stream)])
exports.text = async (stream) => String(await bytes(stream))
exports.json = async (stream) => JSON.parse(await exports.text(stream))
