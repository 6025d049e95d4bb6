"""What the kernel says about processes and sockets."""

from pathlib import Path


class NobodyListensError(RuntimeError):
    """No socket listens on the port."""


def session_members(session: int) -> list[int]:
    """Return the live processes of a session and all their descendants, whatever session those opened."""
    table = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = read_stat(stat)
        if fields and fields[0] != "Z":
            table[int(stat.parent.name)] = (int(fields[1]), int(fields[3]))
    members = {pid for pid, (_, own_session) in table.items() if own_session == session or pid == session}
    grown = True
    while grown:
        more = {pid for pid, (parent, _) in table.items() if parent in members} - members
        members |= more
        grown = bool(more)
    return sorted(members)


def read_stat(path: Path) -> list[str] | None:
    """Return state, parent, group, session … of a process, or nothing when it is gone."""
    try:
        return path.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_alive(pid: int) -> bool:
    fields = read_stat(Path(f"/proc/{pid}/stat"))
    return fields is not None and fields[0] != "Z"


def parent(pid: int) -> int:
    fields = read_stat(Path(f"/proc/{pid}/stat"))
    return int(fields[1]) if fields else 0


def command_line(pid: int) -> str:
    """Return the words of a process's command, or nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def open_files(pid: int) -> list[str]:
    """Return what the descriptors of a process point to."""
    names = []
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            names.append(str(link.readlink()))
        except OSError:
            continue  # closed meanwhile
    return names


def listening_inode(port: int) -> str:
    """Return the inode of the socket that listens on a port of the loopback interface."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
            return fields[9]
    raise NobodyListensError(f"nobody listens on port {port}")
