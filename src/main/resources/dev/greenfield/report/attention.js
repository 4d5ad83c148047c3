// Draws a small picture of every head's attention, and the selected one large with the names of its tokens.
function attentionPictures(theme, tools, address) {
  'use strict';
  var SMALL = 64, LARGEST = 8192, GAP = 24, SIZE = 12, FONT = SIZE + 'px ' + theme.FONT;

  function colours(palette) {
    var stops = palette.map(function (hex) { return [1, 3, 5].map(function (at) { return parseInt(hex.substr(at, 2), 16); }); });
    return function (p) {
      var place = Math.min(1, Math.max(0, p)) * (stops.length - 1), low = Math.min(Math.floor(place), stops.length - 2), t = place - low;
      return stops[low].map(function (c, i) { return Math.round(c + t * (stops[low + 1][i] - c)); });
    };
  }

  // look() is the theme that drawings have at present.
  function figureOf(node, spec, look) {
    var raw = atob(spec.patterns), T = spec.tokens.length, each = T * (T + 1) / 2;
    var detail = node.querySelector('.grid-detail'), small = node.querySelector('.grid-box'), large = node.querySelector('.large canvas');
    var buttons = Array.prototype.slice.call(node.querySelectorAll('button[data-place]'));
    var colour = colours(spec.palette), selected = 0, layout = null, refill = function () {};

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
    function headOf(place) { return [Math.floor(spec.kept[place] / spec.heads), spec.kept[place] % spec.heads]; }
    function name(place) { return 'Block ' + headOf(place)[0] + ', head ' + headOf(place)[1]; }
    function say(more) { detail.textContent = name(selected) + ': ' + (more || 'where each token (down) looks (across)'); }

    // The selected head beside the small pictures where it fits there, else below them.
    function arrange() {
      var names = spec.tokens.map(function (text) { return theme.shorten(text, 16); });
      var room = Math.ceil(theme.widest(names, SIZE)) + 10, beside = node.clientWidth - small.offsetWidth - GAP;
      var width = beside >= room + 28 * T + 8 ? beside : node.clientWidth;
      var cell = Math.max(T <= 24 ? 14 : 4, Math.min(28, Math.floor((width - room - 8) / T)));
      return { names: names, room: room, cell: cell, width: room + cell * T + 6, height: cell * T + room + 4 };
    }
    // Tokens down and across; a canvas of more pixels than browsers have is drawn coarser.
    function paint(canvas, shape, ratio, ink, above) {
      var scale = Math.min(ratio, LARGEST / Math.max(shape.width, shape.height + above)), context = canvas.getContext('2d');
      var every = Math.ceil(14 / shape.cell);
      canvas.width = shape.width * scale;
      canvas.height = (shape.height + above) * scale;
      context.setTransform(scale, 0, 0, scale, 0, above * scale);
      context.imageSmoothingEnabled = false;
      context.drawImage(picture(selected), shape.room, 0, shape.cell * T, shape.cell * T);
      context.font = FONT; context.fillStyle = ink; context.textAlign = 'right'; context.textBaseline = 'middle';
      shape.names.forEach(function (text, t) {
        if (t % every) { return; }
        context.fillText(text, shape.room - 5, (t + 0.5) * shape.cell);
        context.save();
        context.translate(shape.room + (t + 0.5) * shape.cell, shape.cell * T + 5);
        context.rotate(-Math.PI / 2);
        context.fillText(text, 0, 0);
        context.restore();
      });
      return context;
    }
    function draw() {
      if (!buttons.length) { return; }
      layout = arrange();
      large.style.width = layout.width + 'px';
      large.style.height = layout.height + 'px';
      paint(large, layout, window.devicePixelRatio || 1, look().ink, 0);
    }
    // On white, with the name of the head above.
    function image() {
      var canvas = document.createElement('canvas'), title = name(selected), wide = Math.ceil(theme.textWidth(title, SIZE)) + 16;
      var context = paint(canvas, Object.assign({}, layout, { width: Math.max(layout.width, wide) }), 2, theme.LIGHT.ink, 30);
      context.textAlign = 'left';
      context.fillText(title, 8, -15);
      context.globalCompositeOperation = 'destination-over';
      context.fillStyle = theme.LIGHT.paper;
      context.fillRect(0, -30, canvas.width, canvas.height);
      return canvas.toDataURL('image/png');
    }
    function select(place) {
      buttons.forEach(function (button) { button.setAttribute('aria-pressed', String(Number(button.dataset.place) === place)); });
      selected = place;
      node.dataset.head = headOf(place).join(',');
      say();
      draw();
      refill();
    }
    // What the selected head's query gives to each key, in the steps of the page; null for keys that come after it.
    spec.probabilities = function (i) {
      return spec.tokens.map(function (token, j) { return j <= i ? Number(p(selected, i, j).toFixed(6)) : null; });
    };

    function follow() {
      large.addEventListener('mousemove', function (event) {
        var at = large.getBoundingClientRect();
        var j = Math.floor((event.clientX - at.left - layout.room) / layout.cell), i = Math.floor((event.clientY - at.top) / layout.cell);
        var pair = i >= 0 && i < T && j >= 0 && j <= i;
        say(pair ? spec.tokens[i] + ' looks at ' + spec.tokens[j] + ' with ' + p(selected, i, j).toFixed(4) : '');
      });
      large.addEventListener('mouseleave', function () { say(); });
      if (window.ResizeObserver) {
        var seen = node.clientWidth;
        new ResizeObserver(function () { if (node.clientWidth !== seen) { seen = node.clientWidth; draw(); } }).observe(node);
      } else {
        window.addEventListener('resize', draw);
      }
    }
    function work() {
      if (!buttons.length) { return; }
      buttons.forEach(function (button) {
        var place = Number(button.dataset.place), context = button.querySelector('canvas').getContext('2d');
        context.imageSmoothingEnabled = T > SMALL;
        context.drawImage(picture(place), 0, 0, SMALL, SMALL);
        button.title = name(place);
        button.addEventListener('click', function () {
          select(place);
          address.store();
        });
      });
      function file() { return spec.file + '-block-' + headOf(selected).join('-head-'); }
      refill = tools.numbers(node, spec, 'The selected head as numbers', T * T);
      tools.file(node, 'png', file, image);
      tools.csv(node, spec, file);
      address.add(node.id, {
        state: function () { return { head: selected ? headOf(selected).join(',') : null }; },
        take: function (key, value) {
          var head = /^(\d+),(\d+)$/.exec(value);
          if (key !== 'head' || !head || Number(head[2]) >= spec.heads) { return; }
          var place = spec.kept.indexOf(Number(head[1]) * spec.heads + Number(head[2]));
          if (place >= 0) { select(place); }
        }
      });
      select(0);
      follow();
    }
    return { work: work, draw: draw };
  }

  return { figureOf: figureOf };
}
