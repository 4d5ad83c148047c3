// Draws the figures of a report page from the JSON beside each of them.
(function () {
  'use strict';

  // Single quotes: the library writes this unescaped into a double-quoted attribute of a saved SVG.
  var FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'DejaVu Sans', sans-serif";
  var INK = '#1c2024', MUTED = '#5b6470', RULE = '#d5dae0', ZERO = '#d9dce0', INFINITE = '#000000';
  // Okabe and Ito's colours, told apart under every common colour-vision deficiency; yellow is left out on white.
  var LINES = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#444444'];
  var SYMBOLS = ['circle', 'rect', 'triangle', 'diamond', 'emptyCircle', 'emptyRect', 'emptyTriangle'];
  var LABEL_LIMIT = 18;

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

  var SUPERSCRIPT = { '-': '\u207b', 0: '\u2070', 1: '\u00b9', 2: '\u00b2', 3: '\u00b3', 4: '\u2074', 5: '\u2075', 6: '\u2076',
    7: '\u2077', 8: '\u2078', 9: '\u2079' };
  function power(exponent) {
    return '10' + String(exponent).split('').map(function (c) { return SUPERSCRIPT[c]; }).join('');
  }
  function format(value, digits) {
    if (value === null) { return 'undefined'; }
    if (value === 'Infinity') { return '\u221e'; }
    if (value === '-Infinity') { return '\u2212\u221e'; }
    if (value === 0) { return '0'; }
    var size = Math.abs(value), text;
    if (size >= 1e5 || size < 1e-3) {
      var parts = value.toExponential(digits - 1).split('e');
      text = parts[0] + '\u00d7' + power(Number(parts[1]));
    } else {
      text = value.toPrecision(digits);
      // toPrecision turns 1234 with two digits into 1.2e+3.
      if (text.indexOf('e') >= 0) { text = String(Number(text)); }
    }
    return text.replace('-', '\u2212');
  }
  // Ticks are round numbers: as many digits as they have, not a fixed number.
  function tick(value) {
    var size = Math.abs(value);
    if (size !== 0 && (size >= 1e5 || size < 1e-3)) {
      var parts = Number(value.toPrecision(6)).toExponential().split('e');
      return ((parts[0] === '1' ? '' : parts[0] + '\u00d7') + power(Number(parts[1]))).replace('-', '\u2212');
    }
    return String(Number(value.toPrecision(6))).replace('-', '\u2212');
  }
  function logTick(value) {
    var exponent = Math.log10(value), whole = Math.round(exponent);
    return Math.abs(exponent - whole) < 1e-9 ? (whole >= -2 && whole <= 3 ? tick(value) : power(whole)) : tick(value);
  }

  function channels(hex) {
    return [1, 3, 5].map(function (i) { return parseInt(hex.substr(i, 2), 16); });
  }
  function colourAt(palette, fraction) {
    var position = Math.min(1, Math.max(0, fraction)) * (palette.length - 1);
    var lower = Math.min(Math.floor(position), palette.length - 2), t = position - lower;
    var a = channels(palette[lower]), b = channels(palette[lower + 1]);
    return a.map(function (x, i) { return Math.round(x + t * (b[i] - x)); });
  }
  function css(rgb) { return 'rgb(' + rgb.join(',') + ')'; }
  function isLight(rgb) { return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] > 140; }

  // Tooltips are elements with text nodes, so no label is ever read as markup.
  function tooltip(lines) {
    var box = document.createElement('div');
    lines.forEach(function (line, i) {
      var row = document.createElement('div');
      row.textContent = line;
      row.style.cssText = 'white-space:pre-wrap;max-width:360px;overflow-wrap:anywhere;'
        + (i === lines.length - 1 ? 'font-weight:650' : 'color:' + MUTED);
      box.appendChild(row);
    });
    return box;
  }
  function base(spec, exporting) {
    return {
      animation: false,
      backgroundColor: exporting ? '#ffffff' : 'transparent',
      textStyle: { fontFamily: FONT, color: INK },
      title: exporting ? { text: spec.title, left: 8, top: 8, textStyle: { fontSize: 15, fontWeight: 600, color: INK,
        fontFamily: FONT } } : undefined,
      tooltip: { confine: true, borderColor: RULE, padding: [7, 10], textStyle: { color: INK, fontSize: 13, fontFamily: FONT } },
      aria: { enabled: false }
    };
  }

  // The ends of a heat map's scale, which may be those of other numbers than its own, and the map from a value to [0, 1] on it.
  function scaleOf(spec) {
    var finite = [];
    (spec.scaleValues || spec.values).forEach(function (row) {
      row.forEach(function (v) { if (typeof v === 'number' && (spec.scale !== 'log' || v > 0)) { finite.push(v); } });
    });
    var low = finite.reduce(function (a, b) { return Math.min(a, b); }, Infinity);
    var high = finite.reduce(function (a, b) { return Math.max(a, b); }, -Infinity);
    if (!finite.length) { return null; }
    if (spec.scale === 'diverging') {
      high = Math.max(Math.abs(low), Math.abs(high)) || 1;
      low = -high;
    } else if (low === high) {
      // One value only: give the bar some length around it.
      var margin = spec.scale === 'log' ? 2 : (Math.abs(low) || 1) * 0.5;
      low = spec.scale === 'log' ? low / margin : low - margin;
      high = spec.scale === 'log' ? high * margin : high + margin;
    }
    var f = spec.scale === 'log' ? Math.log10 : function (v) { return v; };
    return { low: low, high: high, fraction: function (v) { return (f(v) - f(low)) / (f(high) - f(low)); } };
  }

  // Powers of ten, no more than asked for; with 2 and 5 between them where the range holds few.
  function logTicks(low, high, most) {
    var first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9), ticks = [], i;
    var factors = last - first >= 2 ? [1] : [1, 2, 5], every = Math.max(1, Math.ceil((last - first + 1) / most));
    for (i = first - 1; i <= last; i += i < first ? 1 : every) {
      factors.forEach(function (factor) {
        var v = factor * Math.pow(10, i);
        if (v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9)) { ticks.push(v); }
      });
    }
    return ticks.length >= 2 ? ticks : [low, high];
  }
  // Ticks for the colour bar.
  function barTicks(spec, scale) {
    var ticks = [], i;
    if (spec.scale === 'log') { return logTicks(scale.low, scale.high, 7); }
    var rough = (scale.high - scale.low) / 5, unit = Math.pow(10, Math.floor(Math.log10(rough)));
    var step = unit * [1, 2, 5, 10].find(function (m) { return m * unit >= rough * 0.999; });
    for (i = Math.ceil(scale.low / step - 1e-9); i * step <= scale.high + step * 1e-9; i++) { ticks.push(i * step); }
    return ticks;
  }

  // Neighbours must round the edge they share alike, in the middle between two pixels too.
  function edge(x) { return Math.round(x + 1e-6); }

  function heatmap(spec, width, height, exporting) {
    var rows = spec.rows, columns = spec.columns, R = rows.length, C = columns.length;
    var option = base(spec, exporting), top = (exporting ? 34 : 0) + 12, scale = scaleOf(spec);
    if (!R || !C) {
      option.graphic = { type: 'text', left: 'center', top: 'middle', style: { text: 'no cells', fill: MUTED, font: '14px ' + FONT } };
      return option;
    }
    var rowLabels = rows.map(function (s) { return shorten(s, LABEL_LIMIT); });
    var columnLabels = columns.map(function (s) { return shorten(s, LABEL_LIMIT); });
    var barWidth = Math.max(56, Math.min(160, Math.ceil(textWidth(spec.valueName, 12)) + 2));
    var right = scale ? 24 + barWidth : 16, left = Math.ceil(widest(rowLabels, 12)) + 18;
    // Level labels where they fit, slanted where they do not, upright where even slanted ones would touch.
    var longest = widest(columnLabels, 12), room = (width - left - right) / C, rotate = 0;
    if (longest + 8 > Math.min(room, 110)) { rotate = room >= 20 ? 45 : 90; }
    if (rotate === 45) {
      left = Math.max(left, Math.ceil(columnLabels.reduce(function (most, label, i) {
        return Math.max(most, textWidth(label, 12) * 0.71 + 10 - (i + 0.5) * room);
      }, 0)));
    }
    var bottom = 14 + (rotate === 0 ? 16 : rotate === 45 ? longest * 0.71 + 12 : longest + 4);
    var gridWidth = Math.max(20, Math.min(width - left - right, C * 110)), gridHeight = Math.max(10, height - top - bottom);
    var cellWidth = gridWidth / C, cellHeight = gridHeight / R, gap = cellWidth > 16 && cellHeight > 10 ? 1 : 0;
    var every = Math.max(1, Math.ceil(15 / cellWidth)), everyRow = Math.max(1, Math.ceil(14 / cellHeight));
    // On a linear scale all cells show the decimals that the largest asks for, so that small values look small.
    var largest = scale ? Math.max(Math.abs(scale.low), Math.abs(scale.high)) : 1;
    function cellText(v) {
      if (spec.scale === 'log' || largest < 1e-3 || largest >= 1e5) { return format(v, 2); }
      var text = v.toFixed(Math.min(5, Math.max(0, 2 - Math.floor(Math.log10(largest)))));
      return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '\u2212');
    }
    // All cells carry their numbers or none does.
    var numbers = cellHeight >= 20 && R * C <= 400 && spec.values.every(function (row) {
      return row.every(function (v) { return typeof v !== 'number' || v === 0 || textWidth(cellText(v), 11) + 4 <= cellWidth; });
    });
    var data = [];
    spec.values.forEach(function (row, r) { row.forEach(function (v, c) { if (v !== null) { data.push([c, r]); } }); });

    option.grid = [{ left: left, top: top, width: gridWidth, height: gridHeight, outerBoundsMode: 'none',
      show: true, borderColor: RULE, borderWidth: 1, backgroundColor: 'transparent' }];
    option.xAxis = [{ type: 'category', data: columnLabels, axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false },
      axisLabel: { rotate: rotate, interval: function (i) { return rotate === 0 || i % every === 0; }, fontSize: 12, color: INK,
        margin: 8, hideOverlap: false } }];
    option.yAxis = [{ type: 'category', data: rowLabels, axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false },
      axisLabel: { interval: function (i) { return i % everyRow === 0; }, fontSize: 12, color: INK, margin: 8 } }];
    option.series = [{ type: 'custom', data: data, encode: { x: 0, y: 1 }, clip: true,
      // All cells at once: a picture is saved as soon as it is drawn.
      progressive: 0,
      renderItem: function (params, api) {
        var c = api.value(0), r = api.value(1), v = spec.values[r][c], at = api.coord([c, r]);
        var fill, text = '', light = true;
        if (v === 0) { fill = ZERO; text = '\u00b7'; }
        else if (typeof v === 'string') { fill = INFINITE; text = format(v); light = false; }
        else {
          var rgb = colourAt(spec.palette, scale.fraction(v));
          fill = css(rgb); light = isLight(rgb); text = numbers ? cellText(v) : '';
        }
        var fits = text && textWidth(text, 11) + 4 <= cellWidth && cellHeight >= 11;
        var x = edge(at[0] - cellWidth / 2), y = edge(at[1] - cellHeight / 2);
        return { type: 'rect',
          shape: { x: x, y: y, width: edge(at[0] + cellWidth / 2) - x - gap, height: edge(at[1] + cellHeight / 2) - y - gap },
          style: { fill: fill },
          emphasis: { style: { stroke: INK, lineWidth: 1.5 } },
          textContent: fits ? { type: 'text', style: { text: text, fill: light ? INK : '#ffffff', font: '11px ' + FONT } } : undefined,
          textConfig: { position: 'inside' } };
      } }];
    option.tooltip.formatter = function (p) {
      if (p.seriesIndex !== 0) { return ''; }
      var c = p.value[0], r = p.value[1];
      return tooltip([columns[c], rows[r], (spec.valueName ? spec.valueName + ': ' : '') + format(spec.values[r][c], 4)]);
    };
    if (scale) { colourBar(option, spec, scale, left + gridWidth + 22, top, gridHeight, barWidth); }
    return option;
  }

  // A bar with a true axis, drawn as a second small chart so that it is part of a saved image.
  function colourBar(option, spec, scale, left, top, height, width) {
    var ticks = barTicks(spec, scale), barTop = top + 22, barHeight = Math.max(30, Math.min(height - 22, 260));
    var log = spec.scale === 'log';
    var children = [{ type: 'rect', shape: { x: 0, y: 0, width: 14, height: barHeight },
      style: { stroke: RULE, lineWidth: 1, fill: { type: 'linear', x: 0, y: 1, x2: 0, y2: 0,
        colorStops: spec.palette.map(function (colour, i) { return { offset: i / (spec.palette.length - 1), color: colour }; }) } } }];
    ticks.forEach(function (v) {
      var y = barHeight * (1 - scale.fraction(v));
      children.push({ type: 'line', shape: { x1: 14, y1: y, x2: 18, y2: y }, style: { stroke: MUTED } });
      children.push({ type: 'text', x: 22, y: y, style: { text: (log ? logTick : tick)(v), fill: INK, font: '12px ' + FONT,
        verticalAlign: 'middle' } });
    });
    children.push({ type: 'text', x: 0, y: -10, style: { text: spec.valueName, fill: MUTED, font: '12px ' + FONT,
      verticalAlign: 'bottom', overflow: 'truncate', width: width } });
    option.graphic = [{ type: 'group', x: left, y: barTop, silent: true, children: children }];
  }

  function leadingDigit(value, round) {
    var unit = Math.pow(10, Math.floor(Math.log10(value) + 1e-12));
    // Past the rounding of the division: 0.003 / 0.001 is not quite 3.
    return Number((round(Number((value / unit).toPrecision(12))) * unit).toPrecision(12));
  }
  // Ticks with powers of ten take more room.
  function leftMargin(values, log) {
    var largest = values.reduce(function (most, v) { return Math.max(most, Math.abs(v)); }, 0);
    return !log && largest > 0 && (largest < 1e-2 || largest >= 1e5) ? 96 : 72;
  }
  // A logarithmic axis covers the data to the next leading digit, not, as the library's own would, to the next power of ten.
  function axis(name, log, values, lower) {
    var a = { type: log ? 'log' : 'value', name: name, nameLocation: 'middle', nameGap: lower ? 30 : leftMargin(values, log) - 20, scale: true,
      nameTextStyle: { fontSize: 13, color: INK }, axisLabel: { fontSize: 12, color: INK, formatter: log ? logTick : tick, hideOverlap: true },
      axisLine: { show: true, onZero: false, lineStyle: { color: '#8a929c' } }, axisTick: { show: true, lineStyle: { color: '#8a929c' } },
      splitLine: { lineStyle: { color: '#eceff2' } }, splitNumber: lower ? 8 : 6 };
    if (log && values.length) {
      var low = values.reduce(function (x, y) { return Math.min(x, y); });
      var high = values.reduce(function (x, y) { return Math.max(x, y); });
      if (low === high) { low /= 2; high *= 2; }
      a.min = leadingDigit(low, Math.floor);
      a.max = leadingDigit(high, Math.ceil);
      var ticks = logTicks(a.min, a.max, 8);
      a.axisLabel.customValues = a.axisTick.customValues = a.splitLine.customValues = ticks;
    }
    return a;
  }
  function drawable(v, log) { return typeof v === 'number' && (!log || v > 0); }

  function lines(spec, width, height, exporting) {
    var option = base(spec, exporting), top = (exporting ? 34 : 0) + 16, many = spec.series.length > 1;
    var xs = [], ys = [], own = 0;
    var looks = spec.series.map(function (s) { return s.partner >= 0 ? -1 : own++; });
    option.series = spec.series.map(function (s, i) {
      var data = s.x.map(function (x, k) {
        if (drawable(x, spec.logX) && drawable(s.y[k], spec.logY)) {
          xs.push(x);
          ys.push(s.y[k]);
          return [x, s.y[k]];
        }
        return [drawable(x, spec.logX) ? x : '-', '-'];
      });
      // A curve that another is to be compared with lends it colour and symbol.
      var paired = s.partner >= 0, look = looks[paired ? s.partner : i], symbol = SYMBOLS[look % SYMBOLS.length];
      if (paired && symbol.indexOf('empty') !== 0) { symbol = 'empty' + symbol.charAt(0).toUpperCase() + symbol.slice(1); }
      return { type: 'line', name: s.name, data: data, symbol: symbol, symbolSize: 6,
        showSymbol: s.x.length <= 60, lineStyle: { width: 2, type: paired || look >= LINES.length ? 'dashed' : 'solid' },
        color: LINES[look % LINES.length], emphasis: { focus: many ? 'series' : 'none' } };
    });
    if (many) {
      // Names wrap into as many lines as the width asks for; the drawing starts below them.
      var used = 0, rowsOfNames = 1;
      var names = spec.series.map(function (s) { return shorten(s.name, 40); });
      names.forEach(function (name) {
        var w = textWidth(name, 13) + 48;
        if (used + w > width - 80 && used > 0) { rowsOfNames++; used = 0; }
        used += w;
      });
      option.legend = { top: top - 12, left: 60, right: 20, itemWidth: 24, itemGap: 12, type: rowsOfNames > 5 ? 'scroll' : 'plain',
        textStyle: { fontSize: 13, color: INK }, formatter: function (name) { return shorten(name, 40); } };
      top += 6 + (rowsOfNames > 5 ? 26 : 26 * rowsOfNames);
    }
    option.grid = { left: leftMargin(ys, spec.logY), right: 36, top: top, bottom: 48, outerBoundsMode: 'none' };
    option.xAxis = axis(spec.xName, spec.logX, xs, true);
    option.yAxis = axis(spec.yName, spec.logY, ys, false);
    // Whole and half steps are counted, nothing lies between them.
    var step = [1, 0.5].find(function (u) { return xs.every(function (x) { return Number.isInteger(x / u); }); });
    if (step && !spec.logX) { option.xAxis.minInterval = step; }
    option.tooltip.formatter = function (p) {
      return tooltip([p.seriesName, spec.xName + ': ' + format(p.value[0], 4), spec.yName + ': ' + format(p.value[1], 4)]);
    };
    return option;
  }

  function scatter(spec, width, height, exporting) {
    var option = base(spec, exporting), top = (exporting ? 34 : 0) + 16, data = [], xs = [], ys = [];
    spec.x.forEach(function (x, i) {
      if (drawable(x) && drawable(spec.y[i])) {
        data.push({ value: [x, spec.y[i]], index: i });
        xs.push(x);
        ys.push(spec.y[i]);
      }
    });
    option.grid = { left: leftMargin(ys, false), right: 36, top: top, bottom: 48, outerBoundsMode: 'none' };
    option.xAxis = axis(spec.xName, false, xs, true);
    option.yAxis = axis(spec.yName, false, ys, false);
    option.series = [];
    if (spec.identityLine) {
      var side = Math.max(60, Math.min(width - option.grid.left - 36, height - top - 48)), all = xs.concat(ys);
      var low = all.reduce(function (a, b) { return Math.min(a, b); }, all.length ? Infinity : 0);
      var high = all.reduce(function (a, b) { return Math.max(a, b); }, all.length ? -Infinity : 1);
      var margin = (high - low || Math.abs(low) || 1) * 0.05;
      // Round the ends outward, so that the axes end on ticks.
      var rough = (high - low + 2 * margin) / 9, unit = Math.pow(10, Math.floor(Math.log10(rough)));
      var step = unit * [1, 2, 5, 10].find(function (m) { return m * unit >= rough * 0.999; });
      low = Math.floor((low - margin) / step) * step;
      high = Math.ceil((high + margin) / step) * step;
      delete option.grid.right;
      option.grid.width = option.grid.height = side;
      [option.xAxis, option.yAxis].forEach(function (a) { a.min = low; a.max = high; a.interval = step; });
      option.series.push({ type: 'line', data: [[low, low], [high, high]], symbol: 'none', silent: true, tooltip: { show: false },
        lineStyle: { color: '#8a929c', width: 1, type: 'dashed' }, z: 1 });
    }
    option.series.push({ type: 'scatter', data: data, symbolSize: data.length > 500 ? 5 : 8,
      itemStyle: { color: LINES[0], opacity: data.length > 100 ? 0.5 : 0.75 }, emphasis: { itemStyle: { opacity: 1, borderColor: INK, borderWidth: 1.5 } } });
    option.tooltip.formatter = function (p) {
      var label = spec.labels[p.data.index], text = [spec.xName + ': ' + format(p.value[0], 4), spec.yName + ': ' + format(p.value[1], 4)];
      return tooltip(label ? [label].concat(text) : text);
    };
    return option;
  }

  var responses = responseMaps({ heatmap: heatmap, base: base, tooltip: tooltip, format: format, ink: INK, muted: MUTED, font: FONT });
  var DRAW = { heatmap: heatmap, lines: lines, scatter: scatter, response: responses.draw };

  function save(url, name) {
    var link = document.createElement('a');
    link.href = url;
    link.download = name;
    document.body.appendChild(link);
    link.click();
    link.remove();
  }
  // A saved image is drawn afresh, with its title and a white ground, at the size it has on the page.
  function image(spec, width, height, type) {
    var vector = type === 'svg', size = { renderer: vector ? 'svg' : 'canvas', ssr: vector, width: width, height: height + 34 };
    var chart = echarts.init(vector ? null : document.createElement('div'), null, size);
    chart.setOption(DRAW[spec.kind](spec, width, height + 34, true));
    var url = vector ? 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(chart.renderToSVGString())
      : chart.getDataURL({ type: 'png', pixelRatio: 2, backgroundColor: '#ffffff' });
    chart.dispose();
    return url;
  }

  Array.prototype.forEach.call(document.querySelectorAll('figure.chart'), function (figure) {
    var spec = JSON.parse(document.getElementById(figure.id + '-data').textContent);
    var plot = figure.querySelector('.plot'), tools = figure.querySelector('.tools');
    // Many cells that are drawn again with every selection are too slow as elements of their own.
    var many = spec.kind === 'response' && spec.rows.length * spec.columns.length > 300;
    var chart = echarts.init(plot, null, { renderer: many ? 'canvas' : 'svg' }), drawn = 0;
    function draw() {
      var width = plot.clientWidth, height = plot.clientHeight;
      if (!width || width === drawn || (window.matchMedia && window.matchMedia('print').matches)) { return; }
      drawn = width;
      if (spec.kind === 'response') { height = responses.fit(plot, width); }
      chart.resize({ width: width, height: height });
      // Replacing the option would keep the texts of cells that have become too small for them.
      chart.clear();
      chart.setOption(DRAW[spec.kind](spec, width, height, false));
      var svg = plot.querySelector('svg');
      // Lets print scale the drawing to the paper.
      if (svg) { svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height); }
    }
    draw();
    if (spec.kind === 'response') { responses.attach(figure, spec, chart, function () { drawn = 0; draw(); }); }
    if (window.ResizeObserver) { new ResizeObserver(draw).observe(plot); } else { window.addEventListener('resize', draw); }
    ['png', 'svg'].forEach(function (type) {
      var button = document.createElement('button');
      button.type = 'button';
      button.textContent = type.toUpperCase();
      button.title = 'Save ' + figure.id.replace('-', ' ') + ' as ' + type.toUpperCase();
      button.setAttribute('aria-label', button.title);
      button.addEventListener('click', function () {
        var width = plot.clientWidth, height = plot.clientHeight;
        save(image(spec, spec.identityLine ? Math.min(width, height + 72) : width, height, type), figure.id + '.' + type);
      });
      tools.appendChild(button);
    });
  });
})();
