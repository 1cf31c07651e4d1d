// The sounds of the desk, made in the browser: level 1 two tones without end, level 2 a chime, a lost connection three low beeps.
// Silence lasts 60 seconds and never covers level 1 nor a lost connection.
(function () {
  "use strict";
  var context = null, level = 0, lost = false, until = 0, next = 0;
  function tone(at, frequency, seconds, loud) {
    var o = context.createOscillator(), g = context.createGain();
    o.type = "square"; o.frequency.value = frequency;
    g.gain.setValueAtTime(0, at); g.gain.linearRampToValueAtTime(loud, at + 0.02);
    g.gain.setValueAtTime(loud, at + seconds - 0.03); g.gain.linearRampToValueAtTime(0, at + seconds);
    o.connect(g); g.connect(context.destination); o.start(at); o.stop(at + seconds + 0.02);
  }
  function ready() { return context && context.state === "running"; }
  function unlock() {
    var Audio = window.AudioContext || window.webkitAudioContext;
    if (!Audio) { return; }
    if (!context) { context = new Audio(); }
    if (context.state !== "running") { context.resume().then(tell, tell); } else { tell(); }
  }
  function tell() { document.dispatchEvent(new CustomEvent("desk:sound")); }
  function beat() {
    var now = Date.now();
    if (now < next || !level && !lost) { return; }
    if (level !== 1 && !lost && now < until) { return; }
    next = now + (level === 1 ? 1600 : lost ? 4000 : 5000);
    document.body.setAttribute("data-sounding", level === 1 ? "1" : lost ? "lost" : String(level)); // what is heard, for whoever cannot hear it
    if (!ready()) { return; }
    var at = context.currentTime + 0.02;
    if (level === 1) { [880, 660, 880, 660].forEach(function (f, n) { tone(at + n * 0.3, f, 0.28, 0.16); }); }
    else if (lost) { [0, 0.35, 0.7].forEach(function (d) { tone(at + d, 220, 0.25, 0.2); }); }
    else { tone(at, 784, 0.18, 0.1); tone(at + 0.22, 988, 0.3, 0.1); }
  }
  setInterval(beat, 200);
  window.deskSounds = {
    unlock: unlock,
    ready: ready,
    ring: function (grave) { if (grave !== level) { next = 0; } level = grave; if (!level && !lost) { document.body.removeAttribute("data-sounding"); } beat(); },
    lost: function (on) { if (on && !lost) { next = 0; } lost = on; if (!level && !lost) { document.body.removeAttribute("data-sounding"); } beat(); },
    mute: function () { until = Date.now() + 60000; if (level !== 1 && !lost) { document.body.removeAttribute("data-sounding"); } return until; },
    muted: function () { return Math.max(0, Math.ceil((until - Date.now()) / 1000)); }
  };
})();
