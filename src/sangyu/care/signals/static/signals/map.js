// Places on a map: own drawings always, tiles only where the deployment has some. When it fails, the list beside it says the same.
(function () {
  "use strict";
  var box = document.querySelector("[data-devmap]"), source = box && box.querySelector("script");
  if (!source) { return; }
  var none = box.parentElement.querySelector(".devmap__none");
  // A form with a place and a radius below the map: its circle is drawn, a click moves the middle.
  function pick(map, tone) {
    if (!document.querySelector("[data-pick-map]")) { return; }
    var circle = null;
    function field(name) { return document.getElementById("form").elements[name]; }  // the form is replaced when it is refused
    function draw() {
      var at = [parseFloat(field("latitude").value), parseFloat(field("longitude").value)], wide = parseInt(field("radius").value, 10);
      if (isNaN(at[0]) || isNaN(at[1]) || !(wide > 0)) { return false; }
      if (circle) { circle.setLatLng(at).setRadius(wide); } else { circle = L.circle(at, { radius: wide, color: tone, weight: 2, fillOpacity: 0.1 }).addTo(map); }
      return true;
    }
    function look() { if (draw()) { map.fitBounds(circle.getBounds(), { padding: [24, 24], maxZoom: 17 }); } }
    map.on("click", function (e) { field("latitude").value = e.latlng.lat.toFixed(6); field("longitude").value = e.latlng.lng.toFixed(6); draw(); });
    document.addEventListener("change", function (e) { if (/^(latitude|longitude|radius)$/.test(e.target.name)) { look(); } });
    look();
  }
  function fail() { box.hidden = true; if (none) { none.hidden = false; } }
  if (!window.L) { fail(); return; }
  try {
    var data = JSON.parse(source.textContent), bounds = [], style = getComputedStyle(document.documentElement);
    var colour = function (tone) { return style.getPropertyValue("--" + tone + "-fill").trim() || "#555"; };
    box.textContent = "";
    var map = L.map(box, { preferCanvas: true, attributionControl: !!data.source });
    if (data.tiles) {
      var bad = 0, tiles = L.tileLayer(data.tiles, { maxZoom: 18, attribution: data.source });
      tiles.on("tileerror", function () { bad += 1; if (bad === 4) { map.removeLayer(tiles); } });
      tiles.addTo(map);
    } else { L.control.scale({ imperial: false }).addTo(map); }
    data.circles.forEach(function (c) { L.circle([c.lat, c.lon], { radius: c.radius, color: colour("warn"), weight: 2, fillOpacity: 0.05 }).bindTooltip(c.words).addTo(map); var round = L.latLng(c.lat, c.lon).toBounds(2 * c.radius); bounds.push(round.getSouthWest(), round.getNorthEast()); });
    if (data.line.length > 1) { L.polyline(data.line, { color: style.getPropertyValue("--accent").trim(), weight: 3 }).addTo(map); }
    data.line.forEach(function (at) { bounds.push(at); });
    var order = { ok: 0, mute: 1, warn: 2, bad: 3 };
    data.points.sort(function (a, b) { return order[a.tone] - order[b.tone]; }).forEach(function (p) {
      var mark = L.circleMarker([p.lat, p.lon], { radius: p.tone === "bad" ? 9 : 6, color: "#fff", weight: 1.5, fillOpacity: 1, fillColor: colour(p.tone) }).bindTooltip(p.words).addTo(map);
      if (p.url) { mark.on("click", function () { window.location.href = p.url; }); }
      bounds.push([p.lat, p.lon]);
    });
    if (!bounds.length) { map.setView(data.view || [35, 105], data.view ? 13 : 4); } else if (bounds.length > 1) { map.fitBounds(bounds, { padding: [24, 24], maxZoom: 16 }); } else { map.setView(bounds[0], 15); }
    pick(map, colour("bad"));
  } catch (e) { fail(); }
})();
