// Says below a grid of words what else is read in the cell under the pointer, or in the one that was chosen.
(function () {
  'use strict';

  Array.prototype.forEach.call(document.querySelectorAll('figure.words'), function (figure) {
    var box = figure.querySelector('.grid-box'), detail = figure.querySelector('.grid-detail'), chosen = null;
    function cellOf(target) { return target.closest ? target.closest('td[title]') : null; }
    function say(cell) { if (cell) { detail.textContent = cell.title; } }
    function choose(cell) {
      if (!cell) { return; }
      if (chosen) { chosen.classList.remove('shown'); }
      chosen = cell;
      cell.classList.add('shown');
      say(cell);
    }
    box.addEventListener('mouseover', function (event) { say(cellOf(event.target)); });
    box.addEventListener('mouseleave', function () { say(chosen); });
    box.addEventListener('click', function (event) { choose(cellOf(event.target)); });
    box.addEventListener('keydown', function (event) {
      var step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!step) { return; }
      event.preventDefault();
      var row = chosen ? chosen.parentNode : box.querySelector('tbody tr');
      var at = chosen ? Array.prototype.indexOf.call(row.cells, chosen) : 0;
      var rows = row.parentNode.rows, index = Array.prototype.indexOf.call(rows, row);
      var next = rows[index + (chosen ? step[0] : 0)], cell = next && next.cells[chosen ? at + step[1] : 1];
      if (cell && cell.title) { choose(cell); cell.scrollIntoView({ block: 'nearest', inline: 'nearest' }); }
    });
  });
})();
