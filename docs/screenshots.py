"""Makes the README's pictures again: tells the demo, serves it, and drives a real browser over it.

python docs/screenshots.py [--data DIR]

Needs Debian's chromium (apt install chromium) or one that playwright installed.
"""

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
WIDTH, HEIGHT, TALLEST = 1280, 860, 1400
# picture: page
PICTURES = {
    "tree": "/p/sprout/tree?closed=1",
    "why": "/p/sprout/why?q=app/signup/form.py:42",
    "review": "/p/sprout/REV-2",
    "asked": "/p/sprout/SOL-2/requesters",
}


def whytree(*words: str) -> list[str]:
    return [sys.executable, "-m", "whytree", *words]


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """A server on this folder; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    process = subprocess.Popen(whytree("--data", str(folder), "serve", "--port", url.rsplit(":", 1)[1]))
    try:
        while process.poll() is None:
            try:
                with urllib.request.urlopen(url + "/readyz"):
                    break
            except URLError:
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def sign_in(page: Page, folder: Path) -> None:
    done = subprocess.run(
        whytree("--data", str(folder), "sign-in", "--json"), check=True, capture_output=True, text=True
    )
    page.goto(json.loads(done.stdout)["link"])
    button = page.locator("main form button").first
    if "/sign-in/" in page.url and button.count():
        button.click()
    page.wait_for_url("**/p/sprout/**")


def take(page: Page, url: str) -> None:
    for name, path in PICTURES.items():
        page.goto(url + path)
        page.wait_for_load_state("networkidle")
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": WIDTH, "height": min(height, TALLEST)})
        page.screenshot(path=IMAGES / f"{name}.png")
        page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        sys.stdout.write(f"docs/images/{name}.png\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a demo's folder that nothing runs on")
    chosen = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="whytree-pictures-") as home:
        folder = chosen.data or Path(home) / "demo"
        subprocess.run(whytree("demo", "--no-serve", "--data", str(folder)), check=True)
        with serving(folder) as url, sync_playwright() as playwright:
            chromium = shutil.which("chromium") or shutil.which("chromium-browser")
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(
                viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light", device_scale_factor=1.5
            )
            sign_in(page, folder)
            take(page, url)
            browser.close()


if __name__ == "__main__":
    main()
