"""A real JupyterLab and a real Chromium for tests: what a person sees, without a person."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",  # WebGL in software
    "--enable-unsafe-swiftshader",
]
OWN_MACHINE = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "file:", "about:")


def find_chromium() -> str:
    """Return the browser's path; skip without one, or fail where CI must not skip."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found and Path(found).exists():
        return found
    reason = "no Chromium here: install Debian's `chromium`, or set CHROMIUM to its path"
    if os.environ.get("CLAMLAB_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def write_notebook(path: Path, cells: list[str]) -> Path:
    """Write code cells as a notebook."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, path)
    return path


def jupyter_places(home: Path) -> dict[str, str]:
    """Name the folders in which Jupyter keeps what it remembers, signatures of notebooks too."""
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    return {name: str(home / place) for name, place in places.items()}


@contextmanager
def jupyterlab(folder: Path, home: Path) -> Iterator[str]:
    """Serve `folder` on a free port of this machine; settings and kernels live in `home`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = '{"fetchNews": "false", "checkForUpdates": false}'  # no question over the picture
    (settings / "notification.jupyterlab-settings").write_text(quiet)
    environment = os.environ | jupyter_places(home)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += ["--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    command += [f"--ServerApp.root_dir={folder}", "--IdentityProvider.token="]
    command += ["--expose-app-in-browser"]  # tests call Lab's own commands
    log = home / "server.log"
    with log.open("w") as stream:
        server = subprocess.Popen(
            command, env=environment, stdout=stream, stderr=stream, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, server, log)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # the server and its kernels, nothing else
        server.wait(20)


def _wait_for(url: str, server: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/api", timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


@contextmanager
def chromium() -> Iterator:
    """Yield a browser; `new_page` opens watched pages in it."""
    path = find_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def new_page(browser, *, width: int = 1400, height: int = 1000):
    """Open a page that notes its errors and every request that leaves this machine."""
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    page.js_errors, page.requests_outside = [], []
    page.on("pageerror", lambda error: page.js_errors.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(OWN_MACHINE)
            else page.requests_outside.append(request.url)
        ),
    )
    return page


def open_notebook(page, url: str, name: str, *, seconds: float = 120) -> None:
    """Open a notebook in Lab, and wait until its kernel could run a cell."""
    page.goto(f"{url}/lab/tree/{name}?reset", wait_until="domcontentloaded")
    page.wait_for_function(
        """() => {
            const panel = window.jupyterapp?.shell.currentWidget;
            return panel?.context?.sessionContext?.session?.kernel?.status === 'idle';
        }""",
        timeout=1000 * seconds,
    )


def run_notebook(page, url: str, name: str) -> None:
    """Open a notebook in Lab and run it."""
    open_notebook(page, url, name)
    run_all(page)


def run_all(page) -> None:
    """Run every cell of the open notebook; a cell that fails, fails the test."""
    # Prompts of an aborted cell never fill: the command itself ends either way.
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    errors = page.evaluate(
        """() => {
            const outputs = window.jupyterapp.shell.currentWidget.content.widgets
                .flatMap((cell) => cell.model.outputs?.toJSON() ?? []);
            return outputs.filter((o) => o.output_type === 'error')
                .map((o) => `${o.ename}: ${o.evalue}`);
        }"""
    )
    assert not errors, errors


def canvas_hash(locator) -> str:
    """Hash the pixels of a 2-D canvas."""
    return locator.evaluate(
        """async (canvas) => {
            const {width, height} = canvas;
            const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
            const digest = await crypto.subtle.digest('SHA-256', data);
            return [...new Uint8Array(digest)].map((b) => b.toString(16)).join('-');
        }"""
    )


def shades(locator) -> int:
    """Count the colours of a 2-D canvas; one that nothing was drawn on has one."""
    return locator.evaluate(
        """(canvas) => {
            const {width, height} = canvas;
            const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
            return new Set(new Uint32Array(data.buffer)).size;
        }"""
    )


def ask_kernel(page, expression: str) -> str:
    """Return what the notebook's kernel prints for an expression."""
    return page.evaluate(
        """async (code) => {
            const {kernel} = window.jupyterapp.shell.currentWidget.context.sessionContext.session;
            const request = kernel.requestExecute({code, store_history: false});
            let printed = '';
            request.onIOPub = (message) => { printed += message.content.text ?? ''; };
            await request.done;
            return printed.trim();
        }""",
        f"print({expression})",
    )


def color_center(locator) -> list[float]:
    """Find the middle of the yellow pixels of a canvas, as shares of its width and height."""
    return _yellow(locator)[:2]


def colored(locator) -> int:
    """Count the yellow pixels of a canvas."""
    return _yellow(locator)[2]


def _yellow(locator) -> list[float]:
    return locator.evaluate(
        """(canvas) => {
            const {width, height} = canvas;
            const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
            let n = 0, across = 0, down = 0;
            for (let i = 0; i < data.length; i += 4) {
                if (data[i] < 200 || data[i + 1] < 180 || data[i + 2] > 90) continue;
                n += 1;
                across += (i / 4) % width;
                down += Math.floor(i / 4 / width);
            }
            return [(across / n + 0.5) / width, (down / n + 0.5) / height, n];
        }"""
    )
