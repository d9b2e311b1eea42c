"""PyMomentum's names for log levels, on Python's own logging: the logger is called ``kinarray``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._enums import LogLevel

if TYPE_CHECKING:
    import logging

# What logging has no name for lies above CRITICAL (50) and below DEBUG (10).
_NUMBERS = {
    LogLevel.Disabled: 60,
    LogLevel.Error: 40,
    LogLevel.Warning: 30,
    LogLevel.Info: 20,
    LogLevel.Debug: 10,
    LogLevel.Trace: 5,
}


def _logger() -> logging.Logger:
    import logging  # takes a while to import, and few programs ask

    return logging.getLogger("kinarray")


def set_log_level(level: LogLevel | str) -> None:
    """Set how much is logged.

    Parameters
    ----------
    level : LogLevel or str
        A string is the name of a level, in upper or lower case.

    Raises
    ------
    ValueError
        A name that is none.

    Examples
    --------
    >>> import kinarray as ka
    >>> before = ka.geometry.get_log_level()
    >>> ka.geometry.set_log_level("debug")
    >>> ka.geometry.get_log_level()
    <LogLevel.Debug: 4>
    >>> ka.geometry.set_log_level(before)
    """
    if isinstance(level, str):
        names = {choice.name.lower(): choice for choice in LogLevel}
        if level.lower() not in names:
            expected = ", ".join(f"'{choice.name}'" for choice in LogLevel)
            raise ValueError(f"level: expected one of {expected}, got {level!r}")
        level = names[level.lower()]
    if not isinstance(level, LogLevel):
        raise TypeError(f"level: expected LogLevel or str, got {type(level).__name__}")
    _logger().setLevel(_NUMBERS[level])


def get_log_level() -> LogLevel:
    """How much is logged: the level of the logger ``kinarray``, or what it takes over from others.

    Examples
    --------
    >>> import logging, kinarray as ka
    >>> logging.getLogger("kinarray").setLevel(logging.ERROR)
    >>> ka.geometry.get_log_level()
    <LogLevel.Error: 1>
    >>> logging.getLogger("kinarray").setLevel(logging.NOTSET)
    """
    number = _logger().getEffectiveLevel()
    # The most that passes.
    return next(
        (level for level in reversed(LogLevel) if _NUMBERS[level] >= number), LogLevel.Disabled
    )


def redirect_logs_to_python() -> bool:
    """Print what is logged on Python's stdout.

    Messages go to Python's logging in any case; this adds a handler that prints them, once.

    Returns
    -------
    bool
        True: they are printed from now on.

    Examples
    --------
    >>> import kinarray as ka
    >>> ka.geometry.redirect_logs_to_python()
    True
    """
    import logging

    class Printer(logging.Handler):
        """Prints on what is stdout at the time: notebooks and tests exchange it."""

        def emit(self, record: logging.LogRecord) -> None:
            print(self.format(record))

    logger = _logger()
    if not any(handler.name == "kinarray.print" for handler in logger.handlers):
        printer = Printer()
        printer.name = "kinarray.print"
        printer.setFormatter(logging.Formatter("[%(levelname)s] %(message)s"))
        logger.addHandler(printer)
    return True
