// What is wrong with a page as it is laid out, one sentence each: run in the page by PagesTest.
(function () {
  var wrong = [], width = document.documentElement.clientWidth;
  function say(what, node) { wrong.push(what + ': ' + (node.id || node.className || node.tagName) + ' "' + node.textContent.trim().slice(0, 40) + '"'); }
  function shown(node) { var box = node.getBoundingClientRect(); return box.width > 0 && box.height > 0; }
  if (document.documentElement.scrollWidth > width) { wrong.push('the page is ' + document.documentElement.scrollWidth + ' wide in ' + width); }

  // Words stay whole and in sight: within the page, or within what scrolls by itself.
  document.querySelectorAll('h1, h2, h3, p, li, dt, dd, figcaption, summary, button, th, td').forEach(function (node) {
    if (!shown(node)) { return; }
    var box = node.getBoundingClientRect(), scrolls = node.closest('.scroll, .grid-box'), text = node.textContent.trim();
    if (!scrolls && (box.left < -1 || box.right > width + 1)) { say('beyond the page', node); }
    if (node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).display !== 'inline') { say('wider than its box', node); }
    var range = document.createRange(), tops = {};
    range.selectNodeContents(node);
    Array.prototype.forEach.call(range.getClientRects(), function (line) { tops[Math.round(line.top)] = true; });
    if (text.length > 12 && text.length < 3 * Object.keys(tops).length) { say('a few letters a line', node); }
  });

  // Every text of a drawing is within it, and none lies over another.
  document.querySelectorAll('.plot svg').forEach(function (svg) {
    var room = svg.getBoundingClientRect(), level = [], figure = svg.closest('figure');
    svg.querySelectorAll('text').forEach(function (text) {
      if (!text.textContent || !shown(text)) { return; }
      var box = text.getBoundingClientRect(), turned = text.getCTM().b !== 0;
      if (box.left < room.left - 1 || box.right > room.right + 1 || box.top < room.top - 1 || box.bottom > room.bottom + 1) {
        say('clipped in ' + figure.id, text);
      }
      if (!turned) { level.push([text, box]); }
    });
    level.forEach(function (one, i) {
      level.slice(i + 1).forEach(function (other) {
        var across = Math.min(one[1].right, other[1].right) - Math.max(one[1].left, other[1].left);
        var down = Math.min(one[1].bottom, other[1].bottom) - Math.max(one[1].top, other[1].top);
        if (across > 1 && down > 4) { say('over "' + other[0].textContent + '" in ' + figure.id, one[0]); }
      });
    });
  });

  // Letters stand out from their ground: WCAG's ratio of 4.5.
  function channels(colour) { return (colour.match(/[\d.]+/g) || []).map(Number); }
  function luminance(rgb) {
    var c = rgb.slice(0, 3).map(function (v) { v /= 255; return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); });
    return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
  }
  function ground(node) {
    for (; node; node = node.parentElement) {
      var rgb = channels(getComputedStyle(node).backgroundColor);
      if (rgb.length === 3 || rgb[3] > 0) { return rgb; }
    }
    return [255, 255, 255];
  }
  function contrast(a, b) { return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); }
  document.querySelectorAll('h1, h2, h3, p, a, dt, dd, figcaption, summary, button, th, td, footer').forEach(function (node) {
    if (shown(node) && contrast(luminance(channels(getComputedStyle(node).color)), luminance(ground(node))) < 4.5) { say('pale', node); }
  });
  var paper = luminance(ground(document.body));
  function ofHex(hex) { return [1, 3, 5].map(function (i) { return parseInt(hex.substr(i, 2), 16); }); }
  document.querySelectorAll('.plot svg').forEach(function (svg) {
    // Numbers in cells stand on the cells' colours.
    var cells = Array.prototype.filter.call(svg.querySelectorAll('path'), function (path) { return /^(#|rgb)/.test(path.getAttribute('fill') || ''); })
      .map(function (path) { return path.getBoundingClientRect(); }).filter(function (box) { return box.width > 14 && box.width < 400; });
    svg.querySelectorAll('text').forEach(function (text) {
      var fill = text.getAttribute('fill') || '', own = text.getBoundingClientRect();
      var rgb = /^#[0-9a-f]{6}$/i.test(fill) ? ofHex(fill) : channels(getComputedStyle(text).fill);
      if (!shown(text) || contrast(luminance(rgb), paper) >= 4) { return; }
      var onCell = cells.some(function (box) {
        return box.left <= own.left && box.right >= own.right && box.top <= own.top + 1 && box.bottom >= own.bottom - 1;
      });
      if (!onCell) { say('pale in a drawing', text); }
    });
  });
  return wrong;
})()
