// The console: queue that never jumps under the pointer, clocks, sounds, keys, alarms without a case, and a lost connection that is loud.
(function () {
  "use strict";
  var $ = function (s, r) { return (r || document).querySelector(s); };
  var all = function (s, r) { return Array.prototype.slice.call((r || document).querySelectorAll(s)); };
  var say = $("#say"), queue = $("#queue"), pane = $("#queue-pane"), raw = $("#raw"), bar = $("#newbar"), sounds = window.deskSounds;
  if (!say || !queue) { return; }
  var kinds = JSON.parse($("#kinds").textContent), skew = 0, waiting = null, timer = null, busy = false, again = false;
  var down = 0, noCases = 0, out = false, failed = 0;
  function now() { return Date.now() + skew; }
  function setSkew(root) { var at = $("[data-server-now]", root) || root; if (at && at.getAttribute("data-server-now")) { skew = Number(at.getAttribute("data-server-now")) - Date.now(); } }
  setSkew(say);

  // ---- clocks
  function two(n) { return (n < 10 ? "0" : "") + n; }
  function clock(ms) { var s = Math.max(0, Math.floor(ms / 1000)); return s < 5400 ? two(Math.floor(s / 60)) + ":" + two(s % 60) : Math.floor(s / 3600) + ":" + two(Math.floor(s % 3600 / 60)) + ":" + two(s % 60); }
  function tick() {
    var t = now();
    all("[data-clock]").forEach(function (e) {
      var passed = t - Number(e.getAttribute("data-clock"));
      if (passed < 172800000) { e.textContent = clock(passed); }
      if (e.hasAttribute("data-hot")) { e.classList.toggle("timer--30", passed >= 30000 && passed < 60000); e.classList.toggle("timer--60", passed >= 60000); }
    });
    all("[data-due]").forEach(function (e) {
      var left = Number(e.getAttribute("data-due")) - t;
      e.textContent = (left < 0 ? (e.getAttribute("data-late") || "") + " +" : "") + clock(Math.abs(left)); e.classList.toggle("bad", left < 0);
    });
    all("[data-mute]").forEach(function (b) { var m = sounds.muted(); b.setAttribute("aria-pressed", String(m > 0)); b.classList.toggle("desk__muted", m > 0); b.setAttribute("data-left", m || ""); });
    loud();
  }
  setInterval(tick, 1000);

  // ---- what sounds: the gravest case that nobody has, an alarm without a case, a connection that is lost
  function ring() {
    var grave = 0;
    all("[data-ring]", queue).forEach(function (r) { var n = Number(r.getAttribute("data-ring")); if (n && (!grave || n < grave)) { grave = n; } });
    if (raw.children.length) { grave = 1; }
    if (waiting) { waiting.rings.forEach(function (n) { if (n && (!grave || n < grave)) { grave = n; } }); }
    sounds.ring(grave);
    document.title = document.title.replace(/^\(\d+\) /, "");
    var n = all("[data-waits]", queue).length + raw.children.length;
    if (n) { document.title = "(" + n + ") " + document.title; }
  }
  function unlocked() { $("#say-mute").hidden = sounds.ready(); }
  document.addEventListener("desk:sound", unlocked);
  ["click", "keydown"].forEach(function (k) { document.addEventListener(k, function () { if (!sounds.ready()) { sounds.unlock(); } }); });
  sounds.unlock(); setTimeout(unlocked, 400);

  // ---- a lost connection
  function loud() {
    var t = Date.now(), off = down && t - down >= 5000, none = noCases > 0;
    $("#say-off").hidden = !off; $("#say-db").hidden = !(none && !off); $("#say-out").hidden = !out;
    if (off) { words($("#say-off"), t - down); }
    if (none) { words($("#say-db"), t - noCases); }
    sounds.lost(!!(off || none || out));
    pane.classList.toggle("desk--stale", !!(off || none || out));
  }
  function words(banner, ms) { var b = $("b", banner); b.textContent = b.getAttribute("data-words").replace("{n}", Math.round(ms / 1000)); }
  document.body.addEventListener("ui:connection", function (e) {
    if (e.detail.up) { if (down) { down = 0; renew(); } } else if (!down) { down = Date.now(); }
    loud();
  });
  window.addEventListener("offline", function () { if (!down) { down = Date.now() - 5000; } loud(); });
  window.addEventListener("online", function () { renew(); });

  // ---- the queue
  function renew() { if (busy) { again = true; return; } clearTimeout(timer); timer = setTimeout(load, 30); }
  function load() {
    busy = true; again = false;
    fetch(queue.getAttribute("data-url"), { credentials: "same-origin", headers: { "HX-Request": "true" } })
      .then(function (r) { if (!r.ok && r.status !== 403) { throw new Error(String(r.status)); } return r.text(); })
      .then(function (html) {
        var made = document.createElement("div"); made.innerHTML = html;
        if (!$("[data-queue]", made)) { out = true; loud(); return; }
        out = false; failed = 0; setSkew(made); take(made);
      })
      .catch(function () { failed += 1; if (!down && failed > 1 && !noCases) { noCases = Date.now(); } })
      .then(function () { busy = false; loud(); if (again) { renew(); } });
  }
  function ids(root) { return all("[data-case]", root).map(function (r) { return r.getAttribute("data-case"); }); }
  function take(made) {
    if (noCases && !degraded) { noCases = 0; }
    var had = ids(queue), fresh = ids(made).filter(function (i) { return had.indexOf(i) < 0; });
    matched(made);
    if (pane.matches(":hover") && pane.getAttribute("data-held") !== "no" && ids(made).join() !== had.join()) { // never under the pointer
      waiting = { made: made, fresh: fresh, rings: all("[data-ring]", made).map(function (r) { return Number(r.getAttribute("data-ring")); }) };
      bar.textContent = fresh.length ? bar.getAttribute("data-words").replace("{n}", fresh.length) : bar.getAttribute("data-more");
      bar.hidden = false; ring(); return;
    }
    show(made);
  }
  function show(made) {
    var at = $("[data-row].at", queue), where = at && at.getAttribute("data-case"), open = openCase();
    waiting = null; bar.hidden = true;
    queue.replaceChildren.apply(queue, Array.prototype.slice.call(made.childNodes));
    if (where && (at = $('[data-case="' + where + '"]', queue))) { at.classList.add("at"); }
    mark(open); if (window.htmx) { htmx.process(queue); } ring(); tick();
  }
  pane.addEventListener("mouseleave", function () { if (waiting) { show(waiting.made); } });
  bar.addEventListener("click", function () { if (waiting) { show(waiting.made); } });
  setInterval(renew, 20000); // whatever happened to the live push

  // ---- alarms heard past the database
  var degraded = false, done = {}, announced = [];
  function heard(p, at) {
    if (done[p.entry] || $('[data-entry="' + p.entry + '"]', raw) || hasCase(p.device, p.person, at * 1000)) { return; }
    var li = $("#t-raw").content.firstElementChild.cloneNode(true);
    li.setAttribute("data-entry", p.entry); li.setAttribute("data-device", p.device); li.setAttribute("data-person", p.person || ""); li.setAttribute("data-at", Math.floor(at * 1000));
    $("[data-kind]", li).textContent = kinds[p.kind] || p.kind; $("[data-name]", li).textContent = p.name || "—";
    $("[data-number]", li).textContent = p.number; $("[data-room]", li).textContent = p.room ? " · " + p.room : "";
    $("[data-since]", li).setAttribute("data-clock", Math.round(p.received * 1000)); $("[data-since]", li).setAttribute("data-hot", "");
    raw.appendChild(li); ring(); tick();
  }
  function hasCase(device, person, at) {
    return announced.some(function (a) { return (a[0] === device || (person && a[1] === person)) && a[2] <= at && at <= a[3]; });
  }
  // the case is there, also when it was closed meanwhile: the row that announced it goes
  function matched(made) {
    announced = JSON.parse($("[data-announced]", made).getAttribute("data-announced"));
    all("[data-entry]", raw).forEach(function (li) {
      if (hasCase(Number(li.getAttribute("data-device")), Number(li.getAttribute("data-person")), Number(li.getAttribute("data-at")))) { gone(li); }
    });
  }
  function gone(li) { done[li.getAttribute("data-entry")] = true; li.remove(); }
  raw.addEventListener("click", function (e) { if (e.target.closest("[data-seen]")) { gone(e.target.closest("[data-entry]")); ring(); } });

  // ---- live
  var soon = null;
  document.body.addEventListener("ui:live", function (e) {
    var name = e.detail.name, p = e.detail.data.payload || {};
    if (name === "signals.alarm") { heard(p, e.detail.data.at); return; }
    if (name === "live.degraded") { degraded = true; if (!noCases) { noCases = Date.now(); } loud(); return; }
    if (name === "live.recovered") { degraded = false; noCases = 0; loud(); renew(); return; }
    if (name === "reset" || name.indexOf("emergencies.") === 0) {
      renew();
      if (name === "reset" || String(p.incident) === openCase()) { clearTimeout(soon); soon = setTimeout(news, 60); }
    }
  });
  document.body.addEventListener("desk:changed", renew);

  // ---- the open case
  function openCase() { var c = $("[data-open-case]"); return c ? c.getAttribute("data-open-case") : ""; }
  function mark(open) { all("[data-case]", queue).forEach(function (r) { if (r.getAttribute("data-case") === open) { r.setAttribute("aria-current", "true"); } else { r.removeAttribute("aria-current"); } }); }
  function news() {
    var c = $("[data-open-case]"); if (!c || !window.htmx) { return; }
    var before = $("#case-state") && $("#case-state").getAttribute("data-state");
    htmx.ajax("GET", c.getAttribute("data-news"), { target: "#case", swap: "none" }).then(function () {
      var after = $("#case-state") && $("#case-state").getAttribute("data-state");
      // forms come and go with the state; what is being written stays
      if (before !== after && !/^(TEXTAREA|INPUT|SELECT)$/.test(document.activeElement.tagName)) { htmx.ajax("GET", c.getAttribute("data-news").replace(/news\/$/, ""), { target: "#case", swap: "innerHTML" }); }
      tick();
    });
  }
  document.addEventListener("htmx:afterSettle", function (e) {
    if (e.detail.target && e.detail.target.id === "case") { mark(openCase()); window.deskMap(); tick(); document.getElementById("console").classList.toggle("console--open", !!openCase()); }
  });
  document.getElementById("console").classList.toggle("console--open", !!openCase());

  // ---- clicks and keys
  document.addEventListener("click", function (e) {
    var t = e.target.closest ? e.target : e.target.parentElement;
    if (t.closest("[data-mute]")) { sounds.mute(); tick(); }
    if (t.closest("[data-sound]")) { sounds.unlock(); }
    if (t.closest("[data-again]")) { location.reload(); }
  });
  function press(selector, root) { var b = $(selector, root); if (b) { b.click(); return true; } return false; }
  document.addEventListener("keydown", function (e) {
    var t = e.target, typing = t.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(t.tagName) && !/^(checkbox|radio|button|submit)$/.test(t.type);
    if (typing || e.ctrlKey || e.metaKey || e.altKey || e.repeat || $("#dialog").open) { return; }
    var key = e.key.toLowerCase(), done = true;
    if (key === "a") { if (waiting) { show(waiting.made); } done = press("[data-row].at [data-claim]", queue) || press("#case-state form[action$='/claim/'] button") || press("[data-claim]", queue); }
    else if (key === "v") { done = press("[data-verify]"); }
    else if (key === "d") { done = press("[data-offer]"); }
    else if (key === "n") { var n = $("#note"); if (n) { n.focus(); } else { done = false; } }
    else if (key === "m") { sounds.mute(); tick(); }
    else if (/^[1-9]$/.test(key)) { var r = $('[data-key="' + key + '"]'); if (r) { r.checked = true; r.focus(); } else { done = false; } }
    else { done = false; }
    if (done) { e.preventDefault(); }
  });

  matched(queue); mark(openCase()); window.deskMap(); ring(); tick();
})();
