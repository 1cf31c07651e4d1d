// The assessment form: one part at a time, progress, signatures; answers stay on the device until the server has them.
// Without this file the form is one long page that works the same. See docs/rooms/assessments.md.
(function () {
  "use strict";
  var bar = document.getElementById("as-queue"), form = document.getElementById("as-form");
  if (!bar || !window.indexedDB) { return; }
  var $ = function (s, r) { return (r || document).querySelector(s); };
  var all = function (s, r) { return Array.prototype.slice.call((r || document).querySelectorAll(s)); };
  var word = function (k) { return bar.getAttribute("data-w-" + k) || k; }, account = bar.dataset.account, timer = 0;
  var csrf = function () { try { return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"]; } catch (e) { return ""; } };
  function uuid() {
    var b = crypto.getRandomValues(new Uint8Array(16)); b[6] = b[6] & 15 | 64; b[8] = b[8] & 63 | 128;
    var h = Array.prototype.map.call(b, function (x) { return (x + 256).toString(16).slice(1); }).join("");
    return [h.slice(0, 8), h.slice(8, 12), h.slice(12, 16), h.slice(16, 20), h.slice(20)].join("-");
  }
  function say(text, tone) { bar.hidden = !text; bar.textContent = text; bar.dataset.tone = tone || ""; }

  // ---- one draft an assessment and account: {key, account, url, fields, dirty}
  function store(mode, act) {
    return new Promise(function (done, fail) {
      var r = indexedDB.open("sangyu-assess", 1);
      r.onupgradeneeded = function () { r.result.createObjectStore("drafts", { keyPath: "key" }); };
      r.onerror = function () { fail(r.error); };
      r.onsuccess = function () {
        var db = r.result, t = db.transaction("drafts", mode), q = act(t.objectStore("drafts"));
        t.oncomplete = function () { db.close(); done(q && q.result); };
        t.onerror = t.onabort = function () { db.close(); fail(t.error); };
      };
    });
  }
  var put = function (d) { return store("readwrite", function (s) { return s.put(d); }); };
  var get = function (key) { return store("readonly", function (s) { return s.get(key); }); };
  var drop = function (key) { return store("readwrite", function (s) { return s.delete(key); }); };

  // ---- sending: the newest state of each draft; the same client_id twice is one version on the server
  function send(draft) {
    var body = new FormData();
    draft.fields.forEach(function (f) { body.append(f[0], f[1]); });
    return fetch(draft.url, { method: "POST", credentials: "same-origin", body: body, headers: { "X-CSRFToken": csrf(), "X-Queue": "1" } })
      .then(function (r) {
        if (r.redirected || r.status === 401 || r.status === 403) { say(word("signin")); return null; }
        if (r.ok) { return { version: r.headers.get("X-Version"), conflict: r.headers.get("X-Conflict") }; }
        if (r.status >= 500 || r.status === 429) { say(word("waiting")); return null; }
        return { problem: decodeURIComponent(r.headers.get("X-Message") || String(r.status)) };
      }, function () { say(word(navigator.onLine ? "waiting" : "offline")); return null; });
  }

  if (form) {
    var key = account + ":" + form.dataset.key, parts = all(".as-part", form), at = 0, sending = null, f = form.elements;
    var values = function () {
      var list = [];
      new FormData(form).forEach(function (v, k) { if (k !== "csrfmiddlewaretoken") { list.push([k, v]); } });
      return list;
    };
    var keep = function () {
      clearTimeout(timer);
      f.client_id.value = uuid(); f.entered_at.value = new Date().toISOString();
      return put({ key: key, account: account, url: form.getAttribute("action") || location.pathname, fields: values(), dirty: true, at: Date.now() });
    };
    var restore = function (draft) {
      all("input[type=radio],input[type=checkbox]", form).forEach(function (i) { i.checked = false; });
      draft.fields.forEach(function (p) {
        all("[name='" + p[0] + "']", form).forEach(function (e) {
          if (e.type === "radio" || e.type === "checkbox") { if (e.value === p[1]) { e.checked = true; } } else { e.value = p[1]; }
        });
      });
    };
    var push = function () {  // one at a time; what was typed meanwhile goes next
      if (sending) { return sending; }
      sending = get(key).then(function (draft) {
        if (!draft || !draft.dirty) { return null; }
        return send(draft).then(function (got) {
          sending = null;
          if (!got) { return null; }
          if (got.problem) { problem(got.problem); return null; }
          f.base.value = got.version;
          return get(key).then(function (now) {
            var same = now && now.at === draft.at;
            if (got.conflict) { return drop(key).then(function () { say(word("conflict")); location.href = form.dataset.choose; return null; }); }
            if (same) { return drop(key).then(function () { say(word("sent").replace("{n}", got.version), "ok"); return got; }); }
            now.fields.forEach(function (p) { if (p[0] === "base") { p[1] = got.version; } });
            return put(now).then(push);
          });
        });
      }).then(function (r) { sending = null; return r; }, function () { sending = null; return null; });
      return sending;
    };
    var problem = function (text) { var box = $("#as-problem"); $("[data-text]", box).textContent = text; box.hidden = !text; if (text) { box.focus(); } };
    var open = function (part) { return all(".as-item", part).filter(function (s) { var i = $("input[name^='a-']", s); return i && !$("input:checked", s); }); };
    var progress = function () {
      var left = 0;
      parts.forEach(function (p, i) {
        var n = open(p).length; left += n;
        var b = $("[data-steps]").children[i]; if (b && $("input[name^='a-']", p)) { n ? b.removeAttribute("data-whole") : b.setAttribute("data-whole", ""); }
      });
      $("[data-progress]").textContent = left ? word("left").replace("{n}", left) : word("whole");
    };
    var show = function (n) {
      at = Math.max(0, Math.min(parts.length - 1, n));
      parts.forEach(function (p, i) { p.hidden = i !== at; });
      all("button", $("[data-steps]")).forEach(function (b, i) { i === at ? b.setAttribute("aria-current", "step") : b.removeAttribute("aria-current"); });
      $("[data-prev]").hidden = at === 0; $("[data-next]").hidden = at === parts.length - 1; $("[data-finish]").hidden = at !== parts.length - 1;
      window.scrollTo(0, 0); pads();
    };
    var pads = function () {
      all("[data-sign]", parts[at]).forEach(function (box) {
        var c = $("canvas", box), input = $("input", box), clear = $("[data-clear]", box);
        if (!c.hidden) { return; }
        c.hidden = clear.hidden = false;
        var pen = c.getContext("2d"), down = false;
        pen.lineWidth = 5; pen.lineCap = pen.lineJoin = "round"; pen.strokeStyle = "#111";
        if (input.value) { var image = new Image(); image.onload = function () { pen.drawImage(image, 0, 0); }; image.src = input.value; }
        var place = function (e) { var r = c.getBoundingClientRect(); return [(e.clientX - r.left) * c.width / r.width, (e.clientY - r.top) * c.height / r.height]; };
        c.addEventListener("pointerdown", function (e) { down = true; c.setPointerCapture(e.pointerId); var p = place(e); pen.beginPath(); pen.moveTo(p[0], p[1]); });
        c.addEventListener("pointermove", function (e) { if (down) { var p = place(e); pen.lineTo(p[0], p[1]); pen.stroke(); } });
        c.addEventListener("pointerup", function () { down = false; input.value = c.toDataURL("image/png"); keep(); });
        clear.addEventListener("click", function () { pen.clearRect(0, 0, c.width, c.height); input.value = ""; keep(); });
      });
    };
    parts.forEach(function (p, i) {
      var b = document.createElement("button"); b.type = "button"; b.textContent = p.dataset.part;
      b.addEventListener("click", function () { show(i); push(); });
      $("[data-steps]").append(b);
    });
    $("[data-steps]").hidden = false;
    $("[data-next]").addEventListener("click", function () { show(at + 1); push(); });
    $("[data-prev]").addEventListener("click", function () { show(at - 1); push(); });
    form.addEventListener("change", function () { keep().then(progress); });
    form.addEventListener("input", function () { clearTimeout(timer); timer = setTimeout(keep, 600); });
    form.addEventListener("submit", function (e) { e.preventDefault(); problem(""); keep().then(push); });
    $("[data-finish]").addEventListener("click", function (e) {
      e.preventDefault();
      var to = e.currentTarget.href;
      get(key).then(function (draft) { return draft ? push() : true; }).then(function (done) { if (done) { location.href = to; } });
    });
    get(key).then(function (draft) {
      if (draft && draft.dirty) { restore(draft); say(word("restored")); push(); }
      show(0); progress();
    }, function () { show(0); progress(); });
    window.addEventListener("online", push);
    window.addEventListener("offline", function () { say(word("offline")); });
    setInterval(function () { if (navigator.onLine) { push(); } }, 20000);
  } else {
    store("readonly", function (s) { return s.getAll(); }).then(function (rows) {
      if ((rows || []).some(function (d) { return d.dirty && d.account === account; })) { say(word("waiting")); }
    }).catch(function () {});
  }

  // ---- the pages without network: those of the next visits are fetched beforehand
  if (navigator.serviceWorker && window.caches) {
    navigator.serviceWorker.register(bar.dataset.sw).then(function () { return Promise.all([caches.open("worker-pages"), caches.open("worker-files")]); }).then(function (c) {
      if (!navigator.onLine) { return; }
      [location.href].concat(all("a[data-keep]").map(function (a) { return a.href; })).forEach(function (address) {
        fetch(address, { credentials: "same-origin" }).then(function (r) { if (r.ok && !r.redirected) { return c[0].put(address, r); } }).catch(function () {});
      });
      performance.getEntriesByType("resource").forEach(function (e) {
        if (e.name.indexOf("/static/") > 0) { fetch(e.name).then(function (r) { if (r.ok) { return c[1].put(e.name.split("#")[0], r); } }).catch(function () {}); }
      });
    }).catch(function () { /* no shell: the draft works all the same */ });
  }
})();
