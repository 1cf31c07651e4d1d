// Clocks of the supervisor's page and the wallboard, and how fresh they are.
(function () {
  "use strict";
  var $ = function (s, r) { return (r || document).querySelector(s); };
  var all = function (s) { return Array.prototype.slice.call(document.querySelectorAll(s)); };
  var skew = 0, fresh = Date.now(), up = $("#wall-up"), down = $("#wall-down"), time = $("[data-now]");
  function two(n) { return (n < 10 ? "0" : "") + n; }
  function read() { var e = $("#watching [data-server-now]") || $("#watching"); if (e) { skew = Number(e.getAttribute("data-server-now")) - Date.now(); } }
  function tick() {
    var t = Date.now() + skew;
    all("[data-clock]").forEach(function (e) {
      var s = Math.max(0, Math.floor((t - Number(e.getAttribute("data-clock"))) / 1000));
      if (s < 172800) { e.textContent = s < 5400 ? two(Math.floor(s / 60)) + ":" + two(s % 60) : Math.floor(s / 3600) + ":" + two(Math.floor(s % 3600 / 60)) + ":" + two(s % 60); }
    });
    if (time) { time.textContent = new Date(t + 288e5).toISOString().slice(0, 19).replace("T", " "); } // the clock of Shanghai, wherever the screen thinks it is
    if (down) { var late = Date.now() - fresh > 60000; down.hidden = !late; up.hidden = late; }
  }
  document.addEventListener("htmx:afterSwap", function (e) { if (e.detail.target && e.detail.target.id === "watching") { fresh = Date.now(); read(); tick(); } });
  read(); tick(); setInterval(tick, 1000);
})();
