// Where the elder is, when the telephone may tell: beside the red button it fills the form in, once help is called it sends what it knows.
// The call never waits for it, and without a script, a permission or a place nothing is missing but the place.
(function () {
  "use strict";
  var form = document.querySelector("[data-place]"), words = document.querySelector("[data-place-words]"), places = navigator.geolocation;
  if (!form || !places) { return; }
  var options = { enableHighAccuracy: true, timeout: 12000, maximumAge: 60000 };
  function fill(p) { ["latitude", "longitude", "accuracy"].forEach(function (name) { form.elements[name].value = p.coords[name]; }); }
  function nothing() { /* the home's place stands */ }
  if (form.dataset.place === "watch") {
    var at = 0;
    if (words) { words.hidden = false; }
    places.watchPosition(function (p) { at = p.timestamp; fill(p); }, nothing, options);
    form.addEventListener("submit", function () { if (Date.now() - at > 120000) { form.elements.latitude.value = ""; } }); // an old place is none
    return;
  }
  // This page comes anew by itself: a question would go with it, so only who was asked before is not asked again.
  if (!navigator.permissions) { return; }
  navigator.permissions.query({ name: "geolocation" }).then(function (given) {
    if (given.state !== "granted") { return; }
    places.getCurrentPosition(function (p) { fill(p); fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin" }).catch(nothing); }, nothing, options);
  }, nothing);
})();
