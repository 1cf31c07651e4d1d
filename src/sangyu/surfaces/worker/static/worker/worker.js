// The worker's phone: a queue in IndexedDB for steps taken without network, photos made small, signature, place.
// Every form here works without this file; see docs/rooms/worker.md.
(function () {
  "use strict";
  var bar = document.getElementById("queue"), offline = window.sangyuOffline;
  if (!bar) { return; }
  var $ = function (s, r) { return (r || document).querySelector(s); };
  var all = function (s, r) { return Array.prototype.slice.call((r || document).querySelectorAll(s)); };
  var worker = bar.dataset.worker, word = function (k) { return bar.getAttribute("data-w-" + k) || k; };
  var NEXT = { depart: "arrive", arrive: "finish", finish: "done", no_show: "done" };
  var MOST_BYTES = 300000, SIDES = [1600, 1280, 1024, 800], running = false, signedOut = false, retry = 0;
  var steps = offline.store("sangyu-worker", "steps", true), put = steps.put, drop = steps.drop;

  // ---- the queue: one record a step, in the order in which they were taken
  function mine() {
    return steps.all().then(function (rows) { return rows.filter(function (r) { return r.worker === worker; }); });
  }

  // ---- what the screen says about it
  function show() {
    return mine().then(function (rows) {
      var waiting = rows.filter(function (r) { return !r.failed; }), cut = !navigator.onLine, text = $("[data-text]", bar);
      bar.hidden = !waiting.length && !cut;
      $("[data-count]", bar).textContent = waiting.length ? word("waiting").replace("{n}", waiting.length) : "";
      text.textContent = "";
      if (signedOut && waiting.length) {
        var link = document.createElement("a"); link.href = bar.dataset.signIn + "?next=" + encodeURIComponent(location.pathname);
        link.textContent = word("signin"); text.append(link);
      } else if (cut) {
        var b = document.createElement("b"); b.textContent = word("offline"); text.append(b, "，" + word("later"));
      } else { text.textContent = word("sending"); }
      var failed = $("#queue-failed"); failed.textContent = "";
      rows.filter(function (r) { return r.failed; }).forEach(function (r) {
        var p = document.createElement("p"), s = document.createElement("span"), x = document.createElement("button");
        s.className = "grow"; s.textContent = word("failed") + "：" + r.label + "，" + r.failed;
        x.className = "btn"; x.type = "button"; x.textContent = word("discard");
        x.addEventListener("click", function () { drop(r.key).then(show); });
        p.append(s, x); failed.append(p);
      });
      waiting.forEach(function (r) {
        all('[data-order="' + r.order + '"] [data-state], li[data-order="' + r.order + '"] .st, a[data-order="' + r.order + '"] .st').forEach(function (e) { e.textContent = word("queued"); });
      });
      var stages = $("[data-visit-stages]");
      if (stages) {
        var own = waiting.filter(function (r) { return r.order === stages.dataset.orderId && NEXT[r.step]; });
        stage(own.length ? NEXT[own[own.length - 1].step] : stages.dataset.stageNow);
      }
      return waiting;
    });
  }
  function stage(name) {
    all("[data-stage]").forEach(function (s) { s.hidden = s.dataset.stage !== name; });
    all("[data-during]").forEach(function (s) { s.hidden = s.dataset.during.split(" ").indexOf(name) < 0; });
    var at = ["depart", "arrive", "finish", "done"].indexOf(name);
    if (at >= 0) { all(".m-task--now .m-steps li").forEach(function (li, i) { li.className = i < at ? "done" : i === at ? "now" : ""; }); }
    if (name === "finish") { signature(); }
  }
  function problem(text) {
    var box = $("#problem"); if (!box) { return; }
    $("[data-problem-text]", box).textContent = text; box.hidden = !text;
    if (text) { box.focus(); box.scrollIntoView({ block: "center" }); }
  }

  // ---- sending, one after another; a repeat changes nothing on the server
  function send(record) {
    return offline.post(record.url, record.fields).then(function (got) {
      if (got.how === "signin") { signedOut = true; }
      if (got.how === "taken") { signedOut = false; return drop(record.key).then(function () { return "sent"; }); }
      if (got.how !== "refused") { return "stop"; }
      record.failed = got.said;
      return put(record).then(function () { return "failed"; });
    });
  }
  function flush() {
    if (running) { return Promise.resolve([]); }
    running = true;
    var results = [];
    function next(rows) {
      var record = rows.shift();
      if (!record) { return results; }
      if (record.failed) { return next(rows); }
      return send(record).then(function (how) {
        results.push({ key: record.key, order: record.order, how: how, said: record.failed });
        return how === "stop" ? results : next(rows);
      });
    }
    return mine().then(next).then(function (r) { running = false; return show().then(function (waiting) { again(waiting); return r; }); },
      function () { running = false; return []; });
  }
  function again(waiting) {
    clearTimeout(retry);
    if (waiting.length && !signedOut) { retry = setTimeout(function () { flush().then(fresh); }, navigator.onLine ? 8000 : 30000); }
  }
  function fresh(results) {  // what was sent in the background is shown as the server knows it
    var stages = $("[data-visit-stages]");
    if (results.some(function (r) { return r.how === "sent" && (!stages || stages.dataset.orderId === r.order); })) { location.reload(); }
  }

  // ---- photos: at most 300 KB each, drawn anew
  function small(file) {
    if (!window.createImageBitmap || !/^image\//.test(file.type) || file.size <= MOST_BYTES && file.type === "image/jpeg") { return Promise.resolve(file); }
    return createImageBitmap(file).then(function (image) {
      function attempt(i, quality) {
        var scale = Math.min(1, SIDES[i] / Math.max(image.width, image.height)), c = document.createElement("canvas");
        c.width = Math.round(image.width * scale); c.height = Math.round(image.height * scale);
        c.getContext("2d").drawImage(image, 0, 0, c.width, c.height);
        return new Promise(function (done) { c.toBlob(done, "image/jpeg", quality); }).then(function (blob) {
          if (blob.size <= MOST_BYTES || i === SIDES.length - 1 && quality < .5) { return blob; }
          return quality > .55 ? attempt(i, quality - .15) : attempt(Math.min(i + 1, SIDES.length - 1), quality < .5 ? .45 : .75);
        });
      }
      return attempt(0, .8);
    }, function () { return file; });
  }

  // ---- the place, only at the press of the button
  function place(form) {
    var f = form.elements;
    if (f.code.value || !navigator.geolocation) { return Promise.resolve(Boolean(f.code.value || f.reason.value)); }
    return new Promise(function (done) {
      navigator.geolocation.getCurrentPosition(function (p) {
        f.latitude.value = p.coords.latitude; f.longitude.value = p.coords.longitude; f.accuracy.value = p.coords.accuracy; done(true);
      }, function () { done(Boolean(f.reason.value)); }, { enableHighAccuracy: true, timeout: 8000, maximumAge: 30000 });
    });
  }

  // ---- the signature
  var signed = "", ready = false;
  function signature() {
    var box = $("[data-sign]"), c = box && $("canvas", box);
    if (!c || ready) { return; }
    ready = true; box.hidden = false; $("[data-sign-file]").hidden = true;
    offline.pad(c, $("[data-sign-clear]", box), "", function (picture) { signed = picture; });
  }

  // ---- a step: into the queue first, then to the server
  function fields(form) {
    var made = [], photos = [];
    new FormData(form).forEach(function (v, k) {
      if (k === "csrfmiddlewaretoken") { return; }
      if (v instanceof File) { if (v.size) { photos.push([k, v]); } } else { made.push([k, v]); }
    });
    return Promise.all(photos.map(function (p) { return small(p[1]); })).then(function (files) {
      files.forEach(function (f, i) { made.push([photos[i][0], f, "photo" + i + ".jpg"]); });
      return made;
    });
  }
  function step(form) {
    var button = $("button[type=submit]", form), name = form.dataset.step;
    problem("");
    if (form.elements.photo && form.elements.photo.files.length > 3) { problem(word("photo")); return; }
    button.disabled = true;
    var begun = name === "arrive" ? place(form) : Promise.resolve(true);
    begun.then(function (proved) {
      if (!proved) { $("[data-proof]", form).open = true; problem(word("place")); return null; }
      if (signed && form.elements.signature) { form.elements.signature.value = signed; }
      return fields(form).then(function (list) {
        list.push(["at", new Date().toISOString()]);
        return put({ worker: worker, order: form.dataset.order, step: name, label: $("h1").textContent + " " + button.textContent.trim(), url: form.action, fields: list, failed: "" });
      }).then(function (key) {
        if (form.elements.client_id) { all("[name=client_id]").forEach(function (i) { i.value = offline.uuid(); }); }
        return flush().then(function (results) {
          var own = results.filter(function (r) { return r.key === key; })[0];
          if (own && own.how === "sent") { location.href = location.pathname; }
          else if (own && own.how === "failed") { var proof = $("[data-proof]", form); if (proof) { proof.open = true; } return drop(key).then(show).then(function () { problem(own.said); }); }
          else if (name === "note") { form.reset(); }
        });
      });
    }).catch(function () { form.submit(); }).then(function () { button.disabled = false; });
  }
  document.addEventListener("submit", function (e) {
    if (e.target.matches("form[data-step]") && window.indexedDB && window.fetch) { e.preventDefault(); step(e.target); }
  });
  document.addEventListener("change", function (e) {
    if (e.target.matches("[data-photos]")) {
      $("[data-photos-said]").textContent = e.target.files.length > 3 ? word("photo") : Array.prototype.map.call(e.target.files, function (f) { return f.name; }).join("，");
    }
    if (e.target.matches("[data-scan]") && e.target.files[0]) {
      var missing = function () { problem(word("code")); };
      if (!window.BarcodeDetector) { missing(); return; }
      createImageBitmap(e.target.files[0]).then(function (image) { return new BarcodeDetector({ formats: ["qr_code"] }).detect(image); })
        .then(function (found) { if (found.length) { e.target.form.elements.code.value = found[0].rawValue; step(e.target.form); } else { missing(); } }, missing);
    }
  });

  // ---- the shell without network: another worker's pages never stay on the phone
  offline.keep(bar.dataset.sw, [bar.dataset.home].concat(all("a[data-visit]").map(function (a) { return a.href; })), bar.dataset.account);
  window.addEventListener("online", function () { flush().then(fresh); });
  window.addEventListener("offline", show);
  if (window.indexedDB) { show().then(function (waiting) { if (waiting.length) { flush().then(fresh); } }); }
})();
