// Draws a small picture of every head's attention, and the selected one large with the names of its tokens.
(function () {
  'use strict';
  var FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';

  function colours(palette) {
    var stops = palette.map(function (hex) { return [1, 3, 5].map(function (at) { return parseInt(hex.substr(at, 2), 16); }); });
    return function (p) {
      var place = Math.min(1, Math.max(0, p)) * (stops.length - 1), low = Math.min(Math.floor(place), stops.length - 2), t = place - low;
      return stops[low].map(function (c, i) { return Math.round(c + t * (stops[low + 1][i] - c)); });
    };
  }

  Array.prototype.forEach.call(document.querySelectorAll('figure.heads'), function (figure) {
    var spec = JSON.parse(document.getElementById(figure.id + '-data').textContent);
    var raw = atob(spec.patterns), T = spec.tokens.length, each = T * (T + 1) / 2;
    var detail = figure.querySelector('.grid-detail'), box = figure.querySelector('.large'), large = box.querySelector('canvas');
    var buttons = Array.prototype.slice.call(figure.querySelectorAll('button[data-place]'));
    var colour = colours(spec.palette), selected = 0, layout = null;
    function p(place, i, j) {
      var at = 2 * (place * each + i * (i + 1) / 2 + j);
      return (raw.charCodeAt(at) + 256 * raw.charCodeAt(at + 1)) / 65535;
    }
    // One pixel a pair, then stretched: the square root of a probability, so that small ones are seen.
    function picture(place) {
      var canvas = document.createElement('canvas'), context = canvas.getContext('2d');
      canvas.width = canvas.height = T;
      var image = context.createImageData(T, T);
      for (var i = 0; i < T; i++) {
        for (var j = 0; j <= i; j++) {
          var rgb = colour(Math.sqrt(p(place, i, j))), at = 4 * (i * T + j);
          image.data[at] = rgb[0]; image.data[at + 1] = rgb[1]; image.data[at + 2] = rgb[2]; image.data[at + 3] = 255;
        }
      }
      context.putImageData(image, 0, 0);
      return canvas;
    }
    function name(place) {
      var number = spec.kept[place];
      return 'Block ' + Math.floor(number / spec.heads) + ', head ' + number % spec.heads;
    }
    function shorten(text) { return text.length > 16 ? text.slice(0, 15) + '\u2026' : text; }
    function draw() {
      var context = large.getContext('2d'), style = getComputedStyle(figure), ink = style.color;
      var names = spec.tokens.map(shorten), ratio = window.devicePixelRatio || 1;
      context.font = FONT;
      var room = names.reduce(function (most, text) { return Math.max(most, context.measureText(text).width); }, 0) + 10;
      var cell = Math.max(4, Math.min(28, Math.floor((figure.clientWidth - room - 8) / T)));
      if (T <= 24) { cell = Math.max(cell, 14); }
      var width = room + cell * T + 6, height = cell * T + room + 4, every = Math.ceil(14 / cell);
      layout = { room: room, cell: cell };
      large.width = width * ratio; large.height = height * ratio;
      large.style.width = width + 'px'; large.style.height = height + 'px';
      context = large.getContext('2d');
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.imageSmoothingEnabled = false;
      context.drawImage(picture(selected), room, 0, cell * T, cell * T);
      context.font = FONT; context.fillStyle = ink; context.textAlign = 'right'; context.textBaseline = 'middle';
      names.forEach(function (text, t) {
        if (t % every) { return; }
        context.fillText(text, room - 5, (t + 0.5) * cell);
        context.save();
        context.translate(room + (t + 0.5) * cell, cell * T + 5);
        context.rotate(-Math.PI / 2);
        context.fillText(text, 0, 0);
        context.restore();
      });
      detail.textContent = name(selected) + ': where each token (down) looks (across)';
    }
    function select(place) {
      buttons.forEach(function (button) { button.setAttribute('aria-pressed', String(Number(button.dataset.place) === place)); });
      selected = place;
      draw();
    }
    buttons.forEach(function (button) {
      var small = button.querySelector('canvas'), context = small.getContext('2d');
      context.imageSmoothingEnabled = T > 64;
      context.drawImage(picture(Number(button.dataset.place)), 0, 0, 64, 64);
      button.title = name(Number(button.dataset.place));
      button.addEventListener('click', function () { select(Number(button.dataset.place)); });
    });
    large.addEventListener('mousemove', function (event) {
      var at = large.getBoundingClientRect();
      var j = Math.floor((event.clientX - at.left - layout.room) / layout.cell), i = Math.floor((event.clientY - at.top) / layout.cell);
      detail.textContent = name(selected) + (i >= 0 && i < T && j >= 0 && j <= i
        ? ': ' + spec.tokens[i] + ' looks at ' + spec.tokens[j] + ' with ' + p(selected, i, j).toFixed(4)
        : ': where each token (down) looks (across)');
    });
    if (!buttons.length) { return; }
    select(0);
    if (window.ResizeObserver) {
      var seen = figure.clientWidth;
      new ResizeObserver(function () { if (figure.clientWidth !== seen) { seen = figure.clientWidth; draw(); } }).observe(figure);
    }
    // The names are drawn in the page's own ink.
    window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
    new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  });
})();
