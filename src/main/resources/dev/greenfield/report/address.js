// What is selected in the figures, in the fragment of the page's address: #figure-1.source=2,3&figure-4.hidden=0. What is as the page
// opens is not written. A fragment that names a place alone, such as #figure-2, changes nothing.
function pageAddress() {
  'use strict';

  var figures = {};

  function pairs() {
    return location.hash.slice(1).split('&').map(function (pair) { return /^([\w-]+)\.(\w+)=(.*)$/.exec(pair); })
      .filter(function (match) { return match && figures[match[1]]; });
  }
  // Hands every figure what the address says of it.
  function restore() {
    var found = pairs();
    found.forEach(function (match) {
      var value = match[3];
      try { value = decodeURIComponent(value); } catch (malformed) { return; }
      figures[match[1]].take(match[2], value);
    });
    return found.length ? found[0][1] : null;
  }
  function store() {
    var all = [];
    Object.keys(figures).forEach(function (id) {
      var state = figures[id].state();
      Object.keys(state).forEach(function (key) {
        if (state[key] !== null) { all.push(id + '.' + key + '=' + encodeURIComponent(state[key]).replace(/%2C/g, ',')); }
      });
    });
    // The address is a means to share what is seen; a browser may refuse to change that of a local file.
    try {
      history.replaceState(null, '', all.length ? '#' + all.join('&') : location.pathname + location.search);
    } catch (refused) { return; }
  }
  // A figure that has something to select: state() gives texts by key, null for what is as at first; take(key, text) puts one back.
  function add(id, figure) { figures[id] = figure; }
  function start() {
    var first = restore();
    if (first) { document.getElementById(first).scrollIntoView(); }
    window.addEventListener('hashchange', restore);
  }

  return { add: add, store: store, start: start };
}
