// What is asked of marp for every deck. Emoji stay letters, or marp would fetch pictures of them from the network; a
// line that ends in the source goes on on the slide, as elsewhere in Markdown, and in the teacher's notes.
const joinLines = (markdown) =>
  markdown.core.ruler.before("marpit_collect", "join_lines_of_notes", ({ tokens }) => {
    for (const token of tokens.flatMap((token) => [token, ...(token.children ?? [])]))
      if (token.type === "marpit_comment") token.content = token.content.replace(/\s+/g, " ");
  });

export default {
  themeSet: "theme.css",
  author: "The seminar authors",
  options: { math: "mathjax", emoji: { shortcode: false, unicode: false }, markdown: { breaks: false } },
  engine: ({ marp }) => marp.use(joinLines),
};
