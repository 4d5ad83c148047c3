// The response of every site to every site: sources on the left, the response of all targets to the selected one on the right.
function responseMaps(theme, text, heat) {
  'use strict';

  var HEADING = 28, GAP = 28, NARROW = 640;

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
    spec.selected = spec.farthest = farthest(spec);
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
    return low <= high ? [low, high] : undefined;
  }
  function siteName(spec, site) { return spec.rows[site[0]] + ', token ' + spec.columns[site[1]]; }

  // Puts one heat map's parts into a picture of two.
  function place(whole, part, index, left, top, heading, width, look) {
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
    whole.graphic.push({ type: 'text', x: left + 4, y: top + 8, silent: true, style: { text: theme.fitting(heading, 13, 0.93 * width - 8),
      fill: look.ink, font: '600 13px ' + theme.FONT } });
  }

  function draw(spec, size) {
    if (!spec.begins) { decode(spec); }
    var width = size.width, height = size.height, top = size.exporting ? 34 : 0, option = theme.base(spec, size), look = size.theme;
    if (!spec.selected) {
      option.graphic = { type: 'text', left: 'center', top: 'middle', style: { text: 'no sources', fill: look.muted,
        font: '14px ' + theme.FONT } };
      return option;
    }
    var stacked = width < NARROW, room = (stacked ? (height - top) / 2 : height - top) - HEADING;
    var leftWidth = stacked ? width : Math.round((width - GAP) * 0.42), rightWidth = stacked ? width : width - GAP - leftWidth;
    function half(values, name, ownWidth, tall, range) {
      return heat.draw({ title: '', rows: spec.rows, columns: spec.columns, values: values, range: range, scale: spec.scale,
        palette: spec.palette, valueName: name, selected: spec.selected }, { width: ownWidth, height: tall, theme: look });
    }
    var shown = response(spec), range = spec.shared ? spec.extremes = spec.extremes || extremes(spec) : undefined;
    var sources = half(spec.reach, 'reach', leftWidth, room), targets = half(shown, spec.valueName, rightWidth, room, range);
    // Labels that are slanted on one side only would leave the levels of the two sides at different heights.
    var excess = stacked ? 0 : sources.grid[0].height - targets.grid[0].height;
    if (excess > 0) { sources = half(spec.reach, 'reach', leftWidth, room - excess); }
    if (excess < 0) { targets = half(shown, spec.valueName, rightWidth, room + excess, range); }
    ['grid', 'xAxis', 'yAxis', 'series', 'graphic'].forEach(function (key) { option[key] = []; });
    place(option, sources, 0, 0, top, 'Sources: reach to ' + spec.rows[spec.reachLevel], leftWidth, look);
    place(option, targets, 1, stacked ? 0 : leftWidth + GAP, stacked ? top + HEADING + room : top,
      'Response to ' + siteName(spec, spec.selected), rightWidth, look);
    option.series[0].cursor = 'pointer';
    option.series[1].cursor = 'default';
    option.tooltip.formatter = function (p) {
      var t = p.value[0], l = p.value[1], source = p.seriesIndex === 0;
      return theme.tooltip([spec.columns[t], spec.rows[l],
        source && !has(spec, l, t) ? 'its response is not in this page' : source ? 'select to see its response' : 'from ' + siteName(spec, spec.selected),
        (source ? 'reach' : spec.valueName) + ': ' + text.format(source ? spec.reach[l][t] : shown[l][t], 4)], look);
    };
    return option;
  }

  // Two maps above each other where there is no room beside: the height of the drawing.
  function height(width, room) { return room * (width < NARROW ? 2 : 1); }

  // Moves the selection; whether it is another one then.
  function select(spec, l, t) {
    if (!has(spec, l, t) || (spec.selected[0] === l && spec.selected[1] === t)) { return false; }
    spec.selected = [l, t];
    return true;
  }
  // The next source whose response is there in the direction of an arrow key, over those without.
  function next(spec, step) {
    var l = spec.selected[0] + step[0], t = spec.selected[1] + step[1];
    while (l >= 0 && t >= 0 && l < spec.rows.length && t < spec.columns.length && !has(spec, l, t)) {
      l += step[0];
      t += step[1];
    }
    return [l, t];
  }

  return { draw: draw, height: height, response: response, siteName: siteName, select: select, next: next };
}
