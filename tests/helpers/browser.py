"""Opens pages in Debian's chromium and reads what they show, shadow roots included; TensorBoard is made of them."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(
    not CHROMIUM or not importlib.util.find_spec("playwright"), reason="needs Debian's chromium, and playwright to drive it"
)

VISIBLE_TEXT = """() => {
  const found = [];
  const walk = node => {
    if (node.nodeType === Node.TEXT_NODE) found.push(node.textContent.trim());
    if (node.nodeType !== Node.ELEMENT_NODE && !(node instanceof ShadowRoot)) return;
    if (node instanceof Element && (/^(style|script|noscript)$/i.test(node.tagName) || !node.checkVisibility())) return;
    if (node.shadowRoot) walk(node.shadowRoot);
    node.childNodes.forEach(walk);
  };
  walk(document.body);
  return found.filter(Boolean).join('\\n');
}"""


@contextmanager
def opened(width: int = 1400, height: int = 900) -> Iterator[Page]:
    """Start chromium and yield an empty page; `page.goto(url)` opens another, a file as `path.as_uri()`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser.new_page(viewport={"width": width, "height": height})
        browser.close()


def text_of(page: Page) -> str:
    """Return all text that a page shows or would show when scrolled, one piece a line."""
    return str(page.evaluate(VISIBLE_TEXT))


def await_text(page: Page, *expected: str, seconds: float = 60) -> str:
    """Return a page's text once every `expected` piece is a part of it.

    Raises:
        AssertionError: Some piece is still missing after `seconds`.
    """
    end = time.monotonic() + seconds
    while missing := [piece for piece in expected if piece not in (shown := text_of(page))]:
        assert time.monotonic() < end, f"{page.url} does not show {missing}, but:\n{shown}"
        page.wait_for_timeout(200)
    return shown


@contextmanager
def tensorboard(logs: Path) -> Iterator[str]:
    """Serve a folder of runs on a free port and yield the address, once all runs are read."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logs), "--host", "127.0.0.1", "--port", "0"]
    command += ["--load_fast", "false", "--reload_interval", "0", "--reload_task", "blocking"]  # serve when all is read
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr
            lines = iter(server.stderr.readline, "")
            address = next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))
            yield address
        finally:
            server.terminate()
