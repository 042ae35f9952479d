"""The RTSP server named by BIHUAN_TEST_RTSP, and clips made fit for it. Clips live in temporary folders only, never in the project."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.real.ports import free_port
from tests.real.processes import end, start, tail, until


class RtspServer:
    """One server playing H.264 files in a loop; a client that connects starts at the file's beginning."""

    def __init__(self, tool: str, folder: Path, port: int, streams: dict[str, Path]) -> None:
        self.port = port
        log = folder / f"rtsp-{port}-{len(list(folder.glob('rtsp-*')))}.log"
        self._process = start([tool, str(port), *(f"{name}={file}" for name, file in streams.items())], log)

        def up() -> bool:
            assert self._process.poll() is None, f"the RTSP server ended: {tail(log)}"
            return b"ready" in log.read_bytes()

        until(up, f"RTSP server: {tail(log)}")

    def url(self, name: str) -> str:
        """Address of one stream."""
        return f"rtsp://127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """End it; clients lose the stream."""
        end(self._process)


@dataclass
class Rtsp:
    """What the fixture ``rtsp`` gives: call it with NAME=FILE to serve files; every server ends with the test."""

    tool: str
    folder: Path
    servers: list[RtspServer] = field(default_factory=list)

    def __call__(self, *, port: int | None = None, **streams: Path) -> RtspServer:
        server = RtspServer(self.tool, self.folder, port or free_port(), streams)
        self.servers.append(server)
        return server

    def stop(self) -> None:
        """End all servers."""
        for server in self.servers:
            server.stop()


def encode_for_rtsp(out: Path, *parts: tuple[Path, float, float], width: int = 640, height: int = 360, rate: int = 12) -> Path:
    """One H.264 file without B-frames out of ``parts`` (file, start in s, length in s), scaled to one size; a short one repeats."""
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y"]
    for file, begin, seconds in parts:
        command += ["-stream_loop", "-1", "-ss", f"{begin}", "-t", f"{seconds}", "-i", str(file)]
    fit = f"fps={rate},scale={width}:{height}:force_original_aspect_ratio=decrease,pad={width}:{height}:-1:-1,setsar=1,format=yuv420p"
    graph = "".join(f"[{n}:v]{fit}[v{n}];" for n in range(len(parts)))
    graph += "".join(f"[v{n}]" for n in range(len(parts))) + f"concat=n={len(parts)}:v=1:a=0[out]"
    command += ["-filter_complex", graph, "-map", "[out]"]
    command += ["-c:v", "libx264", "-preset", "veryfast", "-g", str(2 * rate), "-bf", "0", str(out)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return out
