"""Exit codes of the command, and failures that carry one."""

FAILED = 1
UNREACHABLE = 7
INTERRUPTED = 130


class CommandError(Exception):
    """The command cannot go on; the message is for the user, no traceback is shown."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code
