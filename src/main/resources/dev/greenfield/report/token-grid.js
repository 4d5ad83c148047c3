// Works a grid of words: says below it what else is read in the cell under the pointer, or in the one that was chosen.
function tokenGrids(steps, tools, address) {
  'use strict';

  function figureOf(node, spec) {
    var box = node.querySelector('.grid-box'), detail = node.querySelector('.grid-detail'), hint = detail.textContent, chosen = null;
    var rows = Array.prototype.slice.call(box.querySelectorAll('tbody tr')).reverse();

    // The cell of a row, counted from the bottom, and a column; null where none is or nothing is read.
    function at(row, column) {
      var cell = column >= 0 && rows[row] ? rows[row].cells[column + 1] : null;
      return cell && cell.title ? cell : null;
    }
    function placeOf(cell) { return [rows.indexOf(cell.parentNode), cell.cellIndex - 1]; }
    function under(event) { return event.target.closest('td[title]'); }
    // In one line where there is room: what is below stays where it is while the pointer moves.
    function say(cell) { detail.textContent = cell ? cell.title.replace('\n', ': ').replace(/\n/g, ' | ').replace(/ {2}/g, '\u00a0\u00a0') : hint; }
    function choose(cell) {
      if (chosen) { chosen.classList.remove('shown'); }
      chosen = cell;
      if (cell) { cell.classList.add('shown'); }
      say(cell);
    }
    // Scrolls the grid alone, where a cell is not in sight beside the names of the rows and below those of the columns.
    function reveal(cell) {
      var corner = box.querySelector('thead td'), left = cell.offsetLeft - box.scrollLeft, top = cell.offsetTop - box.scrollTop;
      if (left < corner.offsetWidth || left + cell.offsetWidth > box.clientWidth) { box.scrollLeft = cell.offsetLeft - box.clientWidth / 2; }
      if (top < corner.offsetHeight || top + cell.offsetHeight > box.clientHeight) { box.scrollTop = cell.offsetTop - box.clientHeight / 2; }
    }
    // The lines that the table says of a cell, after the one that names it.
    spec.details = spec.values.map(function (row, r) {
      return row.map(function (v, c) { return at(r, c) ? at(r, c).title.split('\n').slice(1) : []; });
    });

    function work() {
      box.addEventListener('mouseover', function (event) { if (under(event)) { say(under(event)); } });
      box.addEventListener('mouseleave', function () { say(chosen); });
      box.addEventListener('click', function (event) {
        var cell = under(event);
        if (!cell) { return; }
        choose(cell === chosen ? null : cell);
        address.store();
      });
      box.addEventListener('keydown', function (event) {
        var step = steps[event.key];
        if (!step || event.ctrlKey || event.metaKey || event.altKey) { return; }
        event.preventDefault();
        var place = chosen ? placeOf(chosen) : null;
        var cell = place ? at(place[0] + step[0], place[1] + step[1]) : at(rows.length - 1, 0) || box.querySelector('td[title]');
        if (!cell) { return; }
        choose(cell);
        reveal(cell);
        address.store();
      });
      address.add(node.id, {
        state: function () { return { cell: chosen ? placeOf(chosen).join(',') : null }; },
        take: function (key, value) {
          var place = /^(\d+),(\d+)$/.exec(value), cell = key === 'cell' && place ? at(Number(place[1]), Number(place[2])) : null;
          if (!cell) { return; }
          choose(cell);
          reveal(cell);
        }
      });
      var widest = spec.details.reduce(function (most, row) { return Math.max(most, row.length ? row[0].length : 0); }, 0);
      tools.numbers(node, spec, 'The figure as numbers', spec.rows.length * spec.columns.length * (4 + widest));
      tools.csv(node, spec, function () { return spec.file; });
    }
    return { work: work, draw: function () {} };
  }

  return { figureOf: figureOf };
}
