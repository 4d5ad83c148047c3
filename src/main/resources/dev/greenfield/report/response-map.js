// The response of every site to every site: sources on the left, the response of all targets to the selected one on the right.
// Drawn with the heat map of report.js, which hands over its tools.
function responseMaps(kit) {
  'use strict';

  var MARK = '#d55e00', HEADING = 28, GAP = 28, NARROW = 640;

  // From base64 to where each source's numbers begin: [levels from its own on][tokens from its own on], row by row.
  function decode(spec) {
    var text = atob(spec.pairs), bytes = new Uint8Array(text.length), begin = 0, i;
    for (i = 0; i < bytes.length; i++) { bytes[i] = text.charCodeAt(i); }
    delete spec.pairs;
    spec.numbers = new DataView(bytes.buffer);
    spec.begins = new Map();
    spec.sources.forEach(function (site) {
      var l = Math.floor(site / spec.columns.length), t = site % spec.columns.length;
      spec.begins.set(site, begin);
      begin += (spec.rows.length - l) * (spec.columns.length - t);
    });
    spec.scale = 'log';
    spec.selected = farthest(spec);
  }
  function has(spec, l, t) {
    return l >= 0 && t >= 0 && t < spec.columns.length && spec.begins.has(l * spec.columns.length + t);
  }
  // The source of largest reach, null where there is none to select.
  function farthest(spec) {
    var best = null, most = -1;
    spec.reach.forEach(function (row, l) {
      row.forEach(function (v, t) {
        var reach = v === 'Infinity' ? Infinity : v;
        if (reach > most && has(spec, l, t)) { best = [l, t]; most = reach; }
      });
    });
    return best;
  }
  // [levels][T] of the selected source as a heat map takes it; null, which is left blank, for zeros and what is not known.
  function response(spec) {
    var l = spec.selected[0], t = spec.selected[1], T = spec.columns.length, wide = T - t;
    var begin = spec.begins.get(l * T + t);
    return spec.rows.map(function (_, row) {
      return spec.columns.map(function (_, column) {
        if (row < l || column < t) { return null; }
        var v = spec.numbers.getFloat32(4 * (begin + (row - l) * wide + column - t), true);
        return v === Infinity ? 'Infinity' : v || null;
      });
    });
  }
  // The least and the largest response to any source of the page; for a colour range that all sources share.
  function extremes(spec) {
    var low = Infinity, high = 0, i, v;
    for (i = 0; i < spec.numbers.byteLength; i += 4) {
      v = spec.numbers.getFloat32(i, true);
      if (v > 0 && v < low) { low = v; }
      if (v < Infinity && v > high) { high = v; }
    }
    return low <= high ? [low, high] : [];
  }
  function siteName(spec, site) { return spec.rows[site[0]] + ', token ' + spec.columns[site[1]]; }

  function mark(option, l, t) {
    var series = option.series && option.series[0];
    if (!series) { return; }
    // Drawn last, so that no neighbour covers its outline.
    function isIt(cell) { return cell[0] === t && cell[1] === l; }
    series.data = series.data.filter(function (cell) { return !isIt(cell); }).concat(series.data.filter(isIt));
    var plain = series.renderItem;
    series.renderItem = function (params, api) {
      var cell = plain(params, api);
      if (isIt([api.value(0), api.value(1)])) {
        cell.style.stroke = MARK;
        cell.style.lineWidth = 2.5;
        cell.z2 = 10;
      }
      return cell;
    };
  }
  // Puts one heat map's parts into a picture of two.
  function place(whole, part, index, left, top, heading, width) {
    var grid = part.grid && part.grid[0];
    if (!grid) { return; }
    grid.left += left;
    grid.top += top + HEADING;
    part.xAxis[0].gridIndex = part.yAxis[0].gridIndex = index;
    part.series[0].xAxisIndex = part.series[0].yAxisIndex = index;
    (part.graphic || []).forEach(function (bar) { bar.x += left; bar.y += top + HEADING; whole.graphic.push(bar); });
    whole.grid.push(grid);
    whole.xAxis.push(part.xAxis[0]);
    whole.yAxis.push(part.yAxis[0]);
    whole.series.push(part.series[0]);
    whole.graphic.push({ type: 'text', x: left + 4, y: top + 8, silent: true, style: { text: heading, fill: kit.ink,
      font: '600 13px ' + kit.font, overflow: 'truncate', width: width - 8 } });
  }

  function draw(spec, width, height, exporting) {
    if (!spec.begins) { decode(spec); }
    var top = exporting ? 34 : 0, option = kit.base(spec, exporting);
    if (!spec.selected) {
      option.graphic = { type: 'text', left: 'center', top: 'middle', style: { text: 'no sources', fill: kit.muted,
        font: '14px ' + kit.font } };
      return option;
    }
    var stacked = width < NARROW, room = (stacked ? (height - top) / 2 : height - top) - HEADING;
    var leftWidth = stacked ? width : Math.round((width - GAP) * 0.42), rightWidth = stacked ? width : width - GAP - leftWidth;
    function half(values, name, ownWidth, tall, range) {
      return kit.heatmap({ title: '', rows: spec.rows, columns: spec.columns, values: values, scaleValues: range, scale: spec.scale,
        palette: spec.palette, valueName: name }, ownWidth, tall, false);
    }
    var shown = response(spec), range = spec.shared ? [spec.extremes = spec.extremes || extremes(spec)] : undefined;
    var sources = half(spec.reach, '', leftWidth, room), targets = half(shown, spec.valueName, rightWidth, room, range);
    // Labels that are slanted on one side only would leave the levels of the two sides at different heights.
    var excess = stacked ? 0 : sources.grid[0].height - targets.grid[0].height;
    if (excess > 0) { sources = half(spec.reach, '', leftWidth, room - excess); }
    if (excess < 0) { targets = half(shown, spec.valueName, rightWidth, room + excess, range); }
    mark(sources, spec.selected[0], spec.selected[1]);
    mark(targets, spec.selected[0], spec.selected[1]);
    ['grid', 'xAxis', 'yAxis', 'series', 'graphic'].forEach(function (key) { option[key] = []; });
    place(option, sources, 0, 0, top, 'Sources: reach to ' + spec.rows[spec.reachLevel], leftWidth);
    place(option, targets, 1, stacked ? 0 : leftWidth + GAP, stacked ? top + HEADING + room : top,
      'Response to ' + siteName(spec, spec.selected), rightWidth);
    option.series[0].cursor = 'pointer';
    option.series[1].cursor = 'default';
    option.tooltip.formatter = function (p) {
      var t = p.value[0], l = p.value[1], source = p.seriesIndex === 0;
      return kit.tooltip([spec.columns[t], spec.rows[l],
        source && !has(spec, l, t) ? 'its response is not in this page' : source ? 'select to see its response' : 'from ' + siteName(spec, spec.selected),
        (source ? 'reach' : spec.valueName) + ': ' + kit.format(source ? spec.reach[l][t] : shown[l][t], 4)]);
    };
    return option;
  }

  // Room for two maps above each other where they are; the height of the drawing.
  function fit(plot, width) {
    plot.dataset.height = plot.dataset.height || plot.clientHeight;
    var height = plot.dataset.height * (width < NARROW ? 2 : 1);
    plot.style.height = height + 'px';
    return height;
  }

  function element(name, text, parent) {
    var made = document.createElement(name);
    made.textContent = text;
    if (parent) { parent.appendChild(made); }
    return made;
  }
  // The shown numbers as a table, levels upward as in the picture.
  function fill(table, spec) {
    var shown = response(spec), head = element('tr', '', element('thead', ''));
    table.textContent = '';
    table.appendChild(head.parentNode);
    element('th', '', head);
    spec.columns.forEach(function (label) {
      var cell = element('th', label, head);
      cell.scope = 'col';
      cell.className = 'number';
    });
    var body = element('tbody', '', table);
    shown.slice().reverse().forEach(function (values, i) {
      var row = element('tr', '', body);
      element('th', spec.rows[spec.rows.length - 1 - i], row).scope = 'row';
      values.forEach(function (v) {
        element('td', v === null ? '' : v === 'Infinity' ? '\u221e' : String(Number(v.toPrecision(7))), row).className = 'number';
      });
    });
  }

  // Lets a figure's source be selected by click, arrow keys and address, and its colours be switched.
  function attach(figure, spec, chart, redraw) {
    if (!spec.selected) { return; }
    var plot = figure.querySelector('.plot'), tools = figure.querySelector('.tools');
    var said = element('p', ''), details = element('details', ''), first = !document.querySelector('figure[data-source]');
    said.className = 'selection';
    said.setAttribute('aria-live', 'polite');
    details.className = 'table';
    element('summary', 'The shown response as numbers', details);
    var table = element('table', '', details);
    details.addEventListener('toggle', function () { if (details.open) { fill(table, spec); } });
    var drawnAt = 0;
    plot.after(said);
    figure.appendChild(details);

    function tell() {
      figure.dataset.source = spec.selected.join(',');
      said.textContent = 'Selected: ' + siteName(spec, spec.selected)
        + '. Click another source on the left, or move with the arrow keys.';
      if (details.open) { fill(table, spec); }
    }
    function select(l, t) {
      if (!has(spec, l, t) || (spec.selected[0] === l && spec.selected[1] === t)) { return; }
      spec.selected = [l, t];
      tell();
      redraw();
      drawnAt = performance.now();
      // The address is a means to share what is seen; a browser may refuse to change that of a local file.
      if (first) { try { history.replaceState(null, '', '#source=' + l + ',' + t); } catch (refused) { return; } }
    }
    function fromAddress() {
      var match = /^#source=(\d+),(\d+)$/.exec(location.hash);
      if (match) { select(Number(match[1]), Number(match[2])); }
    }

    chart.on('click', function (p) {
      if (p.seriesIndex === 0) { select(p.value[1], p.value[0]); }
    });
    plot.addEventListener('keydown', function (event) {
      // Of a key that is held, what came while the last drawing was made is skipped.
      if (event.repeat && event.timeStamp < drawnAt) { event.preventDefault(); return; }
      var step = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey) { return; }
      event.preventDefault();
      // Over sources that cannot be selected to the next that can.
      var l = spec.selected[0] + step[0], t = spec.selected[1] + step[1];
      while (l >= 0 && t >= 0 && l < spec.rows.length && t < spec.columns.length && !has(spec, l, t)) {
        l += step[0];
        t += step[1];
      }
      select(l, t);
    });
    // A button that says which of two ways it is and switches to the other.
    function toggle(title, name, flip) {
      var button = element('button', name(), tools);
      button.type = 'button';
      button.title = title;
      button.addEventListener('click', function () {
        flip();
        button.textContent = name();
        redraw();
      });
    }
    toggle('Switch between logarithmic and linear colours',
      function () { return 'colours: ' + (spec.scale === 'log' ? 'logarithmic' : 'linear'); },
      function () { spec.scale = spec.scale === 'log' ? 'sequential' : 'log'; });
    toggle('Switch between a colour range of the selected source and one that all sources share',
      function () { return 'range: ' + (spec.shared ? 'all sources' : 'this source'); },
      function () { spec.shared = !spec.shared; });
    tell();
    if (first) {
      fromAddress();
      window.addEventListener('hashchange', fromAddress);
    }
  }

  return { draw: draw, attach: attach, fit: fit };
}
