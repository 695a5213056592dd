"use strict";
(() => {
  const box = document.querySelector(".find");
  const input = document.getElementById("find");
  const status = document.getElementById("found");
  const regions = [...document.querySelectorAll(".region")];
  const plain = (text) => text.toLowerCase().normalize("NFD")
    .replace(/[\u0300-\u036f'’.,]/g, "").replace(/&/g, " and ").replace(/[\s-]+/g, " ").trim();
  const places = regions.flatMap((region) => [...region.querySelectorAll("li")].map((item) => ({
    item, region, words: plain(item.dataset.words),
  })));
  const find = () => {
    const asked = plain(input.value).split(" ").filter(Boolean);
    const hits = places.filter((place) =>
      asked.every((word) => (" " + place.words).includes(" " + word)));
    places.forEach((place) => { place.item.hidden = true; });
    regions.forEach((region) => { region.hidden = true; });
    hits.forEach((place) => { place.item.hidden = false; place.region.hidden = false; });
    status.textContent = !asked.length ? "" : hits.length === 1 ? "1 authority"
      : hits.length ? hits.length + " authorities" : "No authority has this name or code.";
    return hits;
  };
  input.addEventListener("input", find);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const hits = find();
    const link = hits.length === 1 && hits[0].item.querySelector("a");
    if (link) window.location.href = link.href;
  });
  box.hidden = false;
  if (input.value) find();
})();
