"""The ratios as bars in an SVG."""

from html import escape

from verdict import Figure, MemoryRow, SpeedRow

WIDTH, LEFT, RIGHT, BAR, GAP, TOP = 860, 270, 40, 16, 8, 64
# The right end of the scale; longer bars are cut there and keep their number.
RATIO_MAX = 1.5
COLOURS = {True: "#2e7d4f", False: "#b3402e", None: "#7a8794"}


def svg(speed: list[SpeedRow], memory: list[MemoryRow]) -> str:
    """One bar for CPU per request or bytes of each case; a tick marks what is asked for."""
    bars = [(f"{row.case.name}, CPU per request", row.peer_version, row.cpu) for row in speed]
    bars += [(f"{row.case.name}, bytes", row.peer_version, row.ratio) for row in memory]
    height = TOP + len(bars) * (BAR + GAP) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        text(16, 24, "Cofferdam beside memcached: ours / theirs, less is better", size=15),
        text(16, 44, "dark tick: what is asked for; 1.0: as much as memcached", colour="#5a6570"),
    ]
    parts += scale(height)
    for index, (name, version, figure) in enumerate(bars):
        parts += bar(TOP + index * (BAR + GAP), f"{name} ({version})", figure)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def scale(height: int) -> list[str]:
    parts = []
    for tenth in range(0, int(RATIO_MAX * 10) + 1, 5):
        at = x(tenth / 10)
        colour = "#9aa5b0" if tenth == 10 else "#dfe4e8"
        bottom = height - 24
        parts.append(f'<path d="M{at} {TOP - 6}V{bottom}" stroke="{colour}"/>')
        parts.append(text(at, height - 8, f"{tenth / 10:.1f}", anchor="middle"))
    return parts


def bar(top: int, name: str, figure: Figure) -> list[str]:
    middle = top + BAR - 4
    parts = [text(LEFT - 8, middle, name, anchor="end")]
    if figure.value is None:
        return parts
    end = x(figure.value)
    colour = COLOURS[figure.holds]
    parts.append(
        f'<rect x="{LEFT}" y="{top}" width="{end - LEFT:.1f}" height="{BAR}" fill="{colour}"/>'
    )
    if figure.bound is not None:
        at = x(figure.bound)
        parts.append(
            f'<path d="M{at} {top - 2}v{BAR + 4}" stroke="#1c232a" stroke-width="2"/>'
        )
    # At the bar's root, where no tick can be taken for it.
    is_wide = end - LEFT > 40
    at, colour = (LEFT + 6, "#ffffff") if is_wide else (end + 6, "#1c232a")
    parts.append(text(at, middle, f"{figure.value:.2f}", colour=colour))
    return parts


def x(ratio: float) -> float:
    return round(LEFT + min(ratio, RATIO_MAX) / RATIO_MAX * (WIDTH - LEFT - RIGHT), 1)


def text(at: float, y: int, words: str, size=12, anchor="start", colour="#1c232a") -> str:
    return (
        f'<text x="{at}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">'
        f"{escape(words)}</text>"
    )
