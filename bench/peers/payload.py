"""payload.ts for the peers that are Python: the same bytes, the same sum, the same line of JSON at the end."""

import ctypes
import json
import signal
import time

import numpy as np

LINE = 16
"""Words of 32 bits in a cache line."""
BATCHES = 10
PR_SET_PDEATHSIG = 1


def pattern_of(number: int) -> int:
    return (number * 37 + 11) & 255


class Source:
    """The frames to be sent, one after the other."""

    def __init__(self, task: dict):
        self.task = task
        self.number = -1
        self.last = False
        self.start_ns = 0

    def next(self) -> bool:
        """Moves on to the next frame; in a test of latency it waits until that is due. False after the last one."""
        if self.last:
            return False
        task = self.task
        self.number += 1
        counted = self.number - task["warmup"]
        if counted == 0:
            self.start_ns = time.monotonic_ns()
        if counted < 0:
            return True
        if task["kind"] == "latency":
            due_ns = self.start_ns + counted * 1e9 / task["fps"]
            time.sleep(max(0, (due_ns - time.monotonic_ns()) / 1e9))
            self.last = counted == task["frames"] - 1
        elif counted > 0:
            self.last = time.monotonic_ns() - self.start_ns > task["seconds"] * 1e9
        return True

    def write(self, frame: np.ndarray) -> None:
        """Writes the frame, and at last when that was."""
        frame.fill(pattern_of(self.number))
        words = frame.view(np.uint32)
        words[0] = self.number
        words[1] = self.last
        frame[8:16].view(np.uint64)[0] = time.monotonic_ns()


class Sink:
    """The frames received: each is checked, and counts once the warm-up is over."""

    def __init__(self, task: dict):
        self.task = task
        self.next = 0
        self.start_ns = self.end_ns = 0
        self.arrived_ns: list[int] = []
        self.read_ns: list[int] = []

    def read(self, frame: np.ndarray) -> bool:
        """Reads a frame. Tells whether it was the last; raises when it is not what was written."""
        arrived_ns = time.monotonic_ns()
        words = frame.view(np.uint32)
        total = int(words[::LINE].sum(dtype=np.uint32))
        read_ns = time.monotonic_ns()
        number = int(words[0])
        lines = -(-len(words) // LINE)
        expected = (number + (lines - 1) * pattern_of(number) * 0x01010101) % 2**32
        if number != self.next or total != expected or frame.nbytes != self.task["frameBytes"]:
            raise ValueError(f"wrong checksum: frame {number} instead of {self.next}, sum {total} instead of {expected}")
        self.next += 1
        self.end_ns = read_ns
        if number == self.task["warmup"]:
            self.start_ns = read_ns
        if number >= self.task["warmup"] and self.task["kind"] == "latency":
            written_ns = int(frame[8:16].view(np.uint64)[0])
            self.arrived_ns.append(arrived_ns - written_ns)
            self.read_ns.append(read_ns - written_ns)
        return bool(words[1])

    def say_outcome(self) -> None:
        say({
            "frames": self.next - 1 - self.task["warmup"],
            "seconds": (self.end_ns - self.start_ns) / 1e9,
            "arrivedNs": self.arrived_ns,
            "readNs": self.read_ns,
        })


def say(line: dict) -> None:
    print(json.dumps(line), flush=True)


def end_with_parent() -> None:
    """A sender that nobody reads from would wait for ever."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def rounds_of(task: dict) -> int:
    """How often a hand-off is done in all."""
    return task["warmup"] + task["frames"] // BATCHES * BATCHES


def measure(task: dict, hand_offs: int, once) -> None:
    """Says how long the quickest of some batches took: what disturbs a spinning pair only ever makes it slower."""
    for _ in range(task["warmup"]):
        once()
    times = []
    for _ in range(BATCHES):
        start_ns = time.monotonic_ns()
        for _ in range(task["frames"] // BATCHES):
            once()
        times.append(time.monotonic_ns() - start_ns)
    say({"frames": hand_offs * (task["frames"] // BATCHES), "seconds": min(times) / 1e9})
