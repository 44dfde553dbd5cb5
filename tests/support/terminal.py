"""Runs a command on a pseudo-terminal and does as told: waits for a text, presses keys or sends a signal.

Takes {command, columns, rows, steps: [{shows, keys?, signal?}]} as JSON, prints {output, code, restored, left} as JSON:
`restored` says whether the terminal's modes are afterwards as they were before; `left` are the steps that did not come.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

WATCHDOG_SECONDS = 60

task = json.loads(sys.argv[1])
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", task["rows"], task["columns"], 0, 0))
before = termios.tcgetattr(slave)
environment = {**os.environ, "TERM": "xterm-256color"}
for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
    environment.pop(name, None)
child = subprocess.Popen(task["command"], stdin=slave, stdout=slave, stderr=slave, env=environment)

output = ""
seen = 0
steps = list(task["steps"])
deadline = time.monotonic() + WATCHDOG_SECONDS
while time.monotonic() < deadline:
    ready, _, _ = select.select([master], [], [], 0.05)
    if ready:
        output += os.read(master, 65536).decode(errors="replace")
    elif child.poll() is not None:
        break
    if steps and steps[0]["shows"] in output[seen:]:
        step = steps.pop(0)
        seen = len(output)
        if "keys" in step:
            os.write(master, step["keys"].encode())
        if "signal" in step:
            child.send_signal(getattr(signal, step["signal"]))

if child.poll() is None:
    child.kill()
code = child.wait()
restored = termios.tcgetattr(slave) == before
print(json.dumps({"output": output, "code": code, "restored": restored, "left": steps}))
