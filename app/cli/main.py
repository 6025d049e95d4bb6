"""``bingsan``: parsing the command line and turning failures into messages and exit codes."""

import argparse
import os
import sys
from collections.abc import Sequence

from app.cli import bootstrap, config, grant, jobs, key, migrate, principal, role, serve, version
from app.cli.exits import FAILED, INTERRUPTED, CommandError
from app.config import ConfigurationError

COMMANDS = (serve, jobs, migrate, bootstrap, principal, key, role, grant, config, version)


def parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", metavar="FILE", help="configuration file (also ICEBERG_CONFIG)")
    top = argparse.ArgumentParser(prog="bingsan", description="Apache Iceberg REST catalog.")
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.register(subparsers, common)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; usage errors exit with 2."""
    arguments = parser().parse_args(argv)
    if arguments.config:
        # Child processes find it there too.
        os.environ["ICEBERG_CONFIG"] = os.path.abspath(arguments.config)  # noqa: PTH100 - must not resolve links
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except CommandError as error:
        if str(error):  # else a child process has said it
            print(f"bingsan: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has enough; keep the interpreter from complaining when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"bingsan: {error}", file=sys.stderr)
        return FAILED
    return code
