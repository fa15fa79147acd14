"""Kernels forked from a server that has the libraries loaded behave as any other kernel."""

import multiprocessing
import os
import sys
import time

import psutil
import pytest
from jupyter_client.manager import start_new_kernel

from qdgain.book import warm_kernel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only"),
]


@pytest.fixture
def kernel(tmp_path):
    manager, client = start_new_kernel(
        kernel_name=warm_kernel.NAME, cwd=str(tmp_path), env=os.environ | {"QDGAIN_TEST": "yes"}
    )
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def printed(client, code):
    """Return what a cell prints, or the name of the exception it ends with."""
    found = []

    def keep(message):
        content = message["content"]
        if message["msg_type"] == "stream" and content["name"] == "stdout":
            found.append(content["text"])
        if message["msg_type"] == "error":
            found.append(content["ename"])

    client.execute_interactive(code, timeout=30, output_hook=keep)
    return "".join(found).strip()


def test_it_has_folder_environment_and_libraries(kernel, tmp_path):
    _, client = kernel
    assert printed(client, "import os; print(os.getcwd())") == str(tmp_path)
    assert printed(client, "print(os.environ['QDGAIN_TEST'])") == "yes"
    loaded = "import sys; print('qdgain.figures.fig09' in sys.modules, '' in sys.path)"
    assert printed(client, loaded) == "True True"
    assert "QDGAIN_TEST" not in os.environ


def test_kernels_share_nothing_and_end(kernel):
    manager, client = kernel
    printed(client, "import qdgain; qdgain.mark = 1")
    other_manager, other = start_new_kernel(kernel_name=warm_kernel.NAME)
    assert printed(other, "import qdgain; print(hasattr(qdgain, 'mark'))") == "False"
    pids = [int(printed(c, "import os; print(os.getpid())")) for c in (client, other)]
    assert len(set(pids)) == 2
    other.stop_channels()
    other_manager.shutdown_kernel()
    assert manager.is_alive()
    assert not psutil.pid_exists(pids[1])


def test_it_is_interrupted_and_restarted(kernel):
    manager, client = kernel
    message = client.execute("import time; time.sleep(60)")
    time.sleep(0.5)
    manager.interrupt_kernel()
    reply = client.get_shell_msg(timeout=20)
    while reply["parent_header"]["msg_id"] != message:
        reply = client.get_shell_msg(timeout=20)
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=30)
    assert printed(client, "print(6 * 7)") == "42"


def test_a_process_that_may_have_no_children_gets_a_kernel_of_its_own(monkeypatch):
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    manager, client = start_new_kernel(kernel_name=warm_kernel.NAME)
    assert printed(client, "import sys; print('qdgain' in sys.modules)") == "False"
    client.stop_channels()
    manager.shutdown_kernel(now=True)
