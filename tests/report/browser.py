import json
import os
import re
import shutil
import subprocess

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
in_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
PROBE = """<script>
for (const each of document.querySelectorAll("details")) each.open = true;
const inBox = each => each && each !== document.body && (
  getComputedStyle(each).overflowX !== "visible" || inBox(each.parentElement));
const spilled = [...document.body.querySelectorAll("*")].filter(
  each => each.getBoundingClientRect().right > innerWidth + 1 && !inBox(each.parentElement));
parent.postMessage(JSON.stringify({
  width: innerWidth, scrollWidth: document.documentElement.scrollWidth,
  paper: getComputedStyle(document.body).backgroundColor,
  spilled: spilled.map(each => each.outerHTML.slice(0, 200)),
}), "*");
</script>"""
FRAME = """<!doctype html><title>waiting</title>
<style>:root {{ color-scheme: {scheme}; }} iframe {{ width: {width}px; height: 800px; border: 0; }}
</style><script>addEventListener("message", event => {{ document.title = event.data; }});</script>
<iframe src="page.html"></iframe>"""
PAPER = {"light": "rgb(252, 251, 248)", "dark": "rgb(24, 23, 21)"}


def browse(directory, url, *options):
    command = [
        *(CHROMIUM, "--headless", "--hide-scrollbars", "--disable-gpu", "--no-first-run"),
        *("--enable-logging=stderr", f"--user-data-dir={directory / 'profile'}"),
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
        *("--virtual-time-budget=4000", *options, "--dump-dom", url.as_uri()),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def probe(directory, html, width, scheme, extra=""):
    # Only this copy may run a script; the frame has a phone's width where a window cannot.
    open_copy = re.sub(r"<meta http-equiv=[^>]*>", "", html)
    page = open_copy.replace("</body>", f"{extra}{PROBE}</body>")
    (directory / "page.html").write_text(page, encoding="utf-8")
    frame = directory / "frame.html"
    frame.write_text(FRAME.format(width=width, scheme=scheme), encoding="utf-8")
    dom = browse(directory, frame, "--window-size=1400,900").stdout
    title = re.search(r"<title>(.*?)</title>", dom, re.DOTALL)[1]
    return json.loads(title.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
