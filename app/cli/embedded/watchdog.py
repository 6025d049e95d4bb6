"""Stops PostgreSQL when its supervisor dies, however that happened.

A process of its own that runs this file alone: standard input is a pipe whose other end only the supervisor
holds, the argument is a descriptor of PostgreSQL's process.
"""

import select
import signal
import sys


def main() -> None:
    server = int(sys.argv[1])
    ended, _, _ = select.select([sys.stdin, server], [], [])
    if server not in ended:
        signal.pidfd_send_signal(server, signal.SIGINT)


if __name__ == "__main__":
    main()
