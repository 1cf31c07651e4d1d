// What pages used without a network share: the store on the device, sending, the signature pad, pages kept beforehand.
// worker.js and assess.js say what is kept and when it goes out; offline-sw.js answers when there is no network.
window.sangyuOffline = (function () {
  "use strict";
  function csrf() { try { return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"]; } catch (e) { return ""; } }

  function uuid() {
    var b = crypto.getRandomValues(new Uint8Array(16)); b[6] = b[6] & 15 | 64; b[8] = b[8] & 63 | 128;
    var h = Array.prototype.map.call(b, function (x) { return (x + 256).toString(16).slice(1); }).join("");
    return [h.slice(0, 8), h.slice(8, 12), h.slice(12, 16), h.slice(16, 20), h.slice(20)].join("-");
  }

  // One table of records with the key "key" in a database of its own.
  function store(database, table, numbered) {
    function run(mode, act) {
      return new Promise(function (done, fail) {
        var r = indexedDB.open(database, 1);
        r.onupgradeneeded = function () { r.result.createObjectStore(table, { keyPath: "key", autoIncrement: Boolean(numbered) }); };
        r.onerror = function () { fail(r.error); };
        r.onsuccess = function () {
          var db = r.result, t = db.transaction(table, mode), q = act(t.objectStore(table));
          t.oncomplete = function () { db.close(); done(q && q.result); };
          t.onerror = t.onabort = function () { db.close(); fail(t.error); };
        };
      });
    }
    return {
      put: function (record) { return run("readwrite", function (s) { return s.put(record); }); },
      get: function (key) { return run("readonly", function (s) { return s.get(key); }); },
      drop: function (key) { return run("readwrite", function (s) { return s.delete(key); }); },
      all: function () { return run("readonly", function (s) { return s.getAll(); }).then(function (rows) { return rows || []; }); }
    };
  }

  // Posts fields ([name, value] or [name, file, file name]) and says what became of them: {how, said, answer} with how
  // "taken", "refused" (said: why), "signin", "busy" (the server) or "cut" (no network). A repeat changes nothing there.
  function post(url, fields) {
    var body = new FormData();
    fields.forEach(function (f) { if (f[2]) { body.append(f[0], f[1], f[2]); } else { body.append(f[0], f[1]); } });
    return fetch(url, { method: "POST", credentials: "same-origin", body: body, headers: { "X-CSRFToken": csrf(), "X-Queue": "1" } })
      .then(function (r) {
        if (r.redirected || r.status === 401 || r.status === 403 && r.headers.get("X-Refresh")) { return { how: "signin" }; }
        if (r.ok) { return { how: "taken", answer: r.headers }; }
        if (r.status >= 500 || r.status === 429 || r.status === 408) { return { how: "busy" }; }
        return { how: "refused", said: decodeURIComponent(r.headers.get("X-Message") || String(r.status)) };
      }, function () { return { how: "cut" }; });
  }

  // Makes the canvas a pad for a finger; ``changed`` gets the picture after each stroke and "" after clearing.
  function pad(canvas, clear, drawn, changed) {
    var pen = canvas.getContext("2d"), down = false;
    pen.lineWidth = 5; pen.lineCap = pen.lineJoin = "round"; pen.strokeStyle = "#111";
    if (drawn) { var image = new Image(); image.onload = function () { pen.drawImage(image, 0, 0); }; image.src = drawn; }
    function place(e) { var r = canvas.getBoundingClientRect(); return [(e.clientX - r.left) * canvas.width / r.width, (e.clientY - r.top) * canvas.height / r.height]; }
    canvas.addEventListener("pointerdown", function (e) { down = true; canvas.setPointerCapture(e.pointerId); var p = place(e); pen.beginPath(); pen.moveTo(p[0], p[1]); });
    canvas.addEventListener("pointermove", function (e) { if (down) { var p = place(e); pen.lineTo(p[0], p[1]); pen.stroke(); } });
    canvas.addEventListener("pointerup", function () { down = false; changed(canvas.toDataURL("image/png")); });
    clear.addEventListener("click", function () { pen.clearRect(0, 0, canvas.width, canvas.height); changed(""); });
  }

  // The service worker at ``sw``, and the pages at ``addresses`` with the files of this page fetched beforehand.
  // What is kept for somebody else under ``owner`` is thrown away first.
  function keep(sw, addresses, owner) {
    if (!navigator.serviceWorker || !window.caches) { return; }
    var last = localStorage.getItem("sangyu-kept-for"), gone = last && last !== owner ? caches.delete("worker-pages") : Promise.resolve();
    localStorage.setItem("sangyu-kept-for", owner);
    function fetched(cache, address) {
      return fetch(address, { credentials: "same-origin" }).then(function (r) { if (r.ok && !r.redirected) { return cache.put(address, r); } }).catch(function () {});
    }
    gone.then(function () { return navigator.serviceWorker.register(sw); })
      .then(function () { return Promise.all([caches.open("worker-pages"), caches.open("worker-files")]); })
      .then(function (c) {
        if (!navigator.onLine) { return; }
        [location.href].concat(addresses).forEach(function (address) { fetched(c[0], new URL(address, location.href).href); });
        performance.getEntriesByType("resource").forEach(function (e) { if (e.name.indexOf("/static/") > 0) { fetched(c[1], e.name.split("#")[0]); } });
      })
      .catch(function () { /* no shell: the queue works all the same */ });
  }

  return { uuid: uuid, store: store, post: post, pad: pad, keep: keep };
})();
