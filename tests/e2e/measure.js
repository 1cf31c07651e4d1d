// Runs in the page: every visible element against the bars of docs/ux (font size, line height, contrast, hit box, overflow).
(limits) => {
  const found = [], seen = new Set();
  const tell = (what, e, value) => {
    const name = e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + (e.classList.length ? "." + [...e.classList].slice(0, 2).join(".") : "");
    const line = `${what} ${value}: ${name} "${(e.innerText || e.value || e.getAttribute("aria-label") || "").trim().slice(0, 24)}"`;
    if (!seen.has(what + name)) { seen.add(what + name); found.push(line); }
  };
  const shown = e => {
    const r = e.getBoundingClientRect(), s = getComputedStyle(e);
    if (!(r.width > 1 && r.height > 1) || s.visibility === "hidden" || s.opacity === "0" || e.closest("[aria-hidden=true],[hidden],[inert]")) { return false; }
    for (let p = e; p; p = p.parentElement) { const c = getComputedStyle(p); if (c.clipPath !== "none" || c.clip.startsWith("rect(")) { return false; } }
    return !e.closest("details:not([open]) > :not(summary)");
  };
  const parse = c => { const m = c.match(/[\d.]+/g) || [0, 0, 0, 0]; return [+m[0], +m[1], +m[2], m.length > 3 ? +m[3] : 1]; };
  const luminance = c => { const f = c.slice(0, 3).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
  const behind = e => {
    const layers = [];
    for (let p = e; p; p = p.parentElement) {
      const s = getComputedStyle(p);
      if (s.backgroundImage !== "none") { return null; }
      const c = parse(s.backgroundColor); layers.push(c); if (c[3] === 1) { break; }
    }
    return layers.reverse().reduce((under, c) => under.map((v, i) => i < 3 ? v * (1 - c[3]) + c[i] * c[3] : 1), [255, 255, 255, 1]);
  };
  for (const e of document.body.querySelectorAll("*")) {
    if (!shown(e)) { continue; }
    const s = getComputedStyle(e), own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    const size = parseFloat(s.fontSize);
    if (own && !["OPTION", "SCRIPT", "STYLE", "svg"].includes(e.tagName) && size > 0) {
      if (size < limits.text) { tell("text px", e, size); }
      const high = s.lineHeight === "normal" ? 1.2 : parseFloat(s.lineHeight) / size;
      if (limits.line && high < limits.line && e.innerText.length > 30) { tell("line height", e, high.toFixed(2)); }
      const back = behind(e), fore = parse(s.color);
      if (back && !e.closest("[disabled],[aria-disabled=true]")) {
        const a = luminance(fore.map((v, i) => i < 3 ? v * fore[3] + back[i] * (1 - fore[3]) : 1)), b = luminance(back);
        const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05), big = size >= 24 || size >= 18.66 && +s.fontWeight >= 700;
        if (ratio < (big ? 3 : limits.contrast)) { tell("contrast", e, ratio.toFixed(2)); }
      }
    }
    if (e.matches("a[href],button,input:not([type=hidden]),select,textarea,summary") && !e.disabled) {
      let r = e.getBoundingClientRect();
      const label = e.matches("input[type=checkbox],input[type=radio]") && e.closest("label");
      if (label) { r = label.getBoundingClientRect(); }
      const inline = s.display === "inline" && e.tagName === "A" && !limits.inline;  // a link in a sentence has the line's height (WCAG 2.5.8)
      const main = e.matches(".btn--l,.tile,.m-big,.eh-go-on,.eh-star");
      const least = main ? limits.main : limits.target;
      if (!inline && (r.height < least - .5 || r.width < Math.min(least, 24) - .5)) { tell("target px", e, `${Math.round(r.width)}x${Math.round(r.height)}`); }
    }
  }
  const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (over > 0) { found.push(`overflow ${over} px`); }
  return found;
}
