// How numbers are written on a page and in its files, and where the ticks of axes and colour bars stand.
function numberTexts() {
  'use strict';

  var MINUS = '\u2212';
  var SUPERSCRIPT = { '-': '\u207b', 0: '\u2070', 1: '\u00b9', 2: '\u00b2', 3: '\u00b3', 4: '\u2074', 5: '\u2075', 6: '\u2076',
    7: '\u2077', 8: '\u2078', 9: '\u2079' };
  function power(exponent) {
    return '10' + String(exponent).split('').map(function (c) { return SUPERSCRIPT[c]; }).join('');
  }
  function signed(text) { return text.replace('-', MINUS); }

  // A value with so many significant digits; not a number is null, infinities are strings.
  function format(value, digits) {
    if (value === null || value === undefined) { return 'undefined'; }
    if (value === 'Infinity') { return '\u221e'; }
    if (value === '-Infinity') { return MINUS + '\u221e'; }
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
    return signed(text);
  }
  // A cell of a table.
  function cell(value) {
    if (value === null || value === undefined) { return ''; }
    return typeof value === 'string' ? value.replace('Infinity', '\u221e') : String(Number(value.toPrecision(7)));
  }

  function exponential(value) {
    if (value === 0) { return '0'; }
    var parts = Number(value.toPrecision(12)).toExponential().split('e');
    return signed((parts[0] === '1' ? '' : parts[0] + '\u00d7') + power(Number(parts[1])));
  }
  // Texts of ticks that stand beside each other: as many decimals as it takes to tell them apart, the same for all. Where that would be
  // more than eight digits, they count from the first of them, which is then the offset.
  function labels(ticks) {
    var largest = ticks.reduce(function (most, v) { return Math.max(most, Math.abs(v)); }, 0);
    var gap = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : largest;
    if (largest > 0 && ticks.length > 1 && largest / gap > 1e8) {
      return { offset: ticks[0], texts: ticks.map(function (v) { return exponential(Number((v - ticks[0]).toPrecision(3))); }) };
    }
    if (largest > 0 && (largest < 1e-3 || largest >= 1e5) && largest / gap < 1e4) {
      return { offset: 0, texts: ticks.map(exponential) };
    }
    var decimals = ticks.reduce(function (most, v) {
      var text = String(Number(v.toPrecision(12)));
      var parts = text.split('e'), own = (parts[0].split('.')[1] || '').length - Number(parts[1] || 0);
      return Math.max(most, own);
    }, 0);
    return { offset: 0, texts: ticks.map(function (v) {
      var text = v.toFixed(Math.min(16, Math.max(0, decimals)));
      return signed(Number(text) === 0 ? text.replace('-', '') : text);
    }) };
  }

  // The round step that cuts a length into no more than so many parts.
  function step(length, most) {
    var rough = length / most, unit = Math.pow(10, Math.floor(Math.log10(rough)));
    return unit * [1, 2, 5, 10].find(function (m) { return m * unit >= rough * 0.999; });
  }
  // Round numbers from low to high.
  function ticks(low, high, most) {
    var by = step(high - low, most), found = [], i;
    for (i = Math.ceil(low / by - 1e-6); i <= high / by + 1e-6; i++) { found.push(Number((i * by).toPrecision(14))); }
    return found;
  }
  // Powers of ten, no more than asked for; with 2 and 5 between them where the range holds few; round numbers where it holds none.
  function logTicks(low, high, most) {
    var first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9), found = [], i;
    var factors = last - first >= 2 ? [1] : [1, 2, 5], every = Math.max(1, Math.ceil((last - first + 1) / most));
    for (i = first - 1; i <= last; i += i < first ? 1 : every) {
      factors.forEach(function (factor) {
        var v = factor * Math.pow(10, i);
        if (v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9)) { found.push(v); }
      });
    }
    if (found.length < 2) { found = ticks(low, high, Math.min(most, 5)); }
    return found.length >= 2 ? found : [low, high];
  }
  // Texts of ticks on a logarithmic axis: powers where they are whole.
  function logLabels(found) {
    var wide = found.length > 1 && found[found.length - 1] / found[0] >= 3;
    return !wide ? labels(found) : { offset: 0, texts: found.map(function (v) {
      var exponent = Math.log10(v), whole = Math.round(exponent);
      if (Math.abs(exponent - whole) < 1e-9 && (whole < -2 || whole > 3)) { return power(whole); }
      return v >= 1e5 || v < 1e-3 ? exponential(v) : String(Number(v.toPrecision(12)));
    }) };
  }

  return { format: format, cell: cell, labels: labels, step: step, ticks: ticks, logTicks: logTicks, logLabels: logLabels };
}
