// The map of a case. Own drawings always; tiles only where the deployment has some. When it fails, the words below it say the same.
(function () {
  "use strict";
  var map = null;
  function draw() {
    var box = document.querySelector("[data-map]"), source = box && box.querySelector("script");
    if (box && !source) { return; } // drawn already
    if (map) { map.remove(); map = null; }
    if (!box || !window.L) { if (box) { box.hidden = true; } return; }
    var data = JSON.parse(source.textContent), bounds = [], colour = getComputedStyle(document.documentElement);
    if (!data.points.length) { box.hidden = true; return; }
    try {
      box.textContent = "";
      map = L.map(box, { preferCanvas: true, attributionControl: !!data.source, zoomControl: true, keyboard: false });
      if (data.tiles) {
        var bad = 0, tiles = L.tileLayer(data.tiles, { maxZoom: 18, attribution: data.source });
        tiles.on("tileerror", function () { bad += 1; if (bad === 4) { map.removeLayer(tiles); box.setAttribute("data-tiles", "failed"); } });
        tiles.addTo(map);
      } else { box.setAttribute("data-tiles", "none"); L.control.scale({ imperial: false }).addTo(map); }
      data.points.forEach(function (p) {
        var at = [p.lat, p.lon], elder = p.kind === "elder"; bounds.push(at);
        if (elder) { [250, 500, 1000].forEach(function (r) { L.circle(at, { radius: r, color: colour.getPropertyValue("--line-input").trim(), weight: 1, fill: false, dashArray: "4 4" }).addTo(map); }); }
        if (elder && p.radius) { L.circle(at, { radius: p.radius, color: colour.getPropertyValue("--bad-fill").trim(), weight: 1, fillOpacity: 0.1 }).addTo(map); }
        L.circleMarker(at, { radius: elder ? 9 : 8, color: "#fff", weight: 2, fillOpacity: 1, fillColor: colour.getPropertyValue(elder ? "--bad-fill" : p.kind === "home" ? "--mute-fill" : "--ink").trim() })
          .bindTooltip((p.letter ? p.letter + " " : "") + p.words, { permanent: elder || !!p.letter && data.points.length < 6, direction: "right", offset: [8, 0] }).addTo(map);
      });
      if (bounds.length > 1) { map.fitBounds(bounds, { padding: [28, 28], maxZoom: 16 }); } else { map.setView(bounds[0], 15); }
    } catch (e) { box.hidden = true; }
  }
  window.deskMap = draw;
})();
