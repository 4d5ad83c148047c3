// Curves and points over a pair of axes.
function curveCharts(theme, text) {
  'use strict';

  var SYMBOLS = ['circle', 'rect', 'triangle', 'diamond'];
  var FONT = theme.FONT, BOTTOM = 48;

  function leadingDigit(value, round) {
    var unit = Math.pow(10, Math.floor(Math.log10(value) + 1e-12));
    // Past the rounding of the division: 0.003 / 0.001 is not quite 3.
    return Number((round(Number((value / unit).toPrecision(12))) * unit).toPrecision(12));
  }
  function least(values) { return values.reduce(function (a, b) { return Math.min(a, b); }, Infinity); }
  function most(values) { return values.reduce(function (a, b) { return Math.max(a, b); }, -Infinity); }

  // The range of an axis and its ticks. A logarithmic one covers the data to the next leading digit, a linear one to the next tick, or ends
  // where the data does.
  function rangeOf(log, values, count, tight) {
    if (!values.length) { return { low: log ? 1 : 0, high: log ? 10 : 1, ticks: log ? [1, 10] : [0, 1] }; }
    var low = least(values), high = most(values);
    if (log) {
      if (low === high) { low /= 2; high *= 2; }
      low = leadingDigit(low, Math.floor);
      high = leadingDigit(high, Math.ceil);
      return { low: low, high: high, ticks: text.logTicks(low, high, count) };
    }
    if (low === high) { var margin = Math.abs(low) * 0.5 || 1; low -= margin; high += margin; }
    var by = text.step(high - low, count);
    // Whole and half steps are counted, nothing lies between them.
    var counted = [1, 0.5].find(function (u) { return values.every(function (v) { return Number.isInteger(v / u); }); });
    if (counted && by < counted && high - low < 1e6) { by = counted; }
    return tight ? { low: low, high: high, ticks: text.ticks(low, high, Math.max(1, Math.round((high - low) / by))) } : ticked(low, high, by);
  }
  function ticked(low, high, by) {
    low = Number((Math.floor(low / by + 1e-6) * by).toPrecision(14));
    high = Number((Math.ceil(high / by - 1e-6) * by).toPrecision(14));
    return { low: low, high: high, ticks: text.ticks(low, high, Math.max(1, Math.round((high - low) / by))) };
  }
  function axis(name, log, range, lower, size, gap) {
    var look = size.theme, labels = log ? text.logLabels(range.ticks) : text.labels(range.ticks);
    if (labels.offset) { name += ' \u2212 ' + text.cell(labels.offset); }
    function shown(value) {
      var best = 0;
      range.ticks.forEach(function (v, i) { if (Math.abs(v - value) < Math.abs(range.ticks[best] - value)) { best = i; } });
      return labels.texts[best];
    }
    return { type: log ? 'log' : 'value', min: range.low, max: range.high, name: name, nameLocation: 'middle', nameGap: gap,
      nameTruncate: { maxWidth: lower ? size.width - 80 : size.height - 40 },
      nameTextStyle: { fontSize: 13, color: look.ink },
      axisLabel: { fontSize: 12, color: look.ink, formatter: shown, hideOverlap: true, customValues: range.ticks },
      axisLine: { show: true, onZero: false, lineStyle: { color: look.axis } },
      axisTick: { show: true, lineStyle: { color: look.axis }, customValues: range.ticks },
      splitLine: { lineStyle: { color: look.grid }, customValues: range.ticks } };
  }
  function labelWidth(log, range) { return Math.ceil(theme.widest((log ? text.logLabels(range.ticks) : text.labels(range.ticks)).texts, 12)); }
  // Places grid and axes: room on the left for the labels that there are.
  function frame(option, spec, size, top, x, y) {
    var width = labelWidth(spec.logY, y), left = Math.max(52, width + 38);
    option.grid = { left: left, right: Math.max(20, Math.ceil(labelWidth(spec.logX, x) / 2) + 4), top: top, bottom: BOTTOM, outerBoundsMode: 'none' };
    option.xAxis = axis(spec.xName, spec.logX, x, true, size, 30);
    option.yAxis = axis(spec.yName, spec.logY, y, false, size, width + 18);
  }
  function drawable(v, log) { return typeof v === 'number' && (!log || v > 0); }

  // Names wrap into as many lines as the width asks for; the drawing starts below them.
  function legendOf(spec, width) {
    var limit = Math.max(12, Math.min(40, Math.floor((width - 120) / 7))), used = 0, rows = spec.series.length > 1 ? 1 : 0;
    spec.series.forEach(function (s) {
      var w = theme.textWidth(theme.shorten(s.name, limit), 13) + 48;
      if (used + w > width - 56 && used > 0) { rows++; used = 0; }
      used += w;
    });
    return { limit: limit, rows: rows > 6 ? 1 : rows, scrolls: rows > 6 };
  }

  function lines(spec, size) {
    var option = theme.base(spec, size), top = (size.exporting ? 34 : 0) + 16, many = spec.series.length > 1, look = size.theme;
    var xs = [], ys = [], own = 0, hidden = spec.hidden || [];
    var looks = spec.series.map(function (s) { return s.partner >= 0 ? -1 : own++; });
    var legend = legendOf(spec, size.width);
    option.series = spec.series.map(function (s, i) {
      var data = s.x.map(function (x, k) {
        if (drawable(x, spec.logX) && drawable(s.y[k], spec.logY)) {
          if (hidden.indexOf(i) < 0) { xs.push(x); ys.push(s.y[k]); }
          return [x, s.y[k]];
        }
        return [drawable(x, spec.logX) ? x : '-', '-'];
      });
      // A curve that another is to be compared with lends it colour and symbol.
      var paired = s.partner >= 0, style = looks[paired ? s.partner : i], colour = look.lines[style % look.lines.length];
      var hollow = paired || style % (2 * SYMBOLS.length) >= SYMBOLS.length;
      return { type: 'line', name: s.name, data: data, symbol: SYMBOLS[style % SYMBOLS.length], symbolSize: 6,
        showSymbol: s.x.length <= 60, lineStyle: { width: 2, color: colour, type: paired || style >= look.lines.length ? 'dashed' : 'solid' },
        // Hollow on the ground that there is, which the library takes to be white.
        itemStyle: { color: hollow ? look.paper : colour, borderColor: colour, borderWidth: hollow ? 1.5 : 0 },
        color: colour, emphasis: { focus: many ? 'series' : 'none' } };
    });
    if (many) {
      var selected = {};
      spec.series.forEach(function (s, i) { selected[s.name] = hidden.indexOf(i) < 0; });
      option.legend = { top: top - 12, left: 'center', width: size.width - 40, itemWidth: 24, itemGap: 12, type: legend.scrolls ? 'scroll' : 'plain',
        selected: selected, inactiveColor: look.axis, pageTextStyle: { color: look.muted }, pageIconColor: look.ink, pageIconInactiveColor: look.rule,
        textStyle: { fontSize: 13, color: look.ink }, formatter: function (name) { return theme.shorten(name, legend.limit); } };
      top += 6 + 26 * legend.rows;
    }
    var count = Math.max(3, Math.min(8, Math.floor(size.width / 90)));
    frame(option, spec, size, top, rangeOf(spec.logX, xs, count, true), rangeOf(spec.logY, ys, 6));
    option.tooltip.formatter = function (p) {
      return theme.tooltip([p.seriesName, spec.xName + ': ' + text.format(p.value[0], 4), spec.yName + ': ' + text.format(p.value[1], 4)], look);
    };
    return option;
  }

  // The points that can be drawn: their numbers in the figure's data, and where they are.
  function drawn(spec) {
    var all = [];
    spec.x.forEach(function (x, i) { if (drawable(x) && drawable(spec.y[i])) { all.push({ value: [x, spec.y[i]], index: i }); } });
    return all;
  }
  // One range for both axes, its ends on ticks.
  function square(data) {
    var all = data.map(function (p) { return p.value[0]; }).concat(data.map(function (p) { return p.value[1]; }));
    var low = all.length ? least(all) : 0, high = all.length ? most(all) : 1, margin = (high - low || Math.abs(low) || 1) * 0.05;
    low -= margin;
    high += margin;
    return ticked(low, high, text.step(high - low, 9));
  }
  function side(width, height, top, range) {
    var left = Math.max(52, labelWidth(false, range) + 38);
    return Math.max(60, Math.min(width - left - 36, height - top - BOTTOM));
  }
  function scatter(spec, size) {
    var option = theme.base(spec, size), top = (size.exporting ? 34 : 0) + 16, data = drawn(spec), look = size.theme;
    option.series = [];
    if (spec.identityLine) {
      var range = square(data);
      frame(option, spec, size, top, range, range);
      delete option.grid.right;
      delete option.grid.bottom;
      option.grid.width = option.grid.height = side(size.width, size.height, top, range);
      option.series.push({ type: 'line', data: [[range.low, range.low], [range.high, range.high]], symbol: 'none', silent: true,
        tooltip: { show: false }, lineStyle: { color: look.axis, width: 1, type: 'dashed' }, z: 1 });
    } else {
      frame(option, spec, size, top, rangeOf(false, data.map(function (p) { return p.value[0]; }), Math.max(3, Math.floor(size.width / 90))),
        rangeOf(false, data.map(function (p) { return p.value[1]; }), 6));
    }
    data.forEach(function (p) {
      if (p.index === spec.selected) { p.itemStyle = { color: look.mark, opacity: 1, borderColor: look.ink, borderWidth: 1.5 }; p.symbolSize = 11; }
    });
    option.series.push({ type: 'scatter', data: data, symbolSize: data.length > 500 ? 5 : 8, cursor: 'pointer',
      itemStyle: { color: look.lines[0], opacity: data.length > 100 ? 0.5 : 0.75 },
      emphasis: { itemStyle: { opacity: 1, borderColor: look.ink, borderWidth: 1.5 } } });
    option.tooltip.formatter = function (p) { return theme.tooltip(described(spec, p.data.index), look); };
    return option;
  }
  // A point in words, a line each.
  function described(spec, index) {
    var label = spec.labels[index];
    var numbers = [spec.xName + ': ' + text.format(spec.x[index], 4), spec.yName + ': ' + text.format(spec.y[index], 4)];
    return label ? [label].concat(numbers) : numbers;
  }
  // How high a drawing of so much width is: curves keep their room below a long legend, a square takes no more than it needs.
  function height(spec, width, room) {
    if (spec.kind === 'lines') { return room + 26 * Math.max(0, legendOf(spec, width).rows - 2); }
    return spec.identityLine ? 16 + side(width, room, 16, square(drawn(spec))) + BOTTOM : room;
  }

  return { lines: lines, scatter: scatter, described: described, height: height };
}
