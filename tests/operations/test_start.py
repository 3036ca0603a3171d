"""What a command finds when it begins: everything imported, and the garbage collector at work."""

import os
import subprocess
import sys

_SERVED = """
import gc, sys
from cds_service import __main__
from cds_service.cli import commands
commands.run_server = lambda settings, sock: print(gc.isenabled())
sys.argv = ["cds-service", "serve", "--port", "0"]
__main__.main()
"""
_FAILED = """
import gc, sys
from cds_service import __main__
sys.modules["cds_service.cli"] = None
try:
    __main__.main()
except ImportError:
    print(gc.isenabled())
"""


def said(script):
    run = [sys.executable, "-c", script]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    return subprocess.run(run, env=clean, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_service_begins_with_the_collector_on():
    assert said(_SERVED) == "True\n"


def test_the_collector_is_on_again_when_an_import_fails():
    assert said(_FAILED) == "True\n"
