"""Exit codes of the command, and failures that carry one."""

FAILED = 1
NOT_FOUND = 3
CONFLICT = 4
NOT_PERMITTED = 5
INVALID = 6
UNREACHABLE = 7
INTERRUPTED = 130


class CommandError(Exception):
    """The command cannot go on; the message is for the user, no traceback is shown."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def exit_code_of(status: int) -> int:
    """The exit code that says what an HTTP status says."""
    known = {401: NOT_PERMITTED, 403: NOT_PERMITTED, 404: NOT_FOUND, 409: CONFLICT, 503: UNREACHABLE}
    return known.get(status, INVALID if 400 <= status < 500 else FAILED)
