#!/bin/sh
# Makes a Python environment for the peers of `falx bench loader|train --peer torch` and `falx bench infer --peer python`,
# from pinned versions:
#   benches/peer_env.sh DIR && falx bench loader --peer torch --python DIR/bin/python
# Needs Python 3 with venv, and some GB of disk: PyTorch is large.
set -eu
if [ $# -ne 1 ]; then
    echo "usage: $0 DIR" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
"${PYTHON:-python3}" -m venv "$1"
"$1/bin/python" -m pip install --quiet --requirement "$here/peer_requirements.txt"
"$1/bin/python" -c 'import albumentations, cv2, monai, pydicom, torch; print("peers: torch", torch.__version__, "monai", monai.__version__)'
