"use strict";
// The pictures are complete without this: it looks at a part of them, and reads values out.
(() => {
  const source = document.getElementById("time-data");
  const group = document.querySelector(".panels");
  if (!source || !group) return;
  const data = JSON.parse(source.textContent);
  const plot = data.plot;
  const tools = document.querySelector(".tools");
  const output = document.getElementById("cursor-time");
  const pictures = [...group.querySelectorAll("svg.panel")];
  const figures = [...group.querySelectorAll("figure[data-panel]")];
  const SHARE_MIN = 1 / 500;
  let from = 0, to = 1, cursor = null, drag = null;

  const clock = (s) => {
    const parts = [];
    let rest = Math.round(s * 1000);
    for (const [unit, ms] of [["d", 86400000], ["h", 3600000], ["m", 60000]]) {
      if (rest >= ms) { parts.push(Math.floor(rest / ms) + unit); rest %= ms; }
    }
    if (rest || !parts.length) parts.push(rest / 1000 + "s");
    return parts.slice(0, 3).join("");
  };
  const figure = (v) => v.toLocaleString("en-US", { maximumSignificantDigits: 4 });
  const nearest = (share) => {
    const at = share * data.span_s;
    let low = 0, high = data.ends_s.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (data.ends_s[middle] < at) low = middle + 1; else high = middle;
    }
    return low;
  };

  function draw() {
    const span = to - from;
    for (const plane of group.querySelectorAll("svg.plane")) {
      plane.setAttribute("viewBox", [from * plot.plane, 0, span * plot.plane, plot.height].join(" "));
    }
    for (const scale of group.querySelectorAll("g.time")) {
      [...scale.children].forEach((tick, i) => {
        tick.textContent = clock((from + span * i / 6) * data.span_s);
      });
    }
    for (const mark of group.querySelectorAll("g.mark")) {
      const share = (Number(mark.dataset.at) - from) / span;
      mark.setAttribute("visibility", share >= 0 && share <= 1 ? "visible" : "hidden");
      mark.setAttribute("transform", `translate(${plot.left + share * plot.width},22)`);
    }
    read();
  }

  function read() {
    const shown = cursor !== null && cursor >= from && cursor <= to;
    const i = shown ? nearest(cursor) : 0;
    output.textContent = shown ? "until " + clock(data.ends_s[i]) : "";
    for (const line of group.querySelectorAll("line.cursor")) {
      line.style.visibility = shown ? "visible" : "hidden";
      const x = shown ? plot.left + (data.ends_s[i] / data.span_s - from) / (to - from) * plot.width : 0;
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
    }
    for (const part of figures) {
      const lines = data.panels[part.dataset.panel];
      part.querySelectorAll("[data-value]").forEach((place, k) => {
        place.textContent = shown ? figure(lines[k][i]) : "";
      });
    }
  }

  function look(start, end) {
    const span = Math.min(Math.max(end - start, SHARE_MIN), 1);
    from = Math.min(Math.max(start, 0), 1 - span);
    to = from + span;
    draw();
  }
  function zoom(factor) {
    const middle = cursor !== null && cursor >= from && cursor <= to ? cursor : (from + to) / 2;
    look(middle - (middle - from) * factor, middle + (to - middle) * factor);
  }
  const shift = (share) => look(from + share * (to - from), to + share * (to - from));
  const step = (number) => {
    const i = cursor === null ? nearest(from) : nearest(cursor) + number;
    cursor = data.ends_s[Math.min(Math.max(i, 0), data.ends_s.length - 1)] / data.span_s;
    if (cursor > to) look(cursor - (to - from), cursor);
    else if (cursor < from) look(cursor, cursor + (to - from));
    else read();
  };
  const actions = {
    in: () => zoom(0.5), out: () => zoom(2), left: () => shift(-0.5), right: () => shift(0.5),
    all: () => look(0, 1),
  };
  const keys = {
    "+": actions.in, "=": actions.in, "-": actions.out, "0": actions.all,
    ArrowLeft: () => step(-1), ArrowRight: () => step(1),
  };

  function shareAt(picture, event) {
    const box = picture.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * picture.viewBox.baseVal.width;
    return from + Math.min(Math.max((x - plot.left) / plot.width, 0), 1) * (to - from);
  }
  for (const picture of pictures) {
    picture.addEventListener("pointermove", (event) => { cursor = shareAt(picture, event); read(); });
    picture.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button === 0) {
        drag = { picture, share: shareAt(picture, event) };
        event.preventDefault();
        group.focus({ preventScroll: true });
      }
    });
    picture.addEventListener("dblclick", () => look(0, 1));
    picture.addEventListener("pointerleave", () => { if (!drag) { cursor = null; read(); } });
  }
  window.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const end = shareAt(drag.picture, event), start = drag.share;
    drag = null;
    if (Math.abs(end - start) > 0.01 * (to - from)) look(Math.min(start, end), Math.max(start, end));
  });
  group.addEventListener("keydown", (event) => {
    const action = keys[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    action();
    event.preventDefault();
  });
  tools.addEventListener("click", (event) => {
    const action = actions[event.target.dataset.do];
    if (action) action();
  });
  tools.hidden = false;
  draw();
})();
