"""Opens pages in a browser and prints, as JSON, all that text from data may not do there.

A program of its own, because one process cannot hold two of playwright's synchronous drivers.
"""

import json
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

LOOK = """() => ({
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  scripts: [...document.querySelectorAll('script')].map(e => e.textContent.slice(0, 40)),
  active: [...document.querySelectorAll('iframe, object, embed, form, base, frame, applet, audio,'
    + 'video, main style, main link, main meta, math, main svg, marquee')].map(e => e.tagName),
  handlers: [...document.querySelectorAll('*')].flatMap(e => [...e.attributes]
    .filter(a => /^on/i.test(a.name) || a.name === 'style').map(a => a.name)),
  links: [...document.querySelectorAll('[href]')].map(a => a.getAttribute('href'))
    .filter(h => !/^(https?:|#|data:,$|[A-Za-z0-9./_-]+$)/.test(h)),
  pictures: [...document.querySelectorAll('img')].map(i => i.src)
    .filter(s => !s.startsWith('data:image/svg+xml;base64,')),
  text: document.body.innerText,
})"""


def look(browser, path, width, policy):
    """One page, with its own policy or, to see what that keeps out, without."""
    seen = {"dialogs": [], "requests": [], "console": []}
    context = browser.new_context(
        viewport={"width": width, "height": 900}, bypass_csp=not policy, color_scheme="light"
    )
    page = context.new_page()
    page.on("dialog", lambda each: (seen["dialogs"].append(each.message), each.dismiss()))
    page.on("request", lambda each: seen["requests"].append(each.url))
    page.on("console", lambda each: seen["console"].append(each.text))
    page.on("pageerror", lambda each: seen["console"].append(str(each)))
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    page.wait_for_timeout(200)
    seen |= page.evaluate(LOOK)
    seen["requests"] = [
        url for url in seen["requests"] if url != path.as_uri() and not url.startswith("data:")
    ]
    context.close()
    return seen


if __name__ == "__main__":
    chromium, *pages = sys.argv[1:]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        found = [
            [page, width, policy, look(browser, Path(page), width, policy)]
            for page in pages
            for width, policy in ((1280, True), (320, False))
        ]
        browser.close()
    print(json.dumps(found))
