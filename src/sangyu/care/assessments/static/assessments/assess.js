// The assessment form: one part at a time, progress, signatures; answers stay on the device until the server has them.
// Without this file the form is one long page that works the same. See docs/rooms/assessments.md.
(function () {
  "use strict";
  var bar = document.getElementById("as-queue"), form = document.getElementById("as-form"), offline = window.sangyuOffline;
  if (!bar || !window.indexedDB) { return; }
  var $ = function (s, r) { return (r || document).querySelector(s); };
  var all = function (s, r) { return Array.prototype.slice.call((r || document).querySelectorAll(s)); };
  var word = function (k) { return bar.getAttribute("data-w-" + k) || k; }, account = bar.dataset.account, timer = 0;
  var drafts = offline.store("sangyu-assess", "drafts"), put = drafts.put, get = drafts.get, drop = drafts.drop;
  function say(text, tone) { bar.hidden = !text; bar.textContent = text; bar.dataset.tone = tone || ""; }

  // ---- one draft an assessment and account: {key, account, url, fields, dirty}
  // ---- sending: the newest state of each draft; the same client_id twice is one version on the server
  function send(draft) {
    return offline.post(draft.url, draft.fields).then(function (got) {
      if (got.how === "taken") { return { version: got.answer.get("X-Version"), conflict: got.answer.get("X-Conflict") }; }
      if (got.how === "refused") { return { problem: got.said }; }
      say(word(got.how === "signin" ? "signin" : got.how === "cut" && !navigator.onLine ? "offline" : "waiting"));
      return null;
    });
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
      f.client_id.value = offline.uuid(); f.entered_at.value = new Date().toISOString();
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
        offline.pad(c, clear, input.value, function (picture) { input.value = picture; keep(); });
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
    drafts.all().then(function (rows) {
      if (rows.some(function (d) { return d.dirty && d.account === account; })) { say(word("waiting")); }
    }).catch(function () {});
  }

  // ---- the pages without network: those of the next visits are fetched beforehand
  offline.keep(bar.dataset.sw, all("a[data-keep]").map(function (a) { return a.href; }), account);
})();
