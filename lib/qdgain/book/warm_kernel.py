"""Jupyter kernels that begin with the libraries loaded: forked from a server that has them.

Importing what a chapter needs takes a kernel longer than many a chapter takes to run. The first
kernel of a process starts the server; the others are forked from it. Chosen by the kernel's name,
``qdgain``; where forking is not safe, or not allowed, the kernel starts as any other.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from qdgain.chapters import CHAPTERS

#: The name of the kernel, as its specification in the environment has it.
NAME = "qdgain"
# What every chapter imports, and what the kernel itself does.
_LOADED = [
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "qdgain.book.chapter",
    "qdgain.book.explorer",
    *(f"qdgain.figures.{name}" for name in CHAPTERS),
]
# Libraries of macOS do not survive a fork.
_CAN_FORK = sys.platform == "linux"


def start_server() -> None:
    """Start the server of this process unless it runs."""
    if _CAN_FORK:
        multiprocessing.set_forkserver_preload(_LOADED)
        forkserver.ensure_running()


class WarmProvisioner(LocalProvisioner):
    """Launches kernels by forking them from the server."""

    async def launch_kernel(self, cmd: list[str], **settings: Any) -> KernelConnectionInfo:
        """Launch a kernel with the command's arguments, in its folder and environment."""
        if not _CAN_FORK or multiprocessing.current_process().daemon:
            return await super().launch_kernel(cmd, **settings)
        start_server()
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        where = os.fspath(settings.get("cwd") or os.getcwd())
        quiet = settings.get("stderr") == subprocess.DEVNULL
        environment = dict(settings.get("env") or os.environ)
        process = multiprocessing.get_context("forkserver").Process(
            target=_run, args=(arguments, where, environment, quiet)
        )
        # So that the end of this process is the end of its kernels.
        process.daemon = True
        process.start()
        forked: Any = _Forked(process)
        self.process = forked
        self.pid = self.pgid = forked.pid
        self.cwd = where
        return self.connection_info


def _run(arguments: list[str], folder: str, environment: Mapping[str, str], quiet: bool) -> None:
    """Be a kernel, until its end or the server's."""
    from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415 (loaded by the server)

    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    # The server ignores what a user's Ctrl-C sends; a kernel is interrupted by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if quiet:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    # Each kernel would warn, by a line of the build, that its sockets on this machine are not
    # encrypted, which no kernel's are that Jupyter starts by itself.
    logging.getLogger("IPKernelApp").addFilter(lambda r: "without encryption" not in str(r.msg))
    IPKernelApp.launch_instance(argv=[*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"])


class _Forked:
    """A forked process as `subprocess.Popen` shows one."""

    stdin = stdout = stderr = None

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        self.pid = process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None and self.pid is not None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)
