// Colours and letters of the drawings, on light and on dark ground. Saved and printed pictures are always light.
function chartThemes() {
  'use strict';

  // Single quotes: the library writes this unescaped into a double-quoted attribute of a saved SVG.
  var FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'DejaVu Sans', sans-serif";
  // Lines: Okabe and Ito's colours, told apart under every common colour-vision deficiency, on dark ground brighter; yellow is left out.
  var LIGHT = { name: 'light', paper: '#ffffff', ink: '#1c2024', muted: '#5b6470', rule: '#d5dae0', axis: '#8a929c', grid: '#eceff2', zero: '#d9dce0',
    infinite: '#000000', mark: '#d55e00', tip: '#ffffff',
    lines: ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#444444'] };
  var DARK = { name: 'dark', paper: '#14171b', ink: '#e4e8ec', muted: '#9ba5b0', rule: '#3a414b', axis: '#76808c', grid: '#262b32', zero: '#4a525c',
    infinite: '#000000', mark: '#ff9d4d', tip: '#20252c',
    lines: ['#4fa9e6', '#f58a42', '#2bc495', '#df97bf', '#a3d8f7', '#f2bd4b', '#b9c1ca'] };

  var ruler = document.createElement('canvas').getContext('2d');
  function textWidth(text, size) {
    ruler.font = size + 'px ' + FONT;
    return ruler.measureText(text).width;
  }
  function widest(labels, size) {
    return labels.reduce(function (w, label) { return Math.max(w, textWidth(label, size)); }, 0);
  }
  function shorten(label, limit) {
    var characters = Array.from(label);
    return characters.length <= limit ? label : characters.slice(0, limit - 1).join('') + '\u2026';
  }
  // As much of a text as has room, the last character an ellipsis where any is missing.
  function fitting(text, size, room) {
    var limit = Array.from(text).length;
    while (limit > 2 && textWidth(shorten(text, limit), size) > room) { limit--; }
    return shorten(text, limit);
  }

  // What the page is shown in: the attribute of its root, else the reader's system.
  var system = window.matchMedia ? window.matchMedia('(prefers-color-scheme: dark)') : { matches: false };
  function current() {
    var asked = document.documentElement.dataset.theme;
    return (asked ? asked === 'dark' : system.matches) ? DARK : LIGHT;
  }
  function watch(changed) {
    if (system.addEventListener) { system.addEventListener('change', changed); }
    new MutationObserver(changed).observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  }

  // Tooltips are elements with text nodes, so no label is ever read as markup.
  function tooltip(lines, theme) {
    var box = document.createElement('div');
    lines.forEach(function (line, i) {
      var row = document.createElement('div');
      row.textContent = line;
      row.style.cssText = 'white-space:pre-wrap;max-width:min(360px,70vw);overflow-wrap:anywhere;'
        + (i === lines.length - 1 ? 'font-weight:650' : 'color:' + theme.muted);
      box.appendChild(row);
    });
    return box;
  }
  // What all drawings have in common. A size has width, height and theme, and says whether it is of a picture to save.
  function base(spec, size) {
    var theme = size.theme;
    return {
      animation: false,
      backgroundColor: size.exporting ? theme.paper : 'transparent',
      textStyle: { fontFamily: FONT, color: theme.ink },
      title: size.exporting ? { text: fitting(spec.title, 15, size.width - 24), left: 8, top: 8, textStyle: { fontSize: 15, fontWeight: 600,
        color: theme.ink, fontFamily: FONT } } : undefined,
      tooltip: { confine: true, backgroundColor: theme.tip, borderColor: theme.rule, padding: [7, 10],
        textStyle: { color: theme.ink, fontSize: 13, fontFamily: FONT } },
      aria: { enabled: false }
    };
  }

  return { FONT: FONT, LIGHT: LIGHT, current: current, watch: watch, textWidth: textWidth, widest: widest, shorten: shorten, fitting: fitting,
    tooltip: tooltip, base: base };
}
