#!/usr/bin/env bash
# Open MPI gives every rank a terminal of 0 columns as its standard output, even where mpirun's own output is a
# file, and passes Ctrl-C on as SIGCONT. So a program that asks isatty(1) takes a log file for a person's terminal
# and writes its escape codes there; and of an interrupt of mpirun (SIGINT) a rank sees no SIGINT but SIGCONT, at
# once, then SIGTERM a second later, and is killed (SIGKILL) two seconds after the interrupt: a program that
# handles SIGINT and SIGTERM to save its work has one second, one that also listens to SIGCONT has two.
# `--mca odls_base_sigkill_timeout 30` gives more time. A terminal's width tells: a person's has columns.
# Versions: Debian 12, Open MPI 4.1.4 (openmpi-bin), Python 3. Seen 2026-11-30.
set -euo pipefail

command -v mpirun.openmpi >/dev/null || apt-get install -y -qq --no-install-recommends openmpi-bin >/dev/null
command -v python3 >/dev/null || apt-get install -y -qq python3 >/dev/null
mpirun.openmpi --version | grep -q '4\.1\.4' || { echo "this is not Open MPI 4.1.4"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat > "$dir/rank.py" <<'PY'
import os, signal, sys, time
seen = open(sys.argv[1], "w", buffering=1)
size = os.get_terminal_size(1) if os.isatty(1) else None
seen.write(f"standard output is a terminal, {size.columns} columns\n" if size else "standard output is no terminal\n")
began = None
def note(number, frame):
    global began
    began = began or time.monotonic()
    seen.write(f"{signal.Signals(number).name} after {round(time.monotonic() - began)} s\n")
for name in ("SIGINT", "SIGTERM", "SIGCONT", "SIGHUP"):
    signal.signal(getattr(signal, name), note)
open(sys.argv[1] + ".ready", "w").close()
end = time.monotonic() + 30
while time.monotonic() < end:
    time.sleep(0.1)
seen.write("left alone for 30 s\n")
PY

root=()
[ "$(id -u)" != 0 ] || root=(--allow-run-as-root)
mpirun.openmpi "${root[@]}" --oversubscribe -np 1 python3 "$dir/rank.py" "$dir/seen" > "$dir/log" 2>&1 &
job=$!
until [ -e "$dir/seen.ready" ]; do sleep 0.1; done
sleep 1
kill -INT "$job"
wait "$job" || true
cat "$dir/seen"
cat > "$dir/expected" <<'TXT'
standard output is a terminal, 0 columns
SIGCONT after 0 s
SIGTERM after 1 s
TXT
diff "$dir/expected" "$dir/seen" || { echo "mpirun does not do what was seen in November 2026"; exit 1; }
