import words from './words.js'

const patterns = words.map(([{ source }, better]) => ({ regex: new RegExp(source.replaceAll(' ', '\\s+'), 'gi'), better }))

/** Reports the words of `words.js` in the comments and strings of code, and in the text of Markdown. */
export default {
  meta: {
    type: 'suggestion',
    messages: { plainer: 'Avoid "{{ word }}". Plainer: {{ better }}.' },
    schema: []
  },
  create (context) {
    const { sourceCode } = context
    const check = ([start, end]) => {
      // The marks at the start of the lines of a comment count as white space.
      const text = sourceCode.text.slice(start, end).replace(/(?<=\n\s*)(?:\*|\/\/)/g, (mark) => ' '.repeat(mark.length))
      for (const { regex, better } of patterns) {
        for (const { 0: match, index } of text.matchAll(regex)) {
          const from = start + index
          context.report({
            loc: { start: sourceCode.getLocFromIndex(from), end: sourceCode.getLocFromIndex(from + match.length) },
            messageId: 'plainer',
            data: { word: match.replace(/^\W+/, '').replace(/\s+/g, ' '), better }
          })
        }
      }
    }
    const checkNode = (node) => check(sourceCode.getRange(node))
    return {
      Program: () => commentsOf(sourceCode).forEach(check),
      Literal: checkNode,
      TemplateElement: checkNode,
      // A node of Markdown.
      text: checkNode
    }
  }
}

/** The ranges of all comments; line comments below each other are one. */
function commentsOf (sourceCode) {
  const ranges = []
  for (const { range: [start, end] } of sourceCode.getAllComments()) {
    const last = ranges.at(-1)
    if (last !== undefined && /^\n *$/.test(sourceCode.text.slice(last[1], start))) last[1] = end
    else ranges.push([start, end])
  }
  return ranges
}
