// What is asked of marp for every deck. Emoji stay letters: marp would fetch pictures of them from the network.
export default {
  themeSet: "theme.css",
  options: { math: "mathjax", emoji: { shortcode: false, unicode: false } },
};
