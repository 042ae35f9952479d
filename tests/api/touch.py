"""Whether a thumb can hit what is on the phone. Measured again after a redraw: a target that is just being replaced has no box."""

from playwright.sync_api import Locator

WIDTH = 390
"""px of the phone."""
_LARGE = """(e, width) => new Promise((resolve, reject) => {
  const end = performance.now() + 20000;
  const look = () => {
    const target = e.isConnected ? e : null, box = target?.getBoundingClientRect();
    if (!target) return resolve(null);
    if (box.height >= 44 && box.width >= 44 && box.x >= 0 && box.x + box.width <= width) return resolve(true);
    if (performance.now() > end) return reject(new Error(JSON.stringify(box)));
    requestAnimationFrame(look);
  };
  look();
})"""


def within_reach(target: Locator) -> None:
    """``target`` is at least 44 px high and wide and wholly on the phone."""
    for _ in range(100):
        if target.evaluate(_LARGE, WIDTH):
            return
    raise AssertionError(f"{target} is drawn anew all the time")
