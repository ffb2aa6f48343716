// What is asked of marp for every deck. Emoji stay letters, or marp would fetch pictures of them from the network; a
// line that ends in the source goes on on the slide, as elsewhere in Markdown.
export default {
  themeSet: "theme.css",
  options: { math: "mathjax", emoji: { shortcode: false, unicode: false }, markdown: { breaks: false } },
};
