"""Numbers and times as a person reads them, in the window's language. A no-break space keeps a unit with its number."""

from __future__ import annotations

import math

from PySide6.QtCore import QDateTime, QLocale

MISSING = "—"
"""Stands for a number that is not known."""


def localised(digits: str) -> str:
    """A number that ``format`` has written, with the window's signs for decimals and thousands: 1.234,50 in German."""
    locale = QLocale()
    return digits.translate({ord(","): locale.groupSeparator(), ord("."): locale.decimalPoint()})


def short(name: str, most: int = 40) -> str:
    """A name in one line of so many characters at most."""
    name = " ".join(name.split())
    return name if len(name) <= most else f"{name[: most - 1]}…"


def date_and_time(seconds: float) -> str:
    """A time in seconds since 1970, as the system writes a short date and time."""
    return QLocale().toString(QDateTime.fromMSecsSinceEpoch(round(seconds * 1000)), QLocale.FormatType.ShortFormat)


def _scaled(value: float, units: tuple[str, ...]) -> str:
    """``value`` in the first unit that keeps it below 1000, with one decimal below 10."""
    scaled = value
    for unit in units:
        digits = 1 if unit and scaled < 9.95 else 0
        if round(scaled, digits) < 1000 or unit == units[-1]:
            return localised(f"{scaled:.{digits}f}\u00a0{unit}".rstrip())
        scaled /= 1000
    raise AssertionError("units must not be empty")


def human_count(number: int) -> str:
    r"""A count in at most three digits.

    >>> human_count(950), human_count(1_240), human_count(412_345), human_count(2_000_000)
    ('950', '1.2\xa0k', '412\xa0k', '2.0\xa0M')
    """
    return _scaled(float(number), ("", "k", "M", "G"))


def human_bytes(number: float) -> str:
    r"""A size in decimal units, as file managers and download pages write it.

    >>> human_bytes(512), human_bytes(93_000_000), human_bytes(1.5e9)
    ('512\xa0B', '93\xa0MB', '1.5\xa0GB')
    """
    if number < 999.5:
        return f"{number:.0f}\u00a0B"
    return _scaled(number / 1000, ("kB", "MB", "GB", "TB"))


def human_duration(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any.

    >>> human_duration(84), human_duration(3725), human_duration(float("inf"))
    ('1:24', '1:02:05', '—')
    """
    if not math.isfinite(seconds) or seconds < 0:
        return MISSING
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def rough_duration(seconds: float) -> str:
    r"""A duration in one unit, as an estimate deserves.

    >>> rough_duration(38.4), rough_duration(400), rough_duration(9000), rough_duration(4e5)
    ('38\xa0s', '7\xa0min', '2.5\xa0h', '111\xa0h')
    """
    if seconds < 100:
        return f"{max(1.0, seconds):.0f}\u00a0s"
    if seconds < 5400:
        return f"{seconds / 60:.0f}\u00a0min"
    return localised(f"{seconds / 3600:.{1 if seconds < 36_000 else 0}f}\u00a0h")


def human_share(share: float) -> str:
    r"""A share in [0, 1] as per cent, never rounded to nothing.

    >>> human_share(0.094), human_share(0.002), human_share(0.0)
    ('9\xa0%', '<\xa01\xa0%', '0\xa0%')
    """
    if 0 < share < 0.005:
        return "<\u00a01\u00a0%"
    return f"{share * 100:.0f}\u00a0%"


def human_parameters(number: int) -> str:
    """Size of a model as its makers write it.

    >>> human_parameters(134_515_008), human_parameters(1_500_000_000)
    ('135M', '1.5B')
    """
    return _scaled(float(number), ("", "K", "M", "B")).replace("\u00a0", "")


def loss_text(loss: float | None) -> str:
    """A loss in nats per token, two decimals.

    >>> loss_text(3.4449), loss_text(None)
    ('3.44', '—')
    """
    return MISSING if loss is None or not math.isfinite(loss) else localised(f"{loss:.2f}")
