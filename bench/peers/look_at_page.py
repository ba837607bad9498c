"""Opens the service's page in headless Chromium at 400 and 1280 pixels, light and dark; asks for an answer, looks whether
it is drawn, that nothing is wider than the window and no error is told, and takes a picture of each.
  look_at_page.py URL FOLDER"""

import asyncio
import base64
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

import websockets

ANSWER = """(async () => {
  const wait = (ms) => new Promise((go) => setTimeout(go, ms));
  for (let i = 0; i < 100 && !document.querySelector('#fields input, #fields select'); ++i) await wait(50);
  for (let i = 0; i < 5; ++i) { document.querySelector('#row .main').click(); await wait(500); }
  const answer = document.querySelector('.answer')?.textContent || '';
  const number = [...document.querySelectorAll('#fields input')].find((e) => e.inputMode === 'decimal');
  let fault = 'no number column';
  if (number) {
    const before = number.value;
    number.value = 'tall';
    document.querySelector('#row .main').click();
    await wait(500);
    fault = [...document.querySelectorAll('label .fault')].map((e) => e.textContent).join('');
    number.value = before;
    document.querySelector('#row .main').click();
    await wait(1500);
  }
  const painted = [...document.querySelectorAll('canvas')].map((c) =>
    c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v !== 0));
  window.scrollTo(0, 0);
  return {answer, fault, painted, bars: document.querySelectorAll('.bars li').length, rate: document.querySelector('#rate').textContent,
          wide: document.documentElement.scrollWidth > window.innerWidth, state: document.querySelector('#state').textContent};
})()"""


async def main(url, folder):
    home = tempfile.mkdtemp()
    chromium = subprocess.Popen(["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
                                 f"--user-data-dir={home}", "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port_file = pathlib.Path(home, "DevToolsActivePort")
        for _ in range(600):
            if port_file.exists() and port_file.read_text():
                break
            time.sleep(0.05)
        port = port_file.read_text().split()[0]
        targets = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json"))
        target = next(t for t in targets if t["type"] == "page")
        errors = []
        async with websockets.connect(target["webSocketDebuggerUrl"], max_size=1 << 26) as tab:
            count = 0

            async def call(method, **parameters):
                nonlocal count
                count += 1
                mine = count
                await tab.send(json.dumps({"id": mine, "method": method, "params": parameters}))
                while True:
                    message = json.loads(await tab.recv())
                    if message.get("id") == mine:
                        return message.get("result", message)
                    kind, about = message.get("method"), message.get("params", {})
                    if kind == "Runtime.exceptionThrown" or (kind == "Runtime.consoleAPICalled" and about["type"] == "error"):
                        errors.append(json.dumps(about)[:300])
                    # That a row was refused (422) is what was asked for.
                    if kind == "Log.entryAdded" and about["entry"]["level"] == "error" and "422" not in about["entry"]["text"]:
                        errors.append(about["entry"]["text"])

            for domain in ("Page", "Runtime", "Log"):
                await call(f"{domain}.enable")
            failed = False
            for width in (400, 1280):
                for scheme in ("light", "dark"):
                    await call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
                    await call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
                    await call("Page.navigate", url=url)
                    await asyncio.sleep(1)
                    seen = (await call("Runtime.evaluate", expression=ANSWER, awaitPromise=True, returnByValue=True))["result"]["value"]
                    shot = await call("Page.captureScreenshot", captureBeyondViewport=True)
                    pathlib.Path(folder, f"page_{width}_{scheme}.png").write_bytes(base64.b64decode(shot["data"]))
                    good = seen["answer"] and "expected" in seen["fault"] and all(seen["painted"]) and not seen["wide"]
                    failed |= not good
                    print(width, scheme, "good" if good else "BAD", json.dumps(seen))
            for error in errors:
                print("error:", error)
            return 1 if failed or errors else 0
    finally:
        chromium.terminate()
        chromium.wait()


sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2])))
