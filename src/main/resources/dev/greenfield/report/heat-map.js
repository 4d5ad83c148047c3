// Cells coloured by value, with a colour bar that has a true axis.
function heatMaps(theme, text) {
  'use strict';

  var LABEL_LIMIT = 18, FONT = theme.FONT;

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
  // White in the middle would glare on dark ground.
  function paletteOf(spec, size) { return size.theme.name === 'dark' && spec.darkPalette ? spec.darkPalette : spec.palette; }

  // The least and the largest value that has a place on the scale; nothing where none has.
  function ends(spec, grids) {
    var low = Infinity, high = -Infinity;
    grids.forEach(function (rows) {
      rows.forEach(function (row) {
        row.forEach(function (v) {
          if (typeof v === 'number' && (spec.scale !== 'log' || v > 0)) {
            low = Math.min(low, v);
            high = Math.max(high, v);
          }
        });
      });
    });
    return low <= high ? [low, high] : null;
  }
  // The ends of a map's scale, those of its own numbers or of the range that it shares, and the map from a value to [0, 1] on it.
  function scaleOf(spec) {
    var range = spec.range || ends(spec, [spec.values]);
    if (!range) { return null; }
    var low = range[0], high = range[1];
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

  // Neighbours must round the edge they share alike, in the middle between two pixels too.
  function edge(x) { return Math.round(x + 1e-6); }

  // How the labels of columns stand: level where they fit, slanted where they do not, upright where even slanted ones would touch.
  function columnLabels(labels, room) {
    var longest = theme.widest(labels, 12), rotate = longest + 8 <= Math.min(room, 110) ? 0 : room >= 20 ? 45 : 90;
    return { rotate: rotate, height: rotate === 0 ? 16 : rotate === 45 ? longest * 0.71 + 12 : longest + 4,
      // How far slanted ones reach out to the left of their columns.
      left: rotate !== 45 ? 0 : Math.ceil(labels.reduce(function (most, label, i) {
        return Math.max(most, theme.textWidth(label, 12) * 0.71 + 10 - (i + 0.5) * room);
      }, 0)) };
  }

  function draw(spec, size) {
    var rows = spec.rows, columns = spec.columns, R = rows.length, C = columns.length, look = size.theme;
    var option = theme.base(spec, size), scale = scaleOf(spec), palette = paletteOf(spec, size);
    if (!R || !C) {
      option.graphic = { type: 'text', left: 'center', top: 'middle', style: { text: 'no cells', fill: look.muted, font: '14px ' + FONT } };
      return option;
    }
    var rowLabels = rows.map(function (s) { return theme.shorten(s, LABEL_LIMIT); });
    var columnTexts = columns.map(function (s) { return theme.shorten(s, LABEL_LIMIT); });
    // The name of the values stands above the bar, over the whole width if need be.
    var top = (size.exporting ? 34 : 0) + (spec.valueName && scale ? 28 : 12);
    var bar = scale ? barOf(spec, scale, Math.max(30, size.height - top - 60)) : null;
    var right = bar ? 24 + bar.width : 16, left = Math.ceil(theme.widest(rowLabels, 12)) + 18;
    var across = columnLabels(columnTexts, (size.width - left - right) / C);
    left = Math.max(left, across.left);
    var bottom = 14 + across.height;
    var gridWidth = Math.max(20, Math.min(size.width - left - right, C * 110)), gridHeight = Math.max(10, size.height - top - bottom);
    var cellWidth = gridWidth / C, cellHeight = gridHeight / R, gap = cellWidth > 16 && cellHeight > 10 ? 1 : 0;
    var every = Math.max(1, Math.ceil(15 / cellWidth)), everyRow = Math.max(1, Math.ceil(14 / cellHeight));
    // On a linear scale all cells show the decimals that the largest asks for, so that small values look small.
    var largest = scale ? Math.max(Math.abs(scale.low), Math.abs(scale.high)) : 1;
    function cellText(v) {
      if (spec.scale === 'log' || largest < 1e-3 || largest >= 1e5) { return text.format(v, 2); }
      var shown = v.toFixed(Math.min(5, Math.max(0, 2 - Math.floor(Math.log10(largest)))));
      return Number(shown) === 0 ? shown.replace('-', '') : shown.replace('-', '\u2212');
    }
    // All cells carry their numbers or none does.
    var numbers = cellHeight >= 20 && R * C <= 400 && spec.values.every(function (row) {
      return row.every(function (v) { return typeof v !== 'number' || v === 0 || theme.textWidth(cellText(v), 11) + 4 <= cellWidth; });
    });
    var data = [], selected = spec.selected;
    function isSelected(cell) { return selected && cell[0] === selected[1] && cell[1] === selected[0]; }
    spec.values.forEach(function (row, r) { row.forEach(function (v, c) { if (v !== null) { data.push([c, r]); } }); });
    // Drawn last, so that no neighbour covers its outline.
    if (selected) { data = data.filter(function (cell) { return !isSelected(cell); }).concat(data.filter(isSelected)); }

    option.grid = [{ left: left, top: top, width: gridWidth, height: gridHeight, outerBoundsMode: 'none',
      show: true, borderColor: look.rule, borderWidth: 1, backgroundColor: 'transparent' }];
    option.xAxis = [{ type: 'category', data: columnTexts, axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false },
      axisLabel: { rotate: across.rotate, interval: function (i) { return across.rotate === 0 || i % every === 0; }, fontSize: 12, color: look.ink,
        margin: 8, hideOverlap: false } }];
    option.yAxis = [{ type: 'category', data: rowLabels, axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false },
      axisLabel: { interval: function (i) { return i % everyRow === 0; }, fontSize: 12, color: look.ink, margin: 8 } }];
    option.series = [{ type: 'custom', data: data, encode: { x: 0, y: 1 }, clip: true,
      // All cells at once: a picture is saved as soon as it is drawn.
      progressive: 0,
      renderItem: function (params, api) {
        var c = api.value(0), r = api.value(1), v = spec.values[r][c], at = api.coord([c, r]);
        var fill, shown = '', light = true;
        if (v === 0) { fill = look.zero; shown = '\u00b7'; light = look.name === 'light'; }
        else if (typeof v === 'string') { fill = look.infinite; shown = text.format(v); light = false; }
        else {
          var rgb = colourAt(palette, scale.fraction(v));
          fill = css(rgb); light = isLight(rgb); shown = numbers ? cellText(v) : '';
        }
        var fits = shown && theme.textWidth(shown, 11) + 4 <= cellWidth && cellHeight >= 11;
        var x = edge(at[0] - cellWidth / 2), y = edge(at[1] - cellHeight / 2), is = isSelected([c, r]);
        return { type: 'rect', z2: is ? 10 : 0,
          shape: { x: x, y: y, width: edge(at[0] + cellWidth / 2) - x - gap, height: edge(at[1] + cellHeight / 2) - y - gap },
          style: is ? { fill: fill, stroke: look.mark, lineWidth: 2.5 } : { fill: fill },
          emphasis: { style: { stroke: is ? look.mark : look.ink, lineWidth: is ? 2.5 : 1.5 } },
          textContent: fits ? { type: 'text', style: { text: shown, fill: light ? '#1c2024' : '#ffffff', font: '11px ' + FONT } } : undefined,
          textConfig: { position: 'inside' } };
      } }];
    option.tooltip.formatter = function (p) {
      if (p.seriesIndex !== 0) { return ''; }
      var c = p.value[0], r = p.value[1];
      return theme.tooltip([columns[c], rows[r], (spec.valueName ? spec.valueName + ': ' : '') + text.format(spec.values[r][c], 4)], look);
    };
    if (bar) { option.graphic = colourBar(bar, palette, size, left + gridWidth + 22, top, gridHeight); }
    return option;
  }

  // The ticks of a bar that may be so high, and how wide they make it.
  function barOf(spec, scale, height) {
    var log = spec.scale === 'log', most = Math.max(2, Math.min(7, Math.floor(height / 20)));
    var ticks = log ? text.logTicks(scale.low, scale.high, most) : text.ticks(scale.low, scale.high, Math.min(5, most));
    var labels = log ? text.logLabels(ticks) : text.labels(ticks);
    var name = spec.valueName || '';
    if (labels.offset) { name = (name + ' \u2212 ' + text.cell(labels.offset)).trim(); }
    return { scale: scale, ticks: ticks, texts: labels.texts, name: name, width: 24 + Math.ceil(theme.widest(labels.texts, 12)) };
  }
  // A bar with a true axis, drawn as a second small chart so that it is part of a saved image.
  function colourBar(bar, palette, size, left, top, height) {
    var barHeight = Math.max(30, Math.min(height, 260)), look = size.theme, last = Infinity;
    var children = [{ type: 'rect', shape: { x: 0, y: 0, width: 14, height: barHeight },
      style: { stroke: look.rule, lineWidth: 1, fill: { type: 'linear', x: 0, y: 1, x2: 0, y2: 0,
        colorStops: palette.map(function (colour, i) { return { offset: i / (palette.length - 1), color: colour }; }) } } }];
    bar.ticks.forEach(function (v, i) {
      var y = barHeight * (1 - bar.scale.fraction(v));
      if (last - y < 14) { return; }
      last = y;
      children.push({ type: 'line', shape: { x1: 14, y1: y, x2: 18, y2: y }, style: { stroke: look.muted } });
      // Texts at the very ends stay beside the bar.
      children.push({ type: 'text', x: 22, y: Math.min(barHeight - 6, Math.max(6, y)), style: { text: bar.texts[i], fill: look.ink,
        font: '12px ' + FONT, verticalAlign: 'middle' } });
    });
    if (bar.name) {
      children.push({ type: 'text', x: bar.width, y: -8, style: { text: theme.fitting(bar.name, 12, left + bar.width), fill: look.muted,
        font: '12px ' + FONT, align: 'right', verticalAlign: 'bottom' } });
    }
    return [{ type: 'group', x: left, y: top, silent: true, children: children }];
  }

  return { draw: draw, ends: ends };
}
