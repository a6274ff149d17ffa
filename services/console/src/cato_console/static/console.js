// Keeps the parts of a page up to date. The server sends their HTML; without this script every page works, too.
"use strict";

(() => {
  const address = document.body.dataset.live;
  const banner = document.getElementById("connection");
  let source = null;
  let silence = 0;

  // At most once in ten seconds: a server that refuses the stream must not make the page flicker.
  const reload = () => {
    const last = Number(sessionStorage.getItem("reloaded") || 0);
    const wait = Math.max(0, last + 10000 - Date.now());
    setTimeout(() => { sessionStorage.setItem("reloaded", String(Date.now())); location.reload(); }, wait);
  };

  const say = (key) => {
    const text = key ? banner.dataset[key] : "";
    if (banner.textContent !== text) banner.textContent = text;
    banner.hidden = !text;
    document.body.classList.toggle("stale", Boolean(text));
  };

  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => { say("lost"); open(); }, 25000);
  };

  const replace = (parts) => {
    const focused = document.activeElement && document.activeElement.id;
    for (const [id, html] of Object.entries(parts)) {
      const element = document.getElementById(id);
      if (!element) continue;
      element.innerHTML = html;
      element.classList.remove("changed");
      void element.offsetWidth;
      element.classList.add("changed");
    }
    if (focused && (!document.activeElement || document.activeElement === document.body)) {
      const again = document.getElementById(focused);
      if (again) again.focus();
    }
    document.dispatchEvent(new CustomEvent("cato:parts", { detail: Object.keys(parts) }));
  };

  const open = () => {
    if (source) source.close();
    source = new EventSource(address);
    heard();
    source.onopen = () => { heard(); say(""); };
    source.addEventListener("parts", (event) => { heard(); say(""); replace(JSON.parse(event.data)); });
    source.addEventListener("alive", heard);
    source.addEventListener("reachable", (event) => { heard(); say(JSON.parse(event.data) ? "" : "away"); });
    source.addEventListener("over", (event) => {
      source.close();
      clearTimeout(silence);
      // The state of the whole page: the list of those who were not reached belongs to it.
      if (JSON.parse(event.data).reload) reload();
    });
    source.onerror = () => {
      say("lost");
      // The browser tries again by itself, unless the server has refused: then the page is loaded, or the sign-in.
      if (source.readyState === EventSource.CLOSED) reload();
    };
  };

  if (address) {
    open();
    addEventListener("pagehide", () => source.close());
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  }

  // A form that starts something is sent once.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    addEventListener("pageshow", () => delete form.dataset.sent, { once: true });
  });

  // A menu closes when something else is touched, or by Escape.
  const menu = document.querySelector("details.menu");
  document.addEventListener("click", (event) => { if (menu && !menu.contains(event.target)) menu.open = false; });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu && menu.open) { menu.open = false; menu.querySelector("summary").focus(); }
  });
})();
