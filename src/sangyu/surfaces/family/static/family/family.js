// Elder edition: read the page aloud; a second press stops. Everything else works without scripts.
(function () {
  "use strict";
  var speech = window.speechSynthesis, buttons = Array.prototype.slice.call(document.querySelectorAll("[data-read]"));
  if (!speech || !window.SpeechSynthesisUtterance) { return; }
  function text() {
    var copy = document.getElementById("main").cloneNode(true);
    copy.querySelectorAll("button, footer, .eh-top, [hidden], .vh, script, input, textarea, details form").forEach(function (n) { n.remove(); });
    copy.querySelectorAll("b, small, span, li, p, h1, h2, a, label, br").forEach(function (n) { n.after("。"); });
    return copy.textContent.replace(/\s+/g, " ").replace(/(。[\s　]*)+/g, "。").replace(/^。/, "");
  }
  buttons.forEach(function (button) {
    var label = button.querySelector("span"), word = label.textContent;
    function off() { label.textContent = word; button.setAttribute("aria-pressed", "false"); }
    button.hidden = false;
    button.addEventListener("click", function () {
      if (speech.speaking) { speech.cancel(); off(); return; }
      var said = new SpeechSynthesisUtterance(text());
      said.lang = document.documentElement.lang || "zh-CN"; said.rate = .85;
      said.onend = said.onerror = off;
      label.textContent = button.dataset.stop; button.setAttribute("aria-pressed", "true");
      speech.speak(said);
    });
  });
  window.addEventListener("pagehide", function () { speech.cancel(); });
})();
