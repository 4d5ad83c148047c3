// What stands beside the picture of every figure: buttons that change or save it, and its numbers as a table.
function figureTools(data) {
  'use strict';

  // A table of more cells than that would hold up the browser; the file has them all.
  var MOST_CELLS = 200000;
  var element = data.element;

  function button(node, name, title, pressed) {
    var made = element('button', name, node.querySelector('.tools'));
    made.type = 'button';
    made.title = title;
    made.addEventListener('click', pressed);
    return made;
  }
  // A button that saves a file: name() is what it is called, without its ending, make() gives the address of its content.
  function file(node, type, name, make) {
    var title = 'Save ' + node.id.replace('-', ' ') + ' as ' + type.toUpperCase();
    button(node, type.toUpperCase(), title, function () {
      var link = document.createElement('a');
      link.href = make();
      link.download = name() + '.' + type;
      document.body.appendChild(link);
      link.click();
      link.remove();
      if (/^blob:/.test(link.href)) { setTimeout(function () { URL.revokeObjectURL(link.href); }, 10000); }
    }).setAttribute('aria-label', title);
  }
  function csv(node, spec, name) {
    file(node, 'csv', name, function () { return URL.createObjectURL(new Blob([data.csv(spec)], { type: 'text/csv' })); });
  }
  // The table is made when it is opened: most are not. Returns what fills it anew once the figure shows something else.
  function numbers(node, spec, summary, cells) {
    if (cells > MOST_CELLS) { return function () {}; }
    var details = element('details', '', node);
    details.className = 'numbers';
    element('summary', summary, details);
    var scroll = element('div', '', details);
    scroll.className = 'scroll';
    scroll.tabIndex = 0;
    var table = element('table', '', scroll);
    function refill() { if (details.open) { data.fill(table, spec); } }
    details.addEventListener('toggle', refill);
    return refill;
  }

  return { button: button, file: file, csv: csv, numbers: numbers };
}
