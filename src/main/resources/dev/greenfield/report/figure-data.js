// The numbers behind a figure: as rows, which become the table below it and a file of comma-separated values.
function figureData(text, responses) {
  'use strict';

  function matrix(corner, rows, columns, values) {
    return { head: [corner].concat(columns), upward: true,
      rows: values.map(function (row, r) { return [rows[r]].concat(row); }) };
  }
  // Curves over the same abscissae beside each other, others one below the other.
  function curves(spec) {
    var first = spec.series[0], together = spec.series.every(function (s) { return String(s.x) === String(first.x); });
    if (first && together) {
      return { head: [spec.xName].concat(spec.series.map(function (s) { return s.name; })),
        rows: first.x.map(function (x, i) { return [x].concat(spec.series.map(function (s) { return s.y[i]; })); }) };
    }
    var rows = [];
    spec.series.forEach(function (s) { s.x.forEach(function (x, i) { rows.push([s.name, x, s.y[i]]); }); });
    return { head: ['curve', spec.xName, spec.yName], rows: rows };
  }
  function points(spec) {
    var labelled = spec.labels.length > 0;
    return { head: (labelled ? ['point'] : []).concat([spec.xName, spec.yName]),
      rows: spec.x.map(function (x, i) { return (labelled ? [spec.labels[i]] : []).concat([x, spec.y[i]]); }) };
  }
  // A word a row, with the lines that are said of it.
  function words(spec) {
    var rows = [], most = 0;
    spec.values.forEach(function (values, r) {
      values.forEach(function (v, c) {
        if (v === null) { return; }
        rows.push([spec.rows[r], spec.columns[c], spec.words[r][c], v].concat(spec.details[r][c]));
        most = Math.max(most, spec.details[r][c].length);
      });
    });
    var head = ['depth', 'token', 'text', spec.valueName], i;
    for (i = 1; i <= most; i++) { head.push('detail ' + i); }
    return { head: head, rows: rows };
  }
  // Head and rows; of a response map those of the selected source, of attention those of the selected head. Rows of maps that grow upward come in the order of their numbers.
  function of(spec) {
    if (spec.kind === 'lines') { return curves(spec); }
    if (spec.kind === 'scatter') { return points(spec); }
    if (spec.kind === 'words') { return words(spec); }
    if (spec.kind === 'heads') {
      return { head: ['query'].concat(spec.tokens), rows: spec.tokens.map(function (token, i) { return [token].concat(spec.probabilities(i)); }) };
    }
    if (spec.kind === 'response' && !spec.selected) { return { head: [spec.valueName], rows: [] }; }
    return matrix(spec.valueName, spec.rows, spec.columns, spec.kind === 'response' ? responses.response(spec) : spec.values);
  }

  function element(name, content, parent) {
    var made = document.createElement(name);
    made.textContent = content;
    if (parent) { parent.appendChild(made); }
    return made;
  }
  // Fills a table, levels upward as in the picture.
  function fill(table, spec) {
    var data = of(spec), head = element('tr', '', element('thead', ''));
    table.textContent = '';
    table.appendChild(head.parentNode);
    data.head.forEach(function (label, i) {
      var cell = element('th', label, head);
      cell.scope = 'col';
      if (i > 0) { cell.className = 'number'; }
    });
    var body = element('tbody', '', table), rows = data.upward ? data.rows.slice().reverse() : data.rows;
    rows.forEach(function (values) {
      var row = element('tr', '', body);
      values.forEach(function (v, i) {
        var named = typeof v === 'string' && !/^-?Infinity$/.test(v);
        var cell = element(i === 0 && named ? 'th' : 'td', named ? v : text.cell(v), row);
        if (i === 0 && named) { cell.scope = 'row'; } else if (!named) { cell.className = 'number'; }
      });
    });
  }

  // RFC 4180. A text that begins as a formula does gets an apostrophe first: spreadsheets would compute it.
  function quoted(value) {
    if (value === null || value === undefined) { return ''; }
    var shown = typeof value === 'string' && /^[=+\-@]/.test(value) && !/^-?Infinity$/.test(value) ? "'" + value : String(value);
    return /[",\r\n]/.test(shown) ? '"' + shown.replace(/"/g, '""') + '"' : shown;
  }
  function csv(spec) {
    var data = of(spec);
    return [data.head].concat(data.rows).map(function (row) { return row.map(quoted).join(',') + '\r\n'; }).join('');
  }

  return { fill: fill, csv: csv, element: element };
}
