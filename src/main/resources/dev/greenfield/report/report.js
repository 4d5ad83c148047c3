// Draws the figures of a report page from the JSON beside each of them, and lets them be worked.
(function () {
  'use strict';

  var theme = chartThemes(), text = numberTexts(), heat = heatMaps(theme, text), curves = curveCharts(theme, text);
  var responses = responseMaps(theme, text, heat), data = figureData(text, responses), address = pageAddress();
  var tools = figureTools(data);
  var DRAW = { heatmap: heat.draw, lines: curves.lines, scatter: curves.scatter, response: responses.draw };
  var STEPS = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
  var OF = { words: tokenGrids(STEPS, tools, address), heads: attentionPictures(theme, tools, address), chart: { figureOf: figureOf } };
  var printing = false, groups = {}, element = data.element;

  // A saved image is drawn afresh, with its title and a white ground, at the size it has on the page.
  function image(spec, width, height, type) {
    var vector = type === 'svg', size = { width: width, height: height + 34, theme: theme.LIGHT, exporting: true };
    var chart = echarts.init(vector ? null : document.createElement('div'), null,
      { renderer: vector ? 'svg' : 'canvas', ssr: vector, width: size.width, height: size.height });
    chart.setOption(DRAW[spec.kind](spec, size));
    var url = vector ? 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(chart.renderToSVGString())
      : chart.getDataURL({ type: 'png', pixelRatio: 2, backgroundColor: '#ffffff' });
    chart.dispose();
    return url;
  }
  // For paper drawings are light and keep the size that they have on the screen, to be scaled as a whole.
  function onPaper() { return printing || (window.matchMedia && window.matchMedia('print').matches); }
  function look() { return onPaper() ? theme.LIGHT : theme.current(); }

  function figureOf(node, spec) {
    var plot = node.querySelector('.plot'), room = plot.clientHeight, drawn = '', drawnAt = 0, shownWidth = 0, said, refill;
    // Many cells that are drawn again with every selection are too slow as elements of their own.
    var many = (spec.kind === 'response' || spec.kind === 'heatmap') && spec.rows.length * spec.columns.length > 300;
    var chart = echarts.init(plot, null, { renderer: many ? 'canvas' : 'svg' });
    var figure = { spec: spec, draw: draw, redraw: redraw, tell: tell, setRange: function () {} };

    function heightFor(width) {
      return spec.kind === 'response' ? responses.height(width, room) : spec.kind === 'heatmap' ? room : curves.height(spec, width, room);
    }
    function draw() {
      var width = onPaper() ? shownWidth : plot.clientWidth, colours = look();
      if (!width || drawn === width + colours.name) { return; }
      drawn = width + colours.name;
      shownWidth = width;
      var height = heightFor(width);
      plot.style.height = height + 'px';
      chart.resize({ width: width, height: height });
      // Replacing the option would keep the texts of cells that have become too small for them.
      chart.clear();
      chart.setOption(DRAW[spec.kind](spec, { width: width, height: height, theme: colours }));
      var svg = plot.querySelector('svg');
      // Lets print scale the drawing to the paper.
      if (svg) { svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height); }
    }
    function redraw() {
      drawn = '';
      draw();
      drawnAt = performance.now();
    }
    // A button that says which of two ways it is and switches to the other.
    function toggle(title, name, flip) {
      var made = tools.button(node, name(), title, function () {
        flip();
        redraw();
        address.store();
      });
      return function () { made.textContent = name(); };
    }
    function tell() {
      if (said) { said.textContent = sentence(); }
      if (spec.kind === 'response') { node.dataset.source = spec.selected.join(','); }
      refill();
    }
    function sentence() {
      if (spec.kind === 'response') {
        return 'Selected: ' + responses.siteName(spec, spec.selected) + '. Click another source on the left, or move with the arrow keys.';
      }
      if (spec.selected === undefined) { return ''; }
      if (spec.kind === 'scatter') { return 'Selected: ' + curves.described(spec, spec.selected).join(', ') + '.'; }
      return 'Selected: ' + spec.rows[spec.selected[0]] + ', ' + spec.columns[spec.selected[1]] + ', '
        + (spec.valueName ? spec.valueName + ' ' : '') + text.format(spec.values[spec.selected[0]][spec.selected[1]], 6) + '.';
    }
    function changed() {
      tell();
      redraw();
      address.store();
    }

    function listen() {
      said = element('p', '');
      said.className = 'selection';
      said.setAttribute('aria-live', 'polite');
      plot.after(said);
    }
    // Arrow keys; of a key that is held, what came while the last drawing was made is skipped.
    function keys(move) {
      plot.addEventListener('keydown', function (event) {
        var step = STEPS[event.key];
        if (event.repeat && event.timeStamp < drawnAt) { event.preventDefault(); return; }
        if (!step || event.ctrlKey || event.metaKey || event.altKey) { return; }
        event.preventDefault();
        move(step);
      });
    }
    function workResponse() {
      listen();
      function select(l, t) { if (responses.select(spec, l, t)) { changed(); } }
      chart.on('click', function (p) { if (p.seriesIndex === 0) { select(p.value[1], p.value[0]); } });
      keys(function (step) {
        var to = responses.next(spec, step);
        select(to[0], to[1]);
      });
      var nameColours = toggle('Switch between logarithmic and linear colours',
        function () { return 'colours: ' + (spec.scale === 'log' ? 'logarithmic' : 'linear'); },
        function () { setColours(spec.scale !== 'log'); });
      var nameRange = toggle('Switch between a colour range of the selected source and one that all sources share',
        function () { return 'range: ' + (spec.shared ? 'all sources' : 'this source'); },
        function () { setShared(!spec.shared); });
      function setColours(log) { spec.scale = log ? 'log' : 'sequential'; nameColours(); }
      function setShared(shared) { spec.shared = shared; nameRange(); }
      address.add(node.id, {
        state: function () {
          var moved = String(spec.selected) !== String(spec.farthest);
          return { source: moved ? spec.selected.join(',') : null, colours: spec.scale === 'log' ? null : 'linear',
            range: spec.shared ? 'all' : null };
        },
        take: function (key, value) {
          var site = /^(\d+),(\d+)$/.exec(value);
          if (key === 'source' && site) { responses.select(spec, Number(site[1]), Number(site[2])); }
          if (key === 'colours') { setColours(value !== 'linear'); }
          if (key === 'range') { setShared(value === 'all'); }
          tell();
          redraw();
        }
      });
    }
    // A cell that is selected is so in all maps that share their range: there they are to be compared.
    function workMap() {
      listen();
      var group = spec.group ? groups[spec.group] : [figure], lead = group[0] === figure, nameRange;
      function select(cell, quietly) {
        var there = cell && cell[0] >= 0 && cell[0] < spec.rows.length && cell[1] >= 0 && cell[1] < spec.columns.length;
        if (cell && !there) { return; }
        group.forEach(function (other) {
          other.spec.selected = cell && cell[0] < other.spec.rows.length && cell[1] < other.spec.columns.length ? cell : undefined;
          other.tell();
          other.redraw();
        });
        if (!quietly) { address.store(); }
      }
      figure.setRange = function (range) {
        spec.range = range;
        if (nameRange) { nameRange(); }
        redraw();
      };
      function isOn(cell) { return spec.selected && spec.selected[0] === cell[0] && spec.selected[1] === cell[1]; }
      chart.on('click', function (p) {
        var cell = [p.value[1], p.value[0]];
        select(isOn(cell) ? undefined : cell);
      });
      keys(function (step) {
        var from = spec.selected || [-step[0], -step[1]];
        select([Math.max(0, from[0] + step[0]), Math.max(0, from[1] + step[1])]);
      });
      if (group.length > 1) {
        nameRange = toggle('Switch between a range of colours of its own for each map and one that the maps to be compared share',
          function () { return 'range: ' + (spec.range ? 'shared' : 'own'); },
          function () { share(group, !spec.range); });
      }
      address.add(node.id, {
        // The first of a group speaks for all.
        state: function () {
          return { cell: lead && spec.selected ? spec.selected.join(',') : null, range: lead && group.length > 1 && !spec.range ? 'own' : null };
        },
        take: function (key, value) {
          var cell = /^(\d+),(\d+)$/.exec(value);
          if (key === 'cell' && cell) { select([Number(cell[1]), Number(cell[2])], true); }
          if (key === 'range' && group.length > 1) { share(group, value !== 'own'); }
        }
      });
    }
    function workLines() {
      if (spec.series.length < 2) { return; }
      chart.on('legendselectchanged', function (p) {
        spec.hidden = [];
        spec.series.forEach(function (s, i) { if (p.selected[s.name] === false) { spec.hidden.push(i); } });
        redraw();
        address.store();
      });
      address.add(node.id, {
        state: function () { return { hidden: spec.hidden && spec.hidden.length ? spec.hidden.join(',') : null }; },
        take: function (key, value) {
          if (key !== 'hidden') { return; }
          spec.hidden = value.split(',').map(Number).filter(function (i) { return Number.isInteger(i) && i >= 0 && i < spec.series.length; });
          redraw();
        }
      });
    }
    function workPoints() {
      listen();
      function select(index) {
        spec.selected = index;
        tell();
        redraw();
      }
      chart.on('click', function (p) {
        if (p.seriesType !== 'scatter') { return; }
        select(p.data.index === spec.selected ? undefined : p.data.index);
        address.store();
      });
      address.add(node.id, {
        state: function () { return { point: spec.selected === undefined ? null : String(spec.selected) }; },
        take: function (key, value) { if (key === 'point' && /^\d+$/.test(value) && Number(value) < spec.x.length) { select(Number(value)); } }
      });
    }
    // Files are named after what they show.
    function file() {
      return spec.file + (spec.kind === 'response' && spec.selected ? '-from-' + spec.selected.join('-') : '');
    }
    function exports() {
      ['png', 'svg'].forEach(function (type) {
        tools.file(node, type, file, function () { return image(spec, plot.clientWidth, plot.clientHeight, type); });
      });
      tools.csv(node, spec, file);
    }
    figure.work = function () {
      draw();
      refill = tools.numbers(node, spec, spec.kind === 'response' ? 'The shown response as numbers' : 'The figure as numbers', 0);
      if (spec.kind === 'response' && spec.selected) { workResponse(); }
      if (spec.kind === 'heatmap' && spec.rows.length && spec.columns.length) { workMap(); }
      if (spec.kind === 'lines') { workLines(); }
      if (spec.kind === 'scatter') { workPoints(); }
      exports();
      if (spec.kind !== 'response' || spec.selected) { tell(); }
      if (window.ResizeObserver) { new ResizeObserver(draw).observe(plot); } else { window.addEventListener('resize', draw); }
    };
    if (spec.group) { (groups[spec.group] = groups[spec.group] || []).push(figure); }
    return figure;
  }
  // Gives maps that are to be compared one range of colours, or each its own.
  function share(group, shared) {
    var range = shared ? heat.ends(group[0].spec, group.map(function (one) { return one.spec.values; })) : undefined;
    group.forEach(function (one) { one.setRange(range || undefined); });
  }

  var figures = Array.prototype.map.call(document.querySelectorAll('figure[id]'), function (node) {
    return OF[node.className].figureOf(node, JSON.parse(document.getElementById(node.id + '-data').textContent), look);
  });
  Object.keys(groups).forEach(function (name) {
    var group = groups[name], range = heat.ends(group[0].spec, group.map(function (one) { return one.spec.values; }));
    if (group.length > 1) { group.forEach(function (one) { one.spec.range = range || undefined; }); }
  });
  figures.forEach(function (figure) { figure.work(); });
  address.start();
  theme.watch(function () { figures.forEach(function (figure) { figure.draw(); }); });
  window.addEventListener('beforeprint', function () {
    printing = true;
    figures.forEach(function (figure) { figure.draw(); });
  });
  window.addEventListener('afterprint', function () {
    printing = false;
    figures.forEach(function (figure) { figure.draw(); });
  });
})();
