// Behaviour of every page. Nothing here is needed to read or to submit; see docs/rooms/ui.md.
(function () {
  "use strict";
  var $ = function (s, r) { return (r || document).querySelector(s); };
  var all = function (s, r) { return Array.prototype.slice.call((r || document).querySelectorAll(s)); };
  var word = function (k) { var t = $("#t-words"); var e = t && t.content.querySelector('[data-word="' + k + '"]'); return e ? e.textContent : k; };
  var csrf = function () { try { return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"]; } catch (e) { return ""; } };
  var post = function (url, body) {
    return fetch(url, { method: "POST", credentials: "same-origin", body: body || null, headers: { "X-CSRFToken": csrf(), "HX-Request": "true" } });
  };

  // ---- toasts, with undo for 8 seconds
  function toast(message, options) {
    options = options || {};
    var node = $("#t-toast").content.firstElementChild.cloneNode(true);
    $(".toast__t", node).textContent = message;
    if (options.bad) { node.classList.add("toast--bad"); node.setAttribute("role", "alert"); }
    var undo = $("[data-undo]", node), left = options.undo ? 8 : options.bad ? 12 : 5, paused = false;
    if (options.undo) {
      undo.hidden = false;
      undo.addEventListener("click", function () {
        undo.disabled = true;
        post(options.undo, new URLSearchParams({ toast: "1" })).then(function (r) {
          node.remove();
          if (r.ok && r.headers.get("HX-Redirect")) { location.href = r.headers.get("HX-Redirect"); return; }
          if (r.ok) { toast(word("undone")); if (window.htmx) { htmx.trigger(document.body, "ui:changed"); } }
          else { toast(decodeURIComponent(r.headers.get("X-Message") || word("network")), { bad: true }); }
        });
      });
    }
    node.addEventListener("mouseenter", function () { paused = true; });
    node.addEventListener("mouseleave", function () { paused = false; });
    $("[data-close]", node).addEventListener("click", function () { node.remove(); });
    $("#toasts").appendChild(node);
    var tick = function () {
      if (!node.isConnected) { return; }
      if (options.undo) { $("[data-left]", node).textContent = left; }
      if (left <= 0) { node.remove(); return; }
      if (!paused && !node.contains(document.activeElement)) { left -= 1; }
      setTimeout(tick, 1000);
    };
    tick();
  }
  window.sangyuToast = toast;
  document.addEventListener("ui:toast", function (e) { closeDialog(); if (e.detail.message) { toast(e.detail.message, { undo: e.detail.undo }); } });

  // ---- dialog
  var opener = null;
  function dialog() { return $("#dialog"); }
  function openDialog() {
    var d = dialog();
    if (!d.open) { opener = document.activeElement; if (d.showModal) { d.showModal(); } else { d.setAttribute("open", ""); } }
    var first = $("[data-problem]", d) || $("input:not([type=hidden]),select,textarea", d);
    if (first) { first.focus(); }
  }
  function closeDialog() {
    var d = dialog();
    if (d && d.open) { if (d.close) { d.close(); } else { d.removeAttribute("open"); } d.textContent = ""; if (opener) { opener.focus(); } }
  }
  function help() { dialog().replaceChildren($("#t-keys").content.cloneNode(true)); openDialog(); }

  // ---- selection and bulk bar
  function selection(list) {
    var boxes = all('tbody input[name="ids"]', list), on = boxes.filter(function (b) { return b.checked; });
    boxes.forEach(function (b) { var tr = b.closest("tr"); if (b.checked) { tr.setAttribute("aria-selected", "true"); } else { tr.removeAttribute("aria-selected"); } });
    var bar = $("[data-bulkbar]", list), page = $("[data-page]", list);
    if (!bar) { return; }
    bar.hidden = on.length === 0;
    $("[data-count]", bar).textContent = on.length;
    if (on.length === 0 && $("[data-all]", bar)) { $("[data-all]", bar).checked = false; }
    if (page) { page.checked = on.length > 0 && on.length === boxes.length; page.indeterminate = on.length > 0 && on.length < boxes.length; }
  }
  // columns: which, and in which order
  function chosenColumns(form) {
    if (form) { form.elements.cols.value = all("input[type=checkbox]", form).filter(function (b) { return b.checked; }).map(function (b) { return b.value; }).join(","); }
  }
  document.addEventListener("change", function (e) {
    var t = e.target, list = t.closest("[data-list]");
    if (t.matches("[data-page]")) { all('tbody input[name="ids"]', list).forEach(function (b) { b.checked = t.checked; }); }
    if (list && (t.name === "ids" || t.matches("[data-page]"))) { selection(list); }
    chosenColumns(t.closest("[data-columns]"));
    if (t.closest("[data-autosubmit]")) { t.form.submit(); }
  });

  // ---- clicks
  document.addEventListener("click", function (e) {
    var t = e.target.closest ? e.target : e.target.parentElement, hit;
    if ((hit = t.closest("[data-close]")) && hit.closest("dialog")) { closeDialog(); }
    if ((hit = t.closest("[data-clear]"))) { var list = hit.closest("[data-list]"); all('input[name="ids"]', list).forEach(function (b) { b.checked = false; }); selection(list); }
    if ((hit = t.closest("[data-help]"))) { if (hit.getAttribute("href") === "#keys") { e.preventDefault(); help(); } }
    if ((hit = t.closest("[data-print]"))) { window.print(); }
    if ((hit = t.closest("[data-toggle]"))) {
      var panel = document.getElementById(hit.getAttribute("data-toggle"));
      if (panel) { e.preventDefault(); panel.hidden = !panel.hidden; hit.setAttribute("aria-expanded", String(!panel.hidden)); }
    }
    if ((hit = t.closest("[data-drawer]"))) {
      var nav = $("#nav"), open = nav.classList.toggle("open");
      all("[data-drawer]").forEach(function (b) { b.setAttribute("aria-expanded", String(open)); });
      if (open) { var a = $("a", nav); if (a) { a.focus(); } }
    } else if (!t.closest("#nav") && $("#nav.open")) { closeDrawer(); }
    if ((hit = t.closest("[data-earlier]"))) {
      var row = hit.closest("[data-column]"), above = row.previousElementSibling;
      if (above && above.matches("[data-column]")) { row.parentElement.insertBefore(row, above); chosenColumns(row.closest("[data-columns]")); hit.focus(); }
    }
    if ((hit = t.closest("[data-copy]")) && navigator.clipboard) { navigator.clipboard.writeText(hit.getAttribute("data-copy")).then(function () { toast(word("copied")); }); }
    if ((hit = t.closest("[data-reveal]"))) { reveal(hit); }
    all("details.menu[open]").forEach(function (d) { if (!d.contains(t)) { d.open = false; } });
  });
  function closeDrawer() { $("#nav").classList.remove("open"); all("[data-drawer]").forEach(function (b) { b.setAttribute("aria-expanded", "false"); }); }
  function reveal(button) {
    button.disabled = true;
    post(button.getAttribute("data-reveal")).then(function (r) {
      return r.text().then(function (text) {
        if (r.ok) { $("[data-masked]", button.parentElement).textContent = text.trim(); button.remove(); }
        else { button.disabled = false; toast(decodeURIComponent(r.headers.get("X-Message") || word("network")), { bad: true }); }
      });
    });
  }
  // confirmation of a bulk act: names the number of rows
  document.addEventListener("submit", function (e) {
    var b = e.submitter;
    var list = b && b.closest("[data-list]"), every = list && $("[data-all]", list);
    if (every && every.checked) { return; } // the server asks, with the exact number
    if (b && b.hasAttribute("data-confirm") && !b.dataset.sure) {
      e.preventDefault();
      var n = $("[data-count]", list).textContent;
      var d = dialog(), body = document.createElement("div"), foot = document.createElement("div"), p = document.createElement("p"), yes = document.createElement("button"), no = document.createElement("button");
      body.className = "dialog__b"; foot.className = "dialog__f"; p.id = "dialog-title";
      p.textContent = b.getAttribute("data-confirm").replace("{count}", n);
      no.className = "btn"; no.type = "button"; no.textContent = word("discard") && $("#t-toast").content.querySelector("[data-close] .vh").textContent; no.setAttribute("data-close", "");
      yes.className = "btn btn--pri"; yes.type = "button"; yes.textContent = b.textContent.trim();
      yes.addEventListener("click", function () { b.dataset.sure = "1"; closeDialog(); b.click(); });
      body.appendChild(p); foot.appendChild(no); foot.appendChild(yes); d.replaceChildren(body, foot); openDialog(); yes.focus();
    }
  });

  // ---- keys (desk): never single letters while typing
  function rows() { return all("[data-row]"); }
  function move(step) {
    var list = rows(), at = list.findIndex(function (r) { return r.classList.contains("at"); });
    if (!list.length) { return; }
    var next = list[Math.min(list.length - 1, Math.max(0, at + step))];
    list.forEach(function (r) { r.classList.remove("at"); r.removeAttribute("tabindex"); });
    next.classList.add("at"); next.tabIndex = -1; next.focus({ preventScroll: true }); next.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("keydown", function (e) {
    var t = e.target, typing = t.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(t.tagName) && !/^(checkbox|radio|button|submit)$/.test(t.type);
    if ((e.ctrlKey || e.metaKey) && e.key === "Enter") {
      var f = t.closest("form") || $("form[data-form]");
      if (f && f.matches("[data-form]")) { e.preventDefault(); if (f.requestSubmit) { f.requestSubmit(); } else { f.submit(); } }
      return;
    }
    if (e.key === "Escape") { closeDialog(); all("details.menu[open]").forEach(function (d) { d.open = false; $("summary", d).focus(); }); if ($("#nav.open")) { closeDrawer(); } return; }
    if (typing || e.ctrlKey || e.metaKey || e.altKey || dialog() && dialog().open) { return; }
    var current = $("[data-row].at");
    if (e.key === "/") { var s = $("[data-search]") || $("#q"); if (s) { e.preventDefault(); s.focus(); s.select(); } }
    else if (e.key === "?") { e.preventDefault(); help(); }
    else if (e.key === "j") { move(1); }
    else if (e.key === "k") { move(-1); }
    else if (e.key === "x" && current) { var box = $('input[name="ids"]', current); if (box) { box.checked = !box.checked; selection(current.closest("[data-list]")); } }
    else if (e.key === "Enter" && current && t === current) { var link = $("a.name", current) || $("a", current); if (link) { link.click(); } }
  });

  // ---- drafts of long forms: kept in this browser until saved
  function drafts(root) {
    all("form[data-draft]", root).forEach(function (form) {
      var key = "sangyu:draft:" + form.getAttribute("data-draft"), kept = null, timer;
      try { kept = JSON.parse(sessionStorage.getItem(key)); } catch (e) { kept = null; }
      if (kept && !$("[data-problem]", form)) {
        var note = document.createElement("div"), text = document.createElement("span"), yes = document.createElement("button"), no = document.createElement("button");
        note.className = "note"; text.className = "grow"; text.textContent = word("draft").replace("{t}", new Date(kept.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
        yes.type = no.type = "button"; yes.className = no.className = "btn btn--s"; yes.textContent = word("restore"); no.textContent = word("discard");
        yes.addEventListener("click", function () {
          kept.values.forEach(function (p) { all('[name="' + CSS.escape(p[0]) + '"]', form).forEach(function (i) { if (/^(checkbox|radio)$/.test(i.type)) { i.checked = i.value === p[1] || i.checked; } else if (i.type !== "file" && i.type !== "hidden") { i.value = p[1]; } }); });
          note.remove();
        });
        no.addEventListener("click", function () { sessionStorage.removeItem(key); note.remove(); });
        note.append(text, yes, no);
        form.parentElement.insertBefore(note, form);
      }
      form.addEventListener("input", function () {
        clearTimeout(timer);
        timer = setTimeout(function () {
          var values = []; new FormData(form).forEach(function (v, k) { if (typeof v === "string" && k.charAt(0) !== "_" && k !== "csrfmiddlewaretoken") { values.push([k, v]); } });
          try { sessionStorage.setItem(key, JSON.stringify({ at: Date.now(), values: values })); } catch (e) { /* storage full: no draft */ }
        }, 800);
      });
      form.addEventListener("submit", function () { clearTimeout(timer); });
    });
    // a saved form leaves its draft behind: remove those whose page says so
    all("[data-toast]", root).forEach(function () { Object.keys(sessionStorage).forEach(function (k) { if (k.indexOf("sangyu:draft:") === 0) { sessionStorage.removeItem(k); } }); });
  }

  // ---- live connection: light, banner after 30 s, polling every 5 s meanwhile. The stream is read with fetch because its
  // events have many names; the pass is fetched anew for each connection, and the last place seen is sent along. When no new pass can
  // be had the old address is tried: the push process knows when the database is away and lets it pass. Pages that must be louder
  // (data-own-alarm on #main) hear of the connection by the event ui:connection and show their own banner.
  function live() {
    var light = $("#live"); if (!light || !window.ReadableStream) { return; }
    var last = "", downSince = 0, polling = null, banner = null, abort = null, wait = null, reload = null, heard = 0, address = "";
    var quiet = 1000 * (light.getAttribute("data-quiet") || 40), own = $("[data-own-alarm]");
    function tellUp(on) { document.body.dispatchEvent(new CustomEvent("ui:connection", { detail: { up: on, since: downSince } })); }
    function changed() { clearTimeout(reload); reload = setTimeout(function () { if (window.htmx) { htmx.trigger(document.body, "ui:changed"); } }, 300); }
    function up() { downSince = 0; heard = Date.now(); tellUp(true); light.classList.remove("live--off"); light.setAttribute("data-up", ""); clearInterval(polling); polling = null; if (banner) { banner.remove(); banner = null; } }
    function down() {
      if (!downSince) { downSince = Date.now(); }
      light.classList.add("live--off"); light.removeAttribute("data-up"); tellUp(false);
      clearTimeout(wait); wait = setTimeout(connect, own ? 1500 : 3000);
    }
    function take(block) {
      var name = "", data = "";
      block.split("\n").forEach(function (line) {
        if (line.indexOf("id:") === 0) { last = line.slice(3).trim(); }
        else if (line.indexOf("event:") === 0) { name = line.slice(6).trim(); }
        else if (line.indexOf("data:") === 0) { data += line.slice(5).trim(); }
      });
      if (name === "renew") { if (abort) { abort.abort(); } connect(); return; }
      if (!name) { return; }
      document.body.dispatchEvent(new CustomEvent("ui:live", { detail: { name: name, data: data ? JSON.parse(data) : {} } }));
      if (name.indexOf("live.") !== 0 && name !== "signals.alarm") { changed(); } // those two say nothing of rows
    }
    function connect() {
      clearTimeout(wait);
      if (abort) { abort.abort(); }
      var mine = abort = new AbortController();
      var late = new Promise(function (_ok, no) { setTimeout(no, 5000, new Error("late")); });
      Promise.race([fetch(light.getAttribute("data-live"), { credentials: "same-origin", signal: mine.signal }), late])
        .then(function (r) { if (!r.ok) { throw new Error("pass"); } return r.json(); })
        .catch(function (e) { if (!address || mine.signal.aborted) { throw e; } return { url: address }; })
        .then(function (pass) { address = pass.url; return fetch(pass.url, { credentials: "same-origin", signal: mine.signal, headers: last ? { "Last-Event-ID": last } : {} }); })
        .then(function (r) {
          if (!r.ok) { throw new Error("stream"); }
          up();
          var reader = r.body.getReader(), decoder = new TextDecoder(), kept = "";
          return (function next() {
            return reader.read().then(function (part) {
              if (part.done) { throw new Error("ended"); }
              heard = Date.now();
              kept += decoder.decode(part.value, { stream: true });
              var blocks = kept.split("\n\n"); kept = blocks.pop(); blocks.forEach(take);
              return mine.signal.aborted ? null : next();
            });
          })();
        })
        .catch(function () { if (!mine.signal.aborted) { down(); } });
    }
    connect();
    window.addEventListener("pagehide", function () { if (abort) { abort.abort(); } });
    setInterval(function () {
      // the stream says something every few seconds: silence is a dead connection that nobody closed
      if (!downSince && heard && Date.now() - heard > quiet) { heard = 0; if (abort) { abort.abort(); } down(); }
      if (!downSince || own) { return; }
      var seconds = Math.round((Date.now() - downSince) / 1000);
      if (seconds < 30) { return; }
      if (!banner) {
        banner = document.createElement("div"); banner.className = "banner"; banner.setAttribute("role", "alert");
        var b = document.createElement("b"), s = document.createElement("span"), r = document.createElement("button");
        s.textContent = word("polling"); r.className = "btn btn--s sp"; r.type = "button"; r.textContent = word("reconnect"); r.addEventListener("click", connect);
        banner.append(b, s, r); $("#main").prepend(banner);
      }
      banner.firstElementChild.textContent = word("offline").replace("{n}", seconds);
      if (!polling) { polling = setInterval(changed, 5000); }
    }, 1000);
  }

  // ---- htmx: which answers are shown, and what errors say
  document.addEventListener("htmx:configRequest", function (e) {
    if (e.detail.elt.id === "query") { Object.keys(e.detail.parameters).forEach(function (k) { if (e.detail.parameters[k] === "") { delete e.detail.parameters[k]; } }); }
  });
  // a list does not reload by itself under a selection or an open menu
  document.addEventListener("htmx:beforeRequest", function (e) {
    var list = e.detail.elt;
    if (list.matches("[data-list]") && (list.querySelector('tbody input[name="ids"]:checked, details[open]') || (dialog() && dialog().open))) { e.preventDefault(); }
  });
  document.addEventListener("htmx:beforeSwap", function (e) {
    var xhr = e.detail.xhr;
    if (xhr.getResponseHeader("X-Swap") === "1") { e.detail.shouldSwap = true; e.detail.isError = false; }
    else if (xhr.status >= 400 && e.detail.target && e.detail.target.matches("[data-lazy], #tab")) { e.detail.shouldSwap = true; }
  });
  document.addEventListener("htmx:responseError", function (e) {
    var said = e.detail.xhr.getResponseHeader("X-Message");
    toast(said ? decodeURIComponent(said) : word("network"), { bad: true });
  });
  document.addEventListener("htmx:sendError", function () { toast(word("network"), { bad: true }); });
  document.addEventListener("htmx:afterSwap", function (e) {
    var t = e.detail.target;
    if (t && t.id === "dialog") { openDialog(); }
    var problem = $("form [data-problem]"); if (problem && e.detail.requestConfig && e.detail.requestConfig.verb === "post") { problem.focus(); }
    if (e.detail.elt && e.detail.elt.id === "tab" || t && t.id === "tab") {
      all("[data-tab]").forEach(function (a) { if (a.pathname === location.pathname) { a.setAttribute("aria-current", "page"); } else { a.removeAttribute("aria-current"); } });
    }
    all("[data-list]").forEach(selection);
  });
  document.addEventListener("htmx:pushedIntoHistory", function () {
    all("[data-tab]").forEach(function (a) { if (a.pathname === location.pathname) { a.setAttribute("aria-current", "page"); } else { a.removeAttribute("aria-current"); } });
  });

  function start() {
    all("[data-toast]").forEach(function (n) { var m = n.querySelector("span").textContent, u = n.getAttribute("data-undo"); n.remove(); toast(m, { undo: u }); });
    all("[data-list]").forEach(selection);
    drafts(document);
    live();
    var problem = $("form [data-problem], #import [data-problem]"); if (problem) { problem.focus(); }
  }
  if (document.readyState === "loading") { document.addEventListener("DOMContentLoaded", start); } else { start(); }
})();
